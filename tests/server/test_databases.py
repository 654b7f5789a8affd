"""Which database a configuration means, and how it is called before people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from everbearer.server.cli import app
from everbearer.server.config import Config, ServerSection
from everbearer.server.config.file import load_config
from everbearer.server.config.reading import ConfigError
from everbearer.server.opening import open_database, open_store, shown
from everbearer.storage.postgresql import PostgreSQLStore
from everbearer.storage.sqlite import SQLiteStore

URL = "postgresql://me:s3cret@db1:5432,db2/name?sslpassword=s3cret&sslmode=require"


@pytest.mark.parametrize("url", ["postgresql://me@host/name", "postgres://host,other/name", "postgresql:///name"])
def test_a_url_of_postgresql_opens_a_store_on_it(url: str) -> None:
    store = open_store(Config(server=ServerSection(database=url)))

    assert isinstance(store, PostgreSQLStore)


def test_a_path_opens_a_store_on_sqlite(tmp_path: Path) -> None:
    assert isinstance(open_database(str(tmp_path / "x.db")), SQLiteStore)


def test_a_url_that_cannot_be_understood_is_refused_without_being_told() -> None:
    with pytest.raises(ConfigError, match=r"server\.database: is not a URL") as refused:
        open_database("postgresql://me:s3cret@[::1/name")

    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        (URL, "postgresql://me:********@db1:5432,db2/name?sslpassword=********&sslmode=require"),
        ("postgresql://me@host/name", "postgresql://me@host/name"),
        ("postgresql://me:a@b:c@host/name", "postgresql://me:********@host/name"),
        ("/var/lib/me:you@here.db", "/var/lib/me:you@here.db"),
    ],
)
def test_a_password_is_not_shown(database: str, expected: str) -> None:
    assert shown(database) == expected


def test_neither_the_configuration_shown_nor_its_repr_tells_the_password(tmp_path: Path) -> None:
    file = tmp_path / "everbearer.toml"
    file.write_text(f'server.database = "{URL}"\n')
    told = CliRunner().invoke(app, ["config", "show", "--config", str(file), "--json"])

    assert json.loads(told.stdout)["server"]["database"] == shown(URL)
    assert "s3cret" not in repr(load_config(file, {}))


def test_the_url_may_come_from_the_environment(tmp_path: Path) -> None:
    config = load_config(None, {"EVERBEARER_SERVER__DATABASE": URL, "HOME": str(tmp_path)})

    assert config.server.database == URL


def test_a_database_that_is_not_there_is_told_without_its_password(tmp_path: Path) -> None:
    file = tmp_path / "everbearer.toml"
    file.write_text('server.database = "postgresql://me:s3cret@127.0.0.1:9/name"\n')
    told = CliRunner().invoke(app, ["client", "list", "--config", str(file)])

    assert told.exit_code == 1
    assert "postgresql://me:********@127.0.0.1:9/name: the database is not available" in told.stderr
    assert "s3cret" not in told.output
