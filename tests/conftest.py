"""What all tests share: the world they act in, on every store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from everbearer.storage.memory import MemoryStore
from everbearer.storage.sqlite import BlockingSQLiteStore, SQLiteStore
from everbearer.storage.store import AdminStore
from world import World, new_world

BACKENDS: Mapping[str, Callable[[Path], AdminStore]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": SQLiteStore,
    "blocking sqlite": BlockingSQLiteStore,
}
"""Every store there is; each test that takes `world` runs on all of them."""


@pytest.fixture(params=BACKENDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AdminStore]:
    store = BACKENDS[request.param](tmp_path / "everbearer.db")
    await store.migrate()
    yield store
    await store.close()


@pytest.fixture
async def world(store: AdminStore) -> World:
    return await new_world(store)
