"""A backup as the operations page makes it, of a server that is in use, and what is true once it was restored."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.person import Person
from clients.settings import settings
from postgresql_server import PostgreSQLServer, programs
from server.observed_run import code_of
from server_process import ServerProcess, free_port, running_server

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
SECRET = "Zr8-q1ZbT0vXn4kPq7Lw2aYc5eHd9sJuM3fGk8RtQ6w"
APPLICATIONS = settings(page="http://localhost:49153", express="http://localhost:49154")


def back_up(folder: Path) -> None:
    """Run the command of the page, for this folder."""
    (line,) = re.findall(r"^python (-c .*VACUUM INTO.*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    words = shlex.split(line.replace("/var/lib/everbearer", str(folder)).replace("/backup", str(folder / "backup")))
    (folder / "backup").mkdir()
    subprocess.run([sys.executable, *words], check=True, timeout=120)  # noqa: S603 - our own page


def restore(folder: Path) -> None:
    """Do what the page tells."""
    (folder / "everbearer.db-wal").unlink(missing_ok=True)
    (folder / "everbearer.db-shm").unlink(missing_ok=True)
    (folder / "everbearer.db").write_bytes((folder / "backup" / "everbearer.db").read_bytes())


def token(server: ServerProcess, form: dict[str, str]) -> Any:
    answer = httpx.post(f"{server.issuer}/oauth2/token", data={"client_id": "public", **form}, timeout=120)
    return answer.json() | {"status": answer.status_code}


def refresh(server: ServerProcess, refresh_token: str) -> Any:
    return token(server, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def on_postgresql(program: str, server: PostgreSQLServer, folder: Path) -> None:
    """Run a command of the page, for these databases and this folder."""
    (line,) = re.findall(rf"^{program} .*$", PAGE.read_text("utf-8"), re.MULTILINE)
    for called, ours in (("everbearer", "backed_up"), ("restored", "restored")):
        line = line.replace(f"db.example.com/{called}", f"{server.host}/{ours}")
    _, *words = shlex.split(line.replace("/backup", str(folder)))
    subprocess.run([programs() / program, *words], check=True, timeout=120)  # noqa: S603 - our own page


def test_who_was_signed_in_before_a_backup_of_postgresql_is_so_after_it_was_restored(
    tmp_path: Path, postgresql: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    for name in ("backed_up", "restored"):
        postgresql.execute(f"CREATE DATABASE {name}")
    monkeypatch.setenv("EVERBEARER_SERVER__DATABASE", postgresql.url("backed_up"))
    with running_server(tmp_path, APPLICATIONS, port=port, secret=SECRET) as server, Person(server.issuer) as person:
        before = token(server, code_of(server.issuer, person))["refresh_token"]
        on_postgresql("pg_dump", postgresql, tmp_path)
        newest = refresh(server, refresh(server, before)["refresh_token"])["refresh_token"]
    on_postgresql("pg_restore", postgresql, tmp_path)
    monkeypatch.setenv("EVERBEARER_SERVER__DATABASE", postgresql.url("restored"))

    with running_server(tmp_path, APPLICATIONS, port=port, secret=SECRET) as server:
        recovered = refresh(server, newest)
        grants = server.command("grant", "list", "--user", "ada@example.com")

    assert (recovered["status"], recovered["refresh_token"] != newest) == (200, True)
    assert len(grants) == 1


def test_who_was_signed_in_before_a_backup_is_so_after_it_was_restored(tmp_path: Path) -> None:
    port = free_port()
    with running_server(tmp_path, APPLICATIONS, port=port, secret=SECRET) as server, Person(server.issuer) as person:
        before = token(server, code_of(server.issuer, person))["refresh_token"]
        back_up(tmp_path)
        during = refresh(server, before)["refresh_token"]
        newest = refresh(server, during)["refresh_token"]
        later = token(server, code_of(server.issuer, person))["refresh_token"]
    restore(tmp_path)

    with running_server(tmp_path, APPLICATIONS, port=port, secret=SECRET) as server:
        recovered, lost = refresh(server, newest), refresh(server, later)
        grants = server.command("grant", "list", "--user", "ada@example.com")

    assert (recovered["status"], recovered["refresh_token"] != newest) == (200, True)
    assert (lost["status"], lost["error"]) == (400, "invalid_grant")
    assert len(grants) == 1
