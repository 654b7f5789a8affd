from __future__ import annotations

import pytest

from world import World


@pytest.mark.rt("RT-01")
@pytest.mark.spec("RFC 6749", "6")
async def test_a_refresh_answers_new_tokens(world: World) -> None:
    token = await world.refresh_token()

    answer = await world.refresh(token)

    assert answer.status == 200, answer.json
