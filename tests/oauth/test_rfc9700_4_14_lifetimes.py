"""RFC 9700 §4.14.2 and ASVS 10.4.8: refresh tokens that are not used expire, and all do in the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from everbearer.oauth.models import DAY, HOUR, WEEK, EndReason, Happening
from everbearer.oauth.tokens.refresh_tokens import seal_refresh_token
from world import Clock, World, claims_of

BOTH = pytest.mark.parametrize("client", ["spa", "web"])


def _node(world: World, ahead: int) -> World:
    """Return another node over the same store whose clock goes ahead, or after."""
    return replace(world, server=replace(world.server, now=Clock(world.clock.now + ahead)))


@pytest.mark.rt("RT-40")
@pytest.mark.spec("RFC 9700", "4.14.2")
@BOTH
@pytest.mark.parametrize(("seconds", "status"), [(30 * DAY - 1, 200), (30 * DAY, 400), (30 * DAY + 1, 400)])
async def test_a_grant_that_is_not_used_for_its_idle_lifetime_ends(
    world: World, client: str, seconds: int, status: int
) -> None:
    token = await world.refresh_token(client)
    world.clock.advance(seconds)

    answer = await world.refresh(token, client=client)

    assert answer.status == status
    if status == 400:
        assert answer.json["error_uri"].endswith("/expired_idle")


@pytest.mark.rt("RT-40")
@pytest.mark.spec("RFC 9700", "4.14.2")
@BOTH
async def test_the_idle_lifetime_counts_from_the_last_refresh(world: World, client: str) -> None:
    token = await world.refresh_token(client)
    for _ in range(4):
        world.clock.advance(30 * DAY - 1)
        token = (await world.refresh(token, client=client)).refresh_token

    world.clock.advance(30 * DAY)

    assert (await world.refresh(token, client=client)).error == "invalid_grant"


@pytest.mark.rt("RT-40")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_client_may_have_no_idle_lifetime(world: World) -> None:
    await world.lifetimes("web", refresh_token_idle=None)
    token = await world.refresh_token("web")
    world.clock.advance(51 * WEEK)

    answer = await world.refresh(token, client="web")

    assert answer.json["refresh_token_timeout"] == answer.json["authorization_expires_in"] == WEEK


@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize(("idle", "worst"), [(30 * DAY, 60), (1000, 10), (None, 60)])
async def test_uses_of_a_token_that_is_not_rotated_are_noted_often_enough(
    world: World, idle: int | None, worst: int
) -> None:
    await world.lifetimes("web", refresh_token_idle=idle)
    token = await world.refresh_token("web")
    used: list[int] = []
    for _ in range(worst):
        world.clock.advance(1)
        await world.refresh(token, client="web")
        used.append((await world.grant(token)).used_at)

    assert used[-2] == world.clock.now - worst
    assert used[-1] == world.clock.now
    assert (await world.grant(token)).history[-1].happening is Happening.REFRESHED


@pytest.mark.rt("RT-41")
@pytest.mark.spec("ASVS 5.0", "10.4.8")
@BOTH
async def test_a_grant_ends_at_its_absolute_lifetime_however_often_it_is_used(world: World, client: str) -> None:
    await world.lifetimes(client, refresh_token=10 * DAY, refresh_token_idle=2 * DAY)
    token = await world.refresh_token(client)
    for _ in range(9):
        world.clock.advance(DAY)
        token = (await world.refresh(token, client=client)).refresh_token

    world.clock.advance(DAY - 1)
    last = await world.refresh(token, client=client)
    world.clock.advance(1)

    assert last.json["authorization_expires_in"] == 1
    assert (await world.refresh(last.refresh_token, client=client)).json["error_uri"].endswith("/expired_absolute")


@pytest.mark.rt("RT-41")
@pytest.mark.spec("RFC 6749", "5.1")
async def test_no_access_token_outlives_its_grant(world: World) -> None:
    await world.lifetimes(refresh_token=HOUR, refresh_token_idle=None)
    token = await world.refresh_token()
    world.clock.advance(HOUR - 100)

    answer = await world.refresh(token)

    assert answer.json["expires_in"] == 100
    assert claims_of(answer.access_token)["exp"] == world.clock.now + 100


@pytest.mark.rt("RT-42")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_retry_extends_nothing(world: World) -> None:
    await world.lifetimes(refresh_token_idle=10 * DAY)
    token = await world.refresh_token()
    await world.refresh(token)
    world.clock.advance(9 * DAY)

    retried = await world.refresh(token)
    world.clock.advance(DAY)

    assert retried.json["refresh_token_timeout"] == DAY
    assert (await world.refresh(retried.refresh_token)).json["error_uri"].endswith("/expired_idle")


@pytest.mark.rt("RT-42")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_retry_does_not_move_the_window_it_came_in(world: World) -> None:
    await world.policy(retry_window=60)
    token = await world.refresh_token()
    await world.refresh(token)
    world.clock.advance(59)
    await world.refresh(token)
    world.clock.advance(2)

    assert (await world.refresh(token)).error == "invalid_grant"


@pytest.mark.rt("RT-43")
@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("skew", [-300, 300])
async def test_a_node_whose_clock_is_off_by_minutes_signs_nobody_out(world: World, skew: int) -> None:
    other = _node(world, skew)
    token = await world.refresh_token()

    for node, retrying in [(world, other), (other, world)] * 4:
        successor = (await node.refresh(token)).refresh_token
        retried = await retrying.refresh(token)
        assert retried.refresh_token == successor
        await world.refresh(successor)
        token = seal_refresh_token(await world.grant(token), world.server.sealer)


@pytest.mark.rt("RT-43")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_clock_that_is_behind_shortens_no_idle_lifetime(world: World) -> None:
    token = await world.refresh_token()
    successor = (await _node(world, 300).refresh(token)).refresh_token

    await _node(world, -300).refresh(successor)

    assert (await world.grant(token)).used_at == world.clock.now + 300


@pytest.mark.rt("RT-43")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_retry_at_a_node_that_is_behind_comes_in_time(world: World) -> None:
    await world.policy(retry_window=60)
    token = await world.refresh_token()
    successor = (await world.refresh(token)).refresh_token

    assert (await _node(world, -300).refresh(token)).refresh_token == successor


@pytest.mark.rt("RT-44")
@pytest.mark.spec("draft-ietf-oauth-refresh-token-expiration", "3")
@BOTH
async def test_the_answer_tells_how_long_token_and_grant_last(world: World, client: str) -> None:
    first = await world.sign_in(client)
    world.clock.advance(20 * DAY)

    second = await world.refresh(first.refresh_token, client=client)

    assert (first.json["refresh_token_timeout"], first.json["authorization_expires_in"]) == (30 * DAY, 52 * WEEK)
    assert second.json["refresh_token_timeout"] == 30 * DAY
    assert second.json["authorization_expires_in"] == 52 * WEEK - 20 * DAY


@pytest.mark.rt("RT-44")
@pytest.mark.spec("draft-ietf-oauth-refresh-token-expiration", "3")
async def test_the_token_never_seems_to_outlast_its_grant(world: World) -> None:
    await world.lifetimes(refresh_token=20 * DAY)

    answer = await world.sign_in()

    assert answer.json["refresh_token_timeout"] == answer.json["authorization_expires_in"] == 20 * DAY


@pytest.mark.rt("RT-44")
@pytest.mark.spec("draft-ietf-oauth-refresh-token-expiration", "3")
async def test_without_a_refresh_token_there_is_nothing_to_tell(world: World) -> None:
    answer = await world.sign_in(scope="openid")

    assert "refresh_token_timeout" not in answer.json
    assert "authorization_expires_in" not in answer.json


@pytest.mark.spec("RFC 6749", "5.1")
@BOTH
async def test_an_applications_access_tokens_last_as_long_as_it_is_set(world: World, client: str) -> None:
    token = await world.refresh_token(client)
    await world.lifetimes(client, access_token=300)

    answer = await world.refresh(token, client=client)

    assert answer.json["expires_in"] == 300


@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("changes", [{"refresh_token": HOUR}, {"refresh_token_idle": HOUR}])
async def test_a_shorter_lifetime_applies_to_live_grants_at_once(world: World, changes: dict[str, Any]) -> None:
    token = await world.refresh_token()
    world.clock.advance(HOUR)
    await world.lifetimes(**changes)

    assert (await world.refresh(token)).error == "invalid_grant"


@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize(
    ("lifetime", "reason"),
    [("refresh_token_idle", EndReason.EXPIRED_IDLE), ("refresh_token", EndReason.EXPIRED_ABSOLUTE)],
)
async def test_a_grant_that_was_refused_as_long_expired_stays_so_under_a_longer_lifetime(
    world: World, lifetime: str, reason: EndReason
) -> None:
    shorter: dict[str, Any] = {lifetime: HOUR}
    longer: dict[str, Any] = {lifetime: DAY}
    await world.lifetimes(**shorter)
    token = await world.refresh_token()
    world.clock.advance(2 * HOUR)
    await world.refresh(token)
    await world.lifetimes(**longer)

    assert (await world.refresh(token)).error == "invalid_grant"
    assert await world.end_reason(token) is reason


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_grant_without_refresh_tokens_lasts_as_long_as_its_access_token(world: World) -> None:
    answer = await world.sign_in("opaque", scope="openid")
    world.clock.advance(1799)

    assert await world.active(answer.access_token)
    world.clock.advance(1)
    assert not await world.active(answer.access_token)
