from __future__ import annotations

import pytest
from login_world import World

from everbearer.login.models import User


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def ada(world: World) -> User:
    return await world.create()
