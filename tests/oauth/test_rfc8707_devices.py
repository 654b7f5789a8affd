"""RFC 8707 for devices: what one asks for is granted as a whole, and each poll may take a part of it."""

from __future__ import annotations

import pytest

from device_world import DEVICE_GRANTS, allowed_device, ask_device, device
from every_store import ON_EVERY_STORE
from protected import FILES, HIDDEN, NOTES, refresh, with_resources
from world import ANY_STORE, World, claims_of

SCOPE = "openid read write offline_access"


@ON_EVERY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
async def test_a_device_gets_a_token_for_one_of_the_resources_and_the_grant_keeps_all(world: World) -> None:
    world = await with_resources(world)
    asked = await allowed_device(world, "partner", NOTES, FILES, scope=SCOPE)

    answer = await asked.poll(NOTES)

    assert claims_of(answer.access_token)["aud"] == NOTES
    other = await refresh(world, answer.refresh_token, FILES)
    assert claims_of(other.access_token)["aud"] == FILES


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
async def test_a_device_that_names_none_gets_a_token_for_all(world: World) -> None:
    world = await with_resources(world)
    asked = await allowed_device(world, "partner", NOTES, FILES, scope=SCOPE)

    assert claims_of((await asked.poll()).access_token)["aud"] == [NOTES, FILES]


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2")
async def test_a_poll_for_what_was_not_granted_spends_nothing(world: World) -> None:
    world = await with_resources(world)
    asked = await allowed_device(world, "partner", NOTES, scope=SCOPE)

    assert (await asked.poll(FILES)).error == "invalid_target"
    assert (await asked.poll(NOTES)).status == 200


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2")
async def test_a_device_may_not_ask_for_what_its_client_may_not(world: World) -> None:
    world = await with_resources(world)
    await world.change_client("partner", grant_types=DEVICE_GRANTS)

    assert (await ask_device(world, "partner", HIDDEN, scope=SCOPE)).error == "invalid_target"


@ANY_STORE
async def test_its_user_consents_to_the_resources_too(world: World) -> None:
    world = await with_resources(world)
    asked = await device(world, "partner", NOTES, scope="openid read")

    assert (await asked.asking()).consent_scope == ("openid", "read", NOTES)
