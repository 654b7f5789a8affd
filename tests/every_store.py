"""Every store there is, for the tests that all of them must pass."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from everbearer.storage.memory import MemoryStore
from everbearer.storage.postgresql import PostgreSQLStore
from everbearer.storage.sqlite import BlockingSQLiteStore, SQLiteStore
from everbearer.storage.store import AdminStore
from postgresql_server import emptied

BACKENDS: Mapping[str, Callable[[Path], AdminStore]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": SQLiteStore,
    "blocking sqlite": BlockingSQLiteStore,
}
"""The stores without a server of their own; each test that takes `world` runs on all of them."""

POSTGRESQL = "postgresql"
ON_EVERY_STORE = pytest.mark.parametrize("store", [*BACKENDS, POSTGRESQL], indirect=True)
"""For the tests that PostgreSQL must pass as well."""


@asynccontextmanager
async def new_store(request: pytest.FixtureRequest, path: Path) -> AsyncGenerator[AdminStore]:
    """Open the empty store that the parameter of a fixture names."""
    store: AdminStore
    if request.param == POSTGRESQL:
        store = PostgreSQLStore(emptied(request.getfixturevalue("postgresql")))
    else:
        store = BACKENDS[request.param](path)
    await store.migrate()
    yield store
    await store.close()
