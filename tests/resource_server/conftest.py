from __future__ import annotations

import pytest

from everbearer.storage.memory import MemoryStore
from resource_server.issuer_world import Issuer, with_audience
from world import World, new_world


@pytest.fixture
async def world() -> World:
    """Give a world over the store in memory, for no store has a part in what is tested here."""
    return await new_world(MemoryStore())


@pytest.fixture
async def issuer(world: World) -> Issuer:
    await with_audience(world)
    return Issuer(world=world)
