"""`everbearer dev` and `everbearer serve`, as processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from everbearer.server.cli import app
from server_process import free_port

SECRET = "Zr8-q1ZbT0vXn4kPq7Lw2aYc5eHd9sJu"
ENOUGH = 120
"""Seconds after which something is stuck."""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environ: str) -> subprocess.Popen[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("EVERBEARER_")}
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "everbearer", *arguments],
            cwd=tmp_path,
            env=clean | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=ENOUGH)


def first_line(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate(timeout=ENOUGH)
    return json.loads(line)


def refused(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, err = process.communicate(timeout=ENOUGH)
    return process.returncode, err


def token(issuer: str, client_id: str, secret: str) -> httpx.Response:
    return httpx.post(
        f"{issuer}/oauth2/token", data={"grant_type": "client_credentials"}, auth=(client_id, secret), timeout=ENOUGH
    )


def test_development_mode_announces_itself_when_it_can_answer(start: Start) -> None:
    ready = first_line(start("dev", "--port", "0", "--json"))

    discovered = httpx.get(ready["discovery"], timeout=ENOUGH).json()
    assert discovered["issuer"] == ready["issuer"]
    assert httpx.get(ready["playground"], timeout=ENOUGH).status_code == 200
    secrets = {client["client_id"]: client.get("client_secret") for client in ready["clients"]}
    assert set(secrets) == {"demo-spa", "demo-web", "demo-machine", "demo-third-party", "demo-device"}
    assert token(ready["issuer"], "demo-machine", secrets["demo-machine"]).json()["token_type"] == "Bearer"
    assert ready["curl"].startswith(f"curl -s -u demo-machine:{secrets['demo-machine']} ")


def test_development_mode_prints_a_banner_for_people(start: Start) -> None:
    process = start("dev", "--port", "0")
    assert process.stdout is not None
    lines: list[str] = []
    while "Other commands" not in "".join(lines[-1:]):
        lines.append(process.stdout.readline())
    text = "".join(lines)

    issuer = re.search(r"Issuer +(\S+)", text)
    assert issuer is not None
    assert httpx.get(f"{issuer[1]}/.well-known/openid-configuration", timeout=ENOUGH).status_code == 200
    assert f"{issuer[1]}/playground" in text
    assert re.search(r"User +demo@example\.com", text)
    assert re.search(r"Password +\w{4}-\w{4}-\w{4}-\w{4}", text)


def test_the_banner_names_the_command_as_the_shell_finds_it(start: Start) -> None:
    process = start("dev", "--port", "0", PATH=os.defpath)
    assert process.stdout is not None
    while "Other commands" not in (line := process.stdout.readline()):
        assert line

    assert f"{Path(sys.executable).with_name('everbearer')} client list --config" in line


def test_a_folder_that_cannot_be_made_is_told(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    code, err = refused(start("dev", "--port", "0", "--data", "file/data"))

    assert code == 1
    assert "file/data: cannot be written to (Not a directory); name a folder of yours with --data" in err


def test_serve_without_a_file_says_where_one_is_looked_for(start: Start) -> None:
    code, err = refused(start("serve"))

    assert code == 2
    assert "there is no everbearer.toml in this folder; name a file with --config" in err


def test_demo_secrets_are_the_same_at_each_start_and_in_no_file(start: Start, tmp_path: Path) -> None:
    process = start("dev", "--port", "0", "--json")
    first = first_line(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=ENOUGH)
    second = first_line(start("dev", "--port", "0", "--json"))

    assert first["clients"] == second["clients"]
    assert first["user"] == second["user"]
    kept = b"".join(path.read_bytes() for path in (tmp_path / ".everbearer").iterdir())
    for client in first["clients"]:
        assert client.get("client_secret", "-nothing-").encode() not in kept
    assert first["user"]["password"].encode() not in kept


def test_development_mode_stops_quietly(start: Start) -> None:
    process = start("dev", "--port", "0", "--json")
    first_line(process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=ENOUGH)

    assert (process.returncode, err) == (0, "")


def test_every_installation_has_demo_secrets_of_its_own(start: Start) -> None:
    ones, others = (first_line(start("dev", "--port", "0", "--json", "--data", folder)) for folder in ("a", "b"))

    assert ones["user"]["password"] != others["user"]["password"]


def test_nobody_else_can_look_into_the_folder_of_development(start: Start, tmp_path: Path) -> None:
    first_line(start("dev", "--port", "0", "--json", "--data", "data"))

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert (modes["secret"], modes["everbearer.db"]) == (0o600, 0o600)


def test_other_commands_work_on_the_data_of_development(start: Start) -> None:
    ready = first_line(start("dev", "--port", "0", "--json", "--client-redirect-uri", "http://localhost:1234/cb"))

    shown = CliRunner().invoke(app, ["client", "show", "demo-web", "--json", "--config", ready["config"]])

    assert "http://localhost:1234/cb" in json.loads(shown.stdout)["redirect_uris"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])  # noqa: S104 - to see it refused
def test_development_mode_refuses_to_listen_to_others(host: str) -> None:
    result = CliRunner().invoke(app, ["dev", "--host", host])

    assert result.exit_code == 2
    assert f"--host {host}: development mode prints its secrets and listens on this machine only" in result.stderr


def test_a_port_that_is_taken_is_told(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, err = refused(start("dev", "--port", str(taken.getsockname()[1])))

    assert code == 1
    assert "is in use already; choose another with --port or --host; --port 0 takes a free one" in err
    assert not (tmp_path / ".everbearer").exists()


def test_a_redirect_uri_that_cannot_be_is_refused(start: Start) -> None:
    code, err = refused(start("dev", "--port", "0", "--client-redirect-uri", "http://a.example/"))

    assert code == 2
    assert "would send the code in clear" in err


def test_the_environment_overrides_settings_of_development(start: Start) -> None:
    ready = first_line(start("dev", "--port", "0", "--json", EVERBEARER_LIFETIMES__ACCESS_TOKEN="5m"))
    secrets = {client["client_id"]: client.get("client_secret", "") for client in ready["clients"]}

    assert token(ready["issuer"], "demo-machine", secrets["demo-machine"]).json()["expires_in"] == 300


def test_a_wrong_environment_keeps_development_from_starting(start: Start) -> None:
    code, err = refused(start("dev", "--port", "0", EVERBEARER_LIFETIMES__ACCESS_TOKEN="soon"))

    assert code == 2
    assert "EVERBEARER_LIFETIMES__ACCESS_TOKEN: is not what this setting takes" in err


def write(folder: Path, port: int, more: str = "") -> None:
    (folder / "everbearer.toml").write_text(
        f'issuer = "http://127.0.0.1:{port}"\n[server]\nport = {port}\n{more}\n'
        f'[[clients]]\nclient_id = "m"\ntype = "machine"\nclient_secret = "{SECRET}"\n'
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_serve_makes_all_ready_and_answers(start: Start, tmp_path: Path, workers: int) -> None:
    port = free_port()
    write(tmp_path, port, f"workers = {workers}")
    process = start("serve", "--json", EVERBEARER_SECRET=SECRET)
    said = first_line(process)
    assert process.stderr is not None
    while "answering requests" not in process.stderr.readline():
        assert process.poll() is None

    answer = token(said["issuer"], "m", SECRET)
    assert answer.status_code == 200
    assert "server" not in answer.headers
    assert (said["clients"], said["workers"]) == (["m"], workers)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=ENOUGH)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("issuer", "environ", "told"),
    [
        ("", {"EVERBEARER_SECRET": SECRET}, "issuer: is missing"),
        ("http://id.example.com", {"EVERBEARER_SECRET": SECRET}, "would send passwords and tokens in clear"),
        ("https://id.example.com", {}, "the server's secret is missing"),
        ("https://id.example.com", {"EVERBEARER_SECRET": "short"}, "secret 1 is shorter than 32 bytes"),
    ],
)
def test_serve_refuses_what_is_not_safe(
    start: Start, tmp_path: Path, issuer: str, environ: dict[str, str], told: str
) -> None:
    (tmp_path / "everbearer.toml").write_text(f'issuer = "{issuer}"')

    code, err = refused(start("serve", EVERBEARER_SERVER__PORT="0", **environ))

    assert code == 2
    assert told in err


def test_serve_logs_what_is_weaker_by_choice(start: Start, tmp_path: Path) -> None:
    (tmp_path / "everbearer.toml").write_text('issuer = "http://127.0.0.1:1"\nprofile = "openid-certification"\n')

    process = start("serve", "--json", EVERBEARER_SECRET=SECRET, EVERBEARER_SERVER__PORT="0")
    first_line(process)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=ENOUGH)

    assert 'weaker by choice: profile = "openid-certification": clients of type web need neither PKCE nor' in told


def test_serve_tells_that_its_secret_has_been_changed(start: Start, tmp_path: Path) -> None:
    write(tmp_path, free_port())
    CliRunner().invoke(app, ["migrate", "--config", str(tmp_path / "everbearer.toml")])
    config = ["--config", str(tmp_path / "everbearer.toml")]
    CliRunner().invoke(app, ["key", "rotate", *config], env={"EVERBEARER_SECRET": SECRET})

    code, err = refused(start("serve", EVERBEARER_SECRET=SECRET[::-1]))

    assert code == 1
    assert "add the earlier secret after the new one" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("workers", [1, 3])
def test_serve_tells_that_its_database_cannot_be_had(start: Start, tmp_path: Path, workers: int) -> None:
    # Workers wait for their job already, and must not be left behind: the process ends only when they have.
    write(tmp_path, free_port(), f'database = "/dev/null/e.db"\nworkers = {workers}')

    code, err = refused(start("serve", EVERBEARER_SECRET=SECRET))

    assert code == 1
    assert "the database is not available" in err


def test_serve_tells_that_its_port_is_taken(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        write(tmp_path, taken.getsockname()[1])
        code, err = refused(start("serve", EVERBEARER_SECRET=SECRET))

    assert code == 1
    assert "is in use already; write another into server.port or server.host" in err


def test_serve_tells_that_the_port_for_metrics_is_taken(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        write(tmp_path, free_port(), f"[metrics]\nenabled = true\nport = {taken.getsockname()[1]}")
        code, err = refused(start("serve", EVERBEARER_SECRET=SECRET))

    assert code == 1
    assert "is in use already; write another into metrics.port or metrics.host" in err


def test_development_has_metrics_where_they_are_wanted(start: Start) -> None:
    port = free_port()
    first_line(
        start("dev", "--port", "0", "--json", EVERBEARER_METRICS__ENABLED="true", EVERBEARER_METRICS__PORT=str(port))
    )

    assert "everbearer_workers 1\n" in httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=ENOUGH).text
