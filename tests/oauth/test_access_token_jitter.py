"""Access tokens whose lives are shortened at random: every place that tells of a life tells the same one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from everbearer.oauth.models import HOUR, MINUTE, WEEK
from everbearer.oauth.randomness import random_fraction
from every_store import ON_EVERY_STORE
from world import ANY_STORE, World, claims_of

LEAST, MOST = 0.0, 1 - 2**-53
"""What chance may draw."""

KINDS = pytest.mark.parametrize("client", ["spa", "opaque", "web"])


def drawing(world: World, *drawn: float) -> World:
    """Return the world with a server that draws these, one for each access token."""
    return replace(world, server=replace(world.server, chance=iter(drawn).__next__))


@pytest.mark.spec("RFC 6749", "5.1")
@ON_EVERY_STORE
@KINDS
async def test_a_life_is_shortened_by_the_part_of_the_jitter_that_is_drawn(world: World, client: str) -> None:
    await world.lifetimes(client, access_token=1000, access_token_jitter=0.2)
    token = await world.refresh_token(client)

    answer = await drawing(world, 0.5).refresh(token, client=client)

    assert answer.json["expires_in"] == 900


@ON_EVERY_STORE
@KINDS
async def test_the_token_itself_says_what_the_answer_says(world: World, client: str) -> None:
    await world.lifetimes(client, access_token_jitter=0.5)
    answer = await drawing(world, 0.3).sign_in(client)

    told = (await world.introspect(answer.access_token)).json

    assert told["exp"] == world.clock.now + answer.json["expires_in"] == world.clock.now + 1530


@ANY_STORE
async def test_the_claims_of_a_jwt_say_what_the_answer_says(world: World) -> None:
    await world.lifetimes(access_token_jitter=0.5)

    answer = await drawing(world, 0.3).sign_in()

    claims = claims_of(answer.access_token)
    assert claims["exp"] - claims["iat"] == answer.json["expires_in"] == 1530


@ON_EVERY_STORE
@pytest.mark.parametrize(("seconds", "active"), [(899, True), (900, False)])
@KINDS
async def test_the_token_is_good_for_the_life_that_was_told_and_no_longer(
    world: World, client: str, seconds: int, active: bool
) -> None:
    await world.lifetimes(client, access_token=1000, access_token_jitter=0.2)
    answer = await drawing(world, 0.5).sign_in(client)
    world.clock.advance(seconds)

    assert await world.active(answer.access_token) is active


@ON_EVERY_STORE
async def test_a_clients_own_token_is_shortened_too(world: World) -> None:
    await world.lifetimes("machine", access_token=1000, access_token_jitter=0.2)

    answer = await drawing(world, 0.5).client_credentials()

    assert answer.json["expires_in"] == 900


@pytest.mark.spec("RFC 9700", "4.14.2")
@ON_EVERY_STORE
async def test_a_retry_draws_another_life_for_its_fresh_access_token(world: World) -> None:
    await world.lifetimes(access_token=1000, access_token_jitter=0.2)
    token = await world.refresh_token()
    first, again = [await drawing(world, drawn).refresh(token) for drawn in (0.0, 0.5)]

    assert first.refresh_token == again.refresh_token
    assert (first.json["expires_in"], again.json["expires_in"]) == (1000, 900)


@ON_EVERY_STORE
async def test_the_lifetimes_of_the_grant_are_not_shortened(world: World) -> None:
    await world.lifetimes(access_token_jitter=0.5)

    answer = await drawing(world, MOST).sign_in()

    assert answer.json["authorization_expires_in"] == 52 * WEEK


@ON_EVERY_STORE
async def test_a_grant_without_a_refresh_token_lives_at_least_as_long_as_its_access_token(world: World) -> None:
    await world.lifetimes(access_token=1000, access_token_jitter=0.2)
    answer = await drawing(world, LEAST).sign_in(scope="openid")
    world.clock.advance(999)

    assert await world.active(answer.access_token)


@ANY_STORE
async def test_no_life_goes_beyond_the_end_of_the_grant(world: World) -> None:
    await world.lifetimes(refresh_token=HOUR, access_token=HOUR, refresh_token_idle=None, access_token_jitter=0.5)
    token = await world.refresh_token()
    world.clock.advance(HOUR - MINUTE)

    answer = await drawing(world, 0.5).refresh(token)

    assert answer.json["expires_in"] == MINUTE


@ANY_STORE
@pytest.mark.parametrize("life", [1, 2, 3])
async def test_no_life_is_shorter_than_a_second(world: World, life: int) -> None:
    await world.lifetimes(access_token=life, access_token_jitter=0.5)

    answer = await drawing(world, MOST).sign_in()

    assert answer.json["expires_in"] >= 1


@ANY_STORE
@pytest.mark.parametrize("client", ["spa", "machine"])
async def test_without_a_jitter_nothing_is_drawn(world: World, client: str) -> None:
    unlucky = drawing(world)

    answer: Any = await (unlucky.client_credentials() if client == "machine" else unlucky.sign_in())

    assert answer.json["expires_in"] == 30 * MINUTE


@ANY_STORE
async def test_a_server_draws_by_itself(world: World) -> None:
    await world.lifetimes("machine", access_token=100_000_000, access_token_jitter=0.5)

    lives = {(await world.client_credentials()).json["expires_in"] for _ in range(5)}

    assert len(lives) > 1
    assert all(50_000_000 < life <= 100_000_000 for life in lives)


def test_chance_is_a_number_from_0_to_below_1() -> None:
    drawn = [random_fraction() for _ in range(1000)]

    assert min(drawn) >= 0
    assert max(drawn) < 1
    assert max(drawn) - min(drawn) > 0.5
