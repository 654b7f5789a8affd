"""PostgreSQL servers of our own for tests: in a temporary folder, on loopback, by an ordinary user, gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from server_process import free_port

USER = "everbearer"
QUICK = {"fsync": "off", "full_page_writes": "off"}
"""For tests that pull no plug: what is written need not outlive the machine."""


def programs() -> Path:
    """Return where initdb and pg_ctl are. Without them these tests fail: a claim that is not tried is not made."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if pg_config := shutil.which("pg_config"):
        found.append(Path(run([pg_config, "--bindir"]).strip()))
    complete = [path for path in found if (path / "initdb").exists() and (path / "pg_ctl").exists()]
    if not complete or not shutil.which("psql"):
        pytest.fail("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    return complete[-1]


def run(command: list[str | Path], *, text: str = "") -> str:
    finished = subprocess.run(command, check=False, capture_output=True, text=True, input=text, timeout=120, cwd="/")  # noqa: S603 - our own command
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def as_ordinary_user(*command: str | Path) -> list[str | Path]:
    """Return a command that does not run as root, which PostgreSQL refuses."""
    drop = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    return [*drop, *command]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a folder that the ordinary user may write to."""
    with TemporaryDirectory(prefix="everbearer-postgresql-", ignore_cleanup_errors=True) as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
        yield Path(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgreSQLServer:
    """A cluster in a folder, running or not."""

    folder: Path
    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, database: str = "postgres", **settings: str) -> str:
        parameters = "&".join(f"{name}={value}" for name, value in settings.items())
        return f"postgresql://{USER}@{self.host}/{database}?{parameters}"

    def start(self, **settings: str) -> None:
        """Start it and wait until it answers."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            **settings,
        }
        given = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        run([*self._control(), "-o", given, "start"])

    def stop(self, mode: str = "immediate") -> None:
        run([*self._control(), "-m", mode, "stop"])

    def kill(self) -> None:
        """Kill it as a crash would: the postmaster and all its children at once."""
        processes = self.freeze()
        for process in processes:
            os.kill(process, signal.SIGKILL)
        while any(map(_runs, processes)):
            time.sleep(0.01)
        # Where nobody reaps it, the dead process would be taken for a running one.
        (self.folder / "data" / "postmaster.pid").unlink()

    def freeze(self) -> list[int]:
        """Stop the postmaster and all its children where they are, and return them, the children first."""
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().partition("\n")[0])
        # It first: then no child is born any more, and one that ends stays where a signal finds it.
        os.kill(postmaster, signal.SIGSTOP)
        while _state(postmaster) != "T":
            time.sleep(0.001)
        found = subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True, check=False)  # noqa: S603, S607
        children = [int(child) for child in found.stdout.split()]
        for child in children:
            os.kill(child, signal.SIGSTOP)
        return [*children, postmaster]

    def thaw(self, frozen: list[int]) -> None:
        """Let those go on that were stopped."""
        for process in frozen:
            os.kill(process, signal.SIGCONT)

    def promote(self) -> None:
        run([*self._control(), "promote"])

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _control(self) -> list[str | Path]:
        data = self.folder / "data"
        return as_ordinary_user(programs() / "pg_ctl", "-w", "-D", data, "-l", self.folder / "log")


def _runs(process: int) -> bool:
    return _state(process) not in ("", "Z")


def _state(process: int) -> str:
    """Return what Linux tells of it by one letter, nothing where it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def new_server(folder: Path) -> PostgreSQLServer:
    """Make a cluster. It is not started yet."""
    initdb = programs() / "initdb"
    run(as_ordinary_user(initdb, "-U", USER, "-A", "trust", "-E", "UTF8", "-N", "-D", folder / "data"))
    return PostgreSQLServer(folder=folder, port=free_port())


def new_standby(primary: PostgreSQLServer, folder: Path) -> PostgreSQLServer:
    """Make a standby of a running server, which will stream from it under the name `standby`. It is not started yet."""
    copy = programs() / "pg_basebackup"
    source = f"host=127.0.0.1 port={primary.port} user={USER} application_name=standby"
    run(as_ordinary_user(copy, "-d", source, "-R", "-N", "-c", "fast", "-D", folder / "data"))
    return PostgreSQLServer(folder=folder, port=free_port())


@contextmanager
def running_postgresql(**settings: str) -> Iterator[PostgreSQLServer]:
    """Run a server until the block is left."""
    with temporary_folder() as folder:
        server = new_server(folder)
        server.start(**(settings or QUICK))
        try:
            yield server
        finally:
            server.stop()


def emptied(server: PostgreSQLServer, database: str = "emptied") -> str:
    """Return the URL of a database with nothing in its tables. Rows are deleted, which is quicker than tables made."""
    if not server.execute(f"SELECT 1 FROM pg_database WHERE datname = '{database}'"):  # noqa: S608 - a test's own name
        server.execute(f"CREATE DATABASE {database}")
    tables = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database)
    deletions = [f"DELETE FROM {name}" for (name,) in tables if name != "migrations"]  # noqa: S608 - the same
    server.execute("; ".join(deletions), database)
    return server.url(database)
