"""Purging where the clients are kept in a store of the application's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from everbearer.oauth.client import Lifetimes
from everbearer.oauth.models import WEEK
from everbearer.storage.memory import MemoryStore
from everbearer.storage.postgresql import PostgreSQLStore
from everbearer.storage.sqlite import BlockingSQLiteStore, SQLiteStore
from everbearer.storage.store import AdminStore
from postgresql_server import PostgreSQLServer, emptied
from storage.values import EVENT, NOW, new_grant

LONGEST = Lifetimes(refresh_token=100 * WEEK, refresh_token_idle=None)

Opening: TypeAlias = Callable[[Path, PostgreSQLServer], AdminStore]

OPENINGS: dict[str, Opening] = {
    "memory": lambda _, __: MemoryStore(client_lifetimes=LONGEST),
    "sqlite": lambda path, _: SQLiteStore(path, client_lifetimes=LONGEST),
    "blocking sqlite": lambda path, _: BlockingSQLiteStore(path, client_lifetimes=LONGEST),
    "postgresql": lambda _, server: PostgreSQLStore(emptied(server), client_lifetimes=LONGEST),
}


@pytest.fixture(params=OPENINGS.values(), ids=list(OPENINGS))
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, postgresql: PostgreSQLServer
) -> AsyncIterator[AdminStore]:
    store: AdminStore = request.param(tmp_path / "everbearer.db", postgresql)
    await store.migrate()
    yield store
    await store.close()


async def test_grants_of_clients_that_are_elsewhere_are_kept_as_long_as_any_of_these_may_live(
    store: AdminStore,
) -> None:
    await store.create_grant(new_grant(), EVENT)

    assert (await store.purge(now=NOW + 100 * WEEK - 1, keep=0, batch=10)).grants == 0
    assert (await store.purge(now=NOW + 100 * WEEK, keep=0, batch=10)).grants == 1
