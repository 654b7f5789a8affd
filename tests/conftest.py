"""What all tests share: the world they act in, on every store."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from everbearer.storage.store import AdminStore
from every_store import BACKENDS, new_store
from postgresql_server import PostgreSQLServer, running_postgresql
from world import World, new_world

# A slow or busy machine is no reason for a test to fail, nor is luck: each run tries the same examples. Who looks for
# new ones sets HYPOTHESIS_PROFILE=searching.
settings.register_profile("everbearer", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("searching", deadline=None, max_examples=2000)
# A framework that a test embeds may let everything be logged; what a test's own client logs is nobody's concern.
logging.getLogger("httpx").setLevel(logging.WARNING)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everbearer"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQLServer]:
    """Give one PostgreSQL server to all tests of the session."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(params=BACKENDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AdminStore]:
    async with new_store(request, tmp_path / "everbearer.db") as store:
        yield store


@pytest.fixture
async def world(store: AdminStore) -> World:
    return await new_world(store)
