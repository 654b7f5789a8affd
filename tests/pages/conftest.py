from __future__ import annotations

import pytest

from everbearer.storage.memory import MemoryStore
from everbearer.storage.store import AdminStore
from page_world import Browser, PageWorld, new_page_world
from world import World


@pytest.fixture
def store() -> AdminStore:
    """Return a store in memory: what stores do alike is tested elsewhere."""
    return MemoryStore()


@pytest.fixture
async def pages(world: World) -> PageWorld:
    return await new_page_world(world)


@pytest.fixture
def browser(pages: PageWorld) -> Browser:
    return pages.browser()
