"""The SQL is PostgreSQL's too: every migration runs and every statement is prepared on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from everbearer.storage.sql import grants, migrations, rows
from everbearer.storage.sql.transaction import numbered
from postgresql_server import PostgreSQLServer, run
from storage.statements import every_statement
from storage.values import new_grant


@pytest.fixture
def psql(postgresql: PostgreSQLServer) -> list[str | Path]:
    """Give the command that runs SQL on the server."""
    return ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", postgresql.url()]


def test_postgresql_takes_every_migration_and_every_statement(psql: list[str | Path]) -> None:
    prepared = every_statement()
    script = [
        "CREATE SCHEMA every; SET search_path = every;",
        f"{migrations.BEGIN_HISTORY};",
        *migrations.migrations(postgresql=True).values(),
    ]
    for number, (name, statement) in enumerate(prepared.items()):
        if not statement.startswith("CREATE"):
            script.append(f"\\echo {name}\nPREPARE s{number} AS {numbered(statement)[0].rstrip()};")

    answered = run(psql, text="\n".join(script))

    assert len(prepared) > 50
    assert answered.split() == [name for name in prepared if name != "migrations.BEGIN_HISTORY"]


def test_postgresql_spends_a_generation_once(psql: list[str | Path]) -> None:
    statement, names = numbered(grants.SPEND)
    grant = {**rows.grant_columns(new_grant()), "expected": 2, "generation": 3}
    arguments = ", ".join("NULL" if grant[name] is None else f"'{grant[name]}'" for name in names)
    columns = {name: value for name, value in grant.items() if name != "expected"} | {"generation": 2}
    columns |= {"user_epoch": 0, "client_epoch": 0, "consent_epoch": 0}
    values = ", ".join("NULL" if value is None else f"'{value}'" for value in columns.values())
    script = f"""
        CREATE SCHEMA spending; SET search_path = spending;
        {"".join(migrations.migrations(postgresql=True).values())}
        INSERT INTO grants ({", ".join(columns)}) VALUES ({values});
        PREPARE spend AS {statement};
        EXECUTE spend ({arguments});
        EXECUTE spend ({arguments});
    """  # noqa: S608

    answered = run([*psql, "-t", "-A"], text=script)

    assert answered.split() == ["grant"]


def test_a_placeholder_that_comes_twice_is_one_parameter() -> None:
    statement = "SELECT :b, CAST(:a AS TEXT), x::text FROM t WHERE y = :b"

    assert numbered(statement) == ("SELECT $1, CAST($2 AS TEXT), x::text FROM t WHERE y = $1", ("b", "a"))
