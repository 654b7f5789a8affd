"""Access tokens live as long as their client says, or as it says of the grant that they come of."""

from __future__ import annotations

from typing import Any

import pytest

from device_world import allowed_device
from everbearer.oauth.client import CLIENT_CREDENTIALS, DEVICE_CODE, TOKEN_EXCHANGE, AccessTokenFormat, Lifetimes
from everbearer.oauth.grants.token_exchange import ACCESS_TOKEN
from world import ANY_STORE, World

BY_GRANT = {"authorization_code": 3600, "refresh_token": 900, CLIENT_CREDENTIALS: 7200, DEVICE_CODE: 60}


async def lives(world: World, client: str, **changes: Any) -> None:
    await world.lifetimes(client, access_token_by_grant=BY_GRANT, **changes)


async def test_each_grant_has_the_life_that_is_said_of_it(world: World) -> None:
    await lives(world, "spa")
    await lives(world, "machine")
    first = await world.sign_in()
    second = await world.refresh(first.refresh_token)

    assert (first.json["expires_in"], second.json["expires_in"]) == (3600, 900)
    assert (await world.client_credentials()).json["expires_in"] == 7200
    assert (await world.client_credentials("api")).json["expires_in"] == 1800


async def test_a_device_has_its_own(world: World) -> None:
    await lives(world, "spa")

    assert (await (await allowed_device(world)).poll()).json["expires_in"] == 60


async def test_an_exchange_has_its_own_and_no_longer_than_what_it_comes_of(world: World) -> None:
    await world.change_client(
        "web",
        grant_types=("authorization_code", "refresh_token", TOKEN_EXCHANGE),
        lifetimes=Lifetimes(access_token_by_grant={TOKEN_EXCHANGE: 120}),
    )
    subject = (await world.sign_in("web")).access_token
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": subject, "subject_token_type": ACCESS_TOKEN}
    form |= {name: value for name, value in (await world.identity("web")).items() if value}
    first = await world.token(form)
    world.clock.advance(1750)

    assert first.json["expires_in"] == 120
    assert (await world.token(form)).json["expires_in"] == 50


@pytest.mark.parametrize("kind", AccessTokenFormat)
async def test_a_token_without_refresh_tokens_is_good_for_all_of_its_life(
    world: World, kind: AccessTokenFormat
) -> None:
    await world.change_client("spa", access_token_format=kind)
    await lives(world, "spa")
    token = (await world.sign_in(scope="openid")).access_token
    world.clock.advance(3599)
    assert await world.active(token)
    world.clock.advance(1)

    assert not await world.active(token)


async def test_the_purge_leaves_it_as_long(world: World) -> None:
    await lives(world, "spa")
    token = (await world.sign_in(scope="openid")).access_token
    world.clock.advance(3599)
    await world.store.purge(now=world.clock.now, keep=0, batch=10)

    assert await world.active(token)


@ANY_STORE
async def test_jitter_shortens_this_life_too(world: World) -> None:
    await lives(world, "spa", access_token_jitter=0.5)

    assert 1800 <= (await world.sign_in()).json["expires_in"] <= 3600


def test_the_longest_of_all_is_known() -> None:
    assert Lifetimes(access_token=60).longest_access_token == 60
    assert Lifetimes(access_token=60, access_token_by_grant={"x": 50}).longest_access_token == 60
    assert Lifetimes(access_token=60, access_token_by_grant={"x": 70, "y": 65}).longest_access_token == 70
