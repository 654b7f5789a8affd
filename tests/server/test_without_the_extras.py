"""What is installed is what is needed: the library, a store and the command line each say so or do without the rest."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXTRAS = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"][
    "optional-dependencies"
]
OTHERS = ("argon2", "httptools", "jinja2", "typer", "uvloop", "opentelemetry", "pytest")
SQLITE = """
import asyncio
from everbearer.storage.sqlite import BlockingSQLiteStore, SQLiteStore
async def main():
    store = SQLiteStore("{path}")
    await store.migrate()
    print(await store.client("nobody"))
    await store.close()
asyncio.run(main())
"""


def python(code: str, *absent: str) -> subprocess.CompletedProcess[str]:
    """Run code where some packages are not installed."""
    without = "".join(f"sys.modules[{name!r}] = None\n" for name in absent)
    command = [sys.executable, "-c", f"import sys\n{without}{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own code


def test_the_library_needs_no_extra() -> None:
    ran = python("import everbearer, everbearer.resource_server", *OTHERS, "apsw", "msgspec", "psycopg")

    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_store_on_sqlite_needs_its_own_extra_alone(tmp_path: Path) -> None:
    ran = python(SQLITE.format(path=tmp_path / "own.db"), *OTHERS, "psycopg")

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "None\n", "")


def test_the_store_on_postgresql_needs_its_own_extra_alone() -> None:
    ran = python("import everbearer.storage.postgresql", *OTHERS, "apsw")

    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_server_has_the_extra_of_its_own_store() -> None:
    assert set(EXTRAS["server"]) >= set(EXTRAS["sqlite"])


@pytest.mark.parametrize("absent", ["typer", "msgspec", "argon2"])
def test_the_command_line_of_a_library_alone_says_what_to_install(absent: str) -> None:
    ran = python("from everbearer.__main__ import main; main()", absent)

    assert ran.returncode == 1
    assert ran.stderr == f"everbearer: the command line needs {absent} and more: pip install 'everbearer[server]'\n"
