from __future__ import annotations

import pytest

from everbearer.login.models import User
from login_world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def ada(world: World) -> User:
    return await world.create()
