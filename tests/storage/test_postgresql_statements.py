"""The SQL is PostgreSQL's too: every migration runs and every statement is prepared on a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from everbearer.storage.sql import grants, migrations, rows
from everbearer.storage.sql.transaction import numbered
from storage.statements import every_statement
from storage.values import new_grant


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
    finished = subprocess.run(command, check=False, capture_output=True, text=True, input=text, timeout=60, cwd="/")  # noqa: S603
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def as_ordinary_user(*command: str | Path) -> list[str | Path]:
    """Return a command that does not run as root, which PostgreSQL refuses."""
    drop = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    return [*drop, *command]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[list[str | Path]]:
    """Start a server of our own and give the command that runs SQL on it."""
    with TemporaryDirectory(prefix="everbearer-postgresql-") as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
        data = Path(folder, "data")
        settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        run(as_ordinary_user(programs() / "initdb", "-U", "everbearer", "-A", "trust", "-E", "UTF8", "-D", data))
        control = as_ordinary_user(programs() / "pg_ctl", "-w", "-D", data, "-l", data / "log")
        run([*control, "-o", settings, "start"])
        try:
            yield ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", folder, "-U", "everbearer", "-d", "postgres"]
        finally:
            run([*control, "-m", "immediate", "stop"])


def test_postgresql_takes_every_migration_and_every_statement(postgresql: list[str | Path]) -> None:
    prepared = every_statement()
    script = [f"{migrations.BEGIN_HISTORY};", *migrations.migrations().values()]
    for number, (name, statement) in enumerate(prepared.items()):
        if not statement.startswith("CREATE"):
            script.append(f"\\echo {name}\nPREPARE s{number} AS {numbered(statement)[0].rstrip()};")

    answered = run(postgresql, text="\n".join(script))

    assert len(prepared) > 50
    assert answered.split() == [name for name in prepared if name != "migrations.BEGIN_HISTORY"]


def test_postgresql_spends_a_generation_once(postgresql: list[str | Path]) -> None:
    statement, names = numbered(grants.SPEND)
    grant = {**rows.grant_columns(new_grant()), "expected": 2, "generation": 3}
    arguments = ", ".join("NULL" if grant[name] is None else f"'{grant[name]}'" for name in names)
    columns = {name: value for name, value in grant.items() if name != "expected"} | {"generation": 2}
    columns |= {"user_epoch": 0, "client_epoch": 0, "consent_epoch": 0}
    values = ", ".join("NULL" if value is None else f"'{value}'" for value in columns.values())
    script = f"""
        CREATE SCHEMA spending; SET search_path = spending;
        {"".join(migrations.migrations().values())}
        INSERT INTO grants ({", ".join(columns)}) VALUES ({values});
        PREPARE spend AS {statement};
        EXECUTE spend ({arguments});
        EXECUTE spend ({arguments});
    """  # noqa: S608

    answered = run([*postgresql, "-t", "-A"], text=script)

    assert answered.split() == ["grant"]


def test_a_placeholder_that_comes_twice_is_one_parameter() -> None:
    statement = "SELECT :b, CAST(:a AS TEXT), x::text FROM t WHERE y = :b"

    assert numbered(statement) == ("SELECT $1, CAST($2 AS TEXT), x::text FROM t WHERE y = $1", ("b", "a"))
