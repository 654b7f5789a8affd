"""A PostgreSQL server of our own in a folder that is thrown away."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from measuring.processes import Account, free_port, running
from measuring.setup import Missing, need_program

PATIENCE = 3600
"""Seconds for one statement: filling millions of rows takes minutes."""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "300",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    # The two that make an answer sent an answer kept; they are the defaults.
    "fsync": "on",
    "synchronous_commit": "on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running PostgreSQL server, which trusts whoever comes from this machine."""

    port: int
    pid: int
    programs: Path

    def url(self, database: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Make a database and return its URL."""
        self.run("postgres", f"CREATE DATABASE {database}")
        return self.url(database)

    def run(self, database: str, statement: str) -> str:
        """Run statements and return what they say."""
        return run_sql(self.url(database), statement, psql=str(self.programs / "psql"))


def run_sql(url: str, statement: str, *, psql: str = "psql") -> str:
    """Run statements by psql and return what they say, unaligned."""
    command = [psql, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", url]
    done = subprocess.run(command, input=statement, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode:
        raise RuntimeError(f"PostgreSQL: {done.stderr.strip()[:500]}")
    return done.stdout.strip()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a PostgreSQL server until the block is left.

    Raises:
        Missing: there is none to run.
    """
    programs = _programs()
    account = _account()
    # Not below the repository, which PostgreSQL's account may be unable to enter; and not in memory, as /tmp may be.
    folder = Path(tempfile.mkdtemp(prefix="everbearer-benchmark-", dir="/var/tmp"))
    try:
        if account:
            os.chown(folder, account.uid, account.gid)
        data, port = folder / "data", free_port()
        _initialise(programs, data, account)
        settings = {**SETTINGS, "port": str(port), "unix_socket_directories": str(folder)}
        command: list[str | Path] = [
            programs / "postgres",
            "-D",
            data,
            *(f"--{name}={value}" for name, value in settings.items()),
        ]
        with running(
            command,
            folder=folder,
            name="postgresql",
            ready=lambda: _is_ready(programs, port),
            account=account,
            stop_signal=signal.SIGINT,  # ends sessions, keeps the data whole
        ) as started:
            yield Cluster(port=port, pid=started.pid, programs=programs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(programs: Path, data: Path, account: Account | None) -> None:
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"],
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        cwd=data.parent,
        stdout=subprocess.DEVNULL,
        timeout=120,
        check=True,
    )


def _is_ready(programs: Path, port: int) -> bool:
    command: list[str | Path] = [programs / "pg_isready", "--quiet", "--host=127.0.0.1", f"--port={port}"]
    return subprocess.run(command, timeout=10, check=False).returncode == 0


def _programs() -> Path:
    found = _newest()
    if found is None:
        need_program("psql", "postgresql")
        found = _newest()
    if found is None:
        raise Missing("PostgreSQL is missing. On Debian: sudo apt-get install postgresql")
    return found


def _newest() -> Path | None:
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    beside = shutil.which("initdb")
    return max(found, key=lambda path: int(path.parent.name)) if found else (Path(beside).parent if beside else None)


def _account() -> Account | None:
    """Return whom to run it as: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise Missing("an ordinary account to run PostgreSQL as is missing")
