"""Filling: the rows are what a server would have written, and their refresh tokens are known."""

from __future__ import annotations

import importlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.tokens.refresh_tokens import open_refresh_token
from everbearer.storage.sqlite import SQLiteStore

filling = importlib.import_module("measuring.filling")

SECRET = "a secret of the server that is long enough"
NOW = 1_800_000_000


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    path = tmp_path / "filled.db"
    store = SQLiteStore(path)
    await store.migrate()
    await store.close()
    return path


def kind(**settings: Any) -> Any:
    return filling.Kind(**{"name": "test", "client_id": "client", **settings})


async def test_a_filled_grant_is_read_as_it_was_meant(database: Path) -> None:
    lived = kind(generation=40, history=12)
    filling.fill(str(database), lived, 5, now=NOW)
    store = SQLiteStore(database)
    grants = [await store.grant(filling.grant(lived, number, NOW).grant_id) for number in range(5)]
    await store.close()

    assert grants == [
        # Each fill shares one history: that of its newest grant.
        filling.grant(lived, number, NOW)
        for number in range(5)
    ]
    assert grants[0] is not None
    assert [entry.generation for entry in grants[0].history] == list(range(29, 41))


async def test_the_tokens_of_filled_grants_are_authentic(database: Path) -> None:
    filling.fill(str(database), kind(), 20, now=NOW)
    store = SQLiteStore(database)
    for token in filling.tokens(kind(), SECRET, count=20, of=20, now=NOW):
        presented = open_refresh_token(token, Sealer([SECRET.encode()]))
        grant = await store.grant(presented.grant_id) if presented else None

        assert presented is not None
        assert grant is not None
        assert presented.belongs_to(grant)
        assert presented.generation == grant.generation == 1
    await store.close()


def test_indexes_that_were_dropped_for_a_large_fill_are_back(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def indexes() -> set[str]:
        with sqlite3.connect(database) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index'")}

    before = indexes()
    monkeypatch.setattr(filling, "CHUNK", 10)
    filling.fill(str(database), kind(), 35, now=NOW)

    assert indexes() == before
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM grants").fetchone() == (35,)


def test_a_second_fill_adds_to_the_first(database: Path) -> None:
    filling.fill(str(database), kind(), 3, now=NOW)
    filling.fill(str(database), kind(), 3, now=NOW, start=3)

    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(DISTINCT subject) FROM grants").fetchone() == (6,)
