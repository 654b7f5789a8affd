"""The example for the conformance suite: it starts as its README says, and the suite's configuration fits it."""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from everbearer.server.config.file import load_config
from server_process import free_port, until_it_answers

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "openid-certification"
TEMPLATES = ROOT / "src" / "everbearer" / "server" / "pages" / "templates"


def readme_commands() -> list[str]:
    """Return what the README says to type, in order, but for the server itself."""
    block = re.search(r"```sh\n(.*?)```", (EXAMPLE / "README.md").read_text(), re.DOTALL)
    assert block is not None
    lines = [line for line in block[1].replace("\\\n", " ").splitlines() if line]
    assert lines[0] == "cd examples/openid-certification"
    assert lines[-1] == "everbearer serve"
    return lines[1:-1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ssl.SSLContext]]:
    """Run the example as its README says, but on a port that is free, and return its URL and who vouches for it."""
    folder = tmp_path_factory.mktemp("example") / "openid-certification"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.db*", "*.pem", "secret"))
    for command in readme_commands():
        subprocess.run(["bash", "-euc", command], cwd=folder, check=True, capture_output=True, timeout=120)  # noqa: S603, S607 - our own words
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EVERBEARER_")}
    environ = clean | {
        "EVERBEARER_SERVER__PORT": str(port),
        "EVERBEARER_ISSUER": f"https://localhost:{port}",
        "PYTHONWARNINGS": "error",
    }
    process = subprocess.Popen([sys.executable, "-m", "everbearer", "serve"], cwd=folder, env=environ)
    trust = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
    try:
        issuer = f"https://localhost:{port}"
        assert until_it_answers(f"{issuer}/readyz", process, verify=trust), "the example did not get ready"
        yield issuer, trust
    finally:
        process.terminate()
        process.wait(timeout=60)


def suite() -> Any:
    return json.loads((EXAMPLE / "suite.json").read_text())


def test_it_serves_discovery_and_pages_over_https(server: tuple[str, ssl.SSLContext]) -> None:
    issuer, trust = server
    with httpx.Client(verify=trust, timeout=120) as client:
        document = client.get(f"{issuer}/.well-known/openid-configuration").json()
        page = client.get(
            document["authorization_endpoint"],
            params={
                "client_id": "client",
                "response_type": "code",
                "scope": "openid",
                "redirect_uri": "https://localhost.emobix.co.uk:8443/test/a/everbearer/callback",
            },
            follow_redirects=True,
        )

    assert document["issuer"] == issuer
    assert '<form id="sign-in"' in page.text


def test_the_suite_is_told_the_clients_the_user_and_the_issuer_of_the_server() -> None:
    config, told = load_config(EXAMPLE / "everbearer.toml", {}), suite()

    assert told["server"]["discoveryUrl"] == f"{config.issuer}/.well-known/openid-configuration"
    secrets = {client.client_id: client.client_secret for client in config.clients}
    assert {
        told[name]["client_id"]: told[name]["client_secret"] for name in ("client", "client2", "client_secret_post")
    } == {name: secrets[name] for name in secrets.keys() - {"backchannel", "frontchannel"}}
    typed = [command for command in commands(told) if command[0] == "text"]
    assert {(command[2], command[3]) for command in typed} == {
        ("login", config.users[0].login),
        ("password", config.users[0].password),
    }


def test_what_the_suite_looks_for_is_on_the_pages() -> None:
    pages = "".join(path.read_text() for path in TEMPLATES.glob("*.html"))
    ids = {command[2] for command in commands(suite()) if command[1] == "id"} - {"submission_complete"}
    words = {command[4] for command in commands(suite()) if command[0] == "wait" and len(command) > 4}

    of_logout = {"logout-confirm", "confirm", "signed-out"}
    assert (
        ids
        == {"sign-in", "login", "password", "submit", "allow", "error", "client-logo", "policy-uri", "tos-uri"}
        | of_logout
    )
    assert all(f'id="{name}"' in pages for name in ids)
    assert all(each in pages for each in words)


def test_the_ids_that_the_readme_tells_are_on_the_pages() -> None:
    pages = "".join(path.read_text() for path in TEMPLATES.glob("*.html"))
    rows = [line.split(" | ", 1)[1] for line in (EXAMPLE / "README.md").read_text().splitlines() if ", `/" in line]
    ids = [name for row in rows for name in re.findall(r"`([a-z-]+)`", row)]

    assert "sign-in" in ids
    assert [name for name in ids if f'id="{name}"' not in pages] == []


def test_only_the_suites_own_callback_ends_a_visit() -> None:
    # The address of the authorization endpoint holds that of the callback: only the scheme and host tell them apart.
    config, told = load_config(EXAMPLE / "everbearer.toml", {}), suite()
    ends = {task["match"] for task in tasks(told) if task["task"] == "Verify complete"}

    client = config.clients[0]
    assert {end.removesuffix("*") for end in ends} == {client.redirect_uris[0], client.post_logout_redirect_uris[0]}
    assert {urlsplit(task["match"]).netloc for task in tasks(told)} == {"localhost:9443", "localhost.emobix.co.uk:8443"}


def test_a_visit_ends_with_its_screenshot() -> None:
    # The module is over then, and its client may be gone.
    visits = [visit for one in suite()["override"].values() for visit in one["browser"]]
    shown = [
        (number, visit)
        for visit in visits
        for number, task in enumerate(visit["tasks"])
        if any(command[-1] == "update-image-placeholder" for command in task.get("commands", []))
    ]

    assert shown
    assert all(number == len(visit["tasks"]) - 1 for number, visit in shown)


def test_nothing_is_looked_for_on_the_page_that_the_suite_shows_after_a_logout() -> None:
    config, told = load_config(EXAMPLE / "everbearer.toml", {}), suite()
    after = [task for task in tasks(told) if task["match"] == f"{config.clients[0].post_logout_redirect_uris[0]}*"]

    assert after
    assert not any("commands" in task for task in after)


def test_the_way_back_from_a_logout_is_waited_for() -> None:
    config, told = load_config(EXAMPLE / "everbearer.toml", {}), suite()
    (visit,) = [visit for visit in told["browser"] if "end_session" in visit["match"]]
    _, how, pattern, _ = visit["tasks"][0]["commands"][-1]
    back, here = config.clients[0].post_logout_redirect_uris[0], f"{config.issuer}/oauth2/end_session"

    assert how == "match"
    assert re.search(pattern, f"{back}?state=s")
    assert not re.search(pattern, f"{here}?post_logout_redirect_uri={back}")


def tasks(told: Any) -> list[Any]:
    visits = [*told["browser"], *(visit for one in told["override"].values() for visit in one["browser"])]
    return [task for visit in visits for task in visit["tasks"]]


def commands(told: Any) -> list[Any]:
    return [command for task in tasks(told) for command in task.get("commands", [])]
