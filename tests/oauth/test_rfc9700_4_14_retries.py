"""RFC 9700 §4.14, refresh token protection: what may be asked for again, and how often and how late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.events import EventKind
from everbearer.oauth.models import EndReason, Happening
from world import SERVER_SECRET, World

HOUR = 3600


async def _is_dead(world: World, token: str, reason: EndReason) -> bool:
    return await world.end_reason(token) is reason and (await world.refresh(token)).error == "invalid_grant"


@pytest.mark.rt("RT-22", "RT-23")
@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1")
@pytest.mark.parametrize("client", ["spa", "rotating"])
@pytest.mark.parametrize("window", [30, 60, None])
async def test_half_a_minute_later_a_spent_token_gets_the_same_successor(
    world: World, client: str, window: int | None
) -> None:
    await world.policy(client, retry_window=window)
    token = await world.refresh_token(client)
    successor = (await world.refresh(token, client=client)).refresh_token
    world.clock.advance(30)

    answer = await world.refresh(token, client=client)

    assert answer.status == 200
    assert answer.refresh_token == successor


@pytest.mark.rt("RT-23")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_any_number_of_retries_leaves_one_live_token(world: World) -> None:
    token = await world.refresh_token()

    successors = {(await world.refresh(token)).refresh_token for _ in range(20)}

    assert len(successors) == 1
    assert (await world.refresh(successors.pop())).status == 200


@pytest.mark.rt("RT-23")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_by_default_a_retry_needs_no_clock_while_its_successor_is_unused(world: World) -> None:
    token = await world.refresh_token()
    successor = (await world.refresh(token)).refresh_token
    world.clock.advance(29 * 24 * HOUR)

    answer = await world.refresh(token)

    assert answer.refresh_token == successor
    assert (await world.grant(token)).history[-1].happening is Happening.RETRIED_LATE


@pytest.mark.rt("RT-23")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_new_server_secret_between_a_refresh_and_its_retry_does_no_harm(world: World) -> None:
    token = await world.refresh_token()
    await world.refresh(token)
    newer = Sealer([b"a secret that is newer than the other", SERVER_SECRET])
    changed = replace(world, server=replace(world.server, sealer=newer))

    answer = await changed.refresh(token)

    assert changed.generation(answer.refresh_token) == changed.generation(token) + 1
    assert (await changed.refresh(answer.refresh_token)).status == 200


@pytest.mark.rt("RT-24")
@pytest.mark.spec("RFC 6749", "6")
async def test_each_retry_gets_a_fresh_access_token_and_id_token(world: World) -> None:
    token = await world.refresh_token()

    answers = [await world.refresh(token) for _ in range(3)]

    assert len({answer.access_token for answer in answers}) == 3
    assert len({answer.json["id_token"] for answer in answers}) == 3
    assert all([await world.active(answer.access_token) for answer in answers])


@pytest.mark.rt("RT-26")
@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("proof", ["userinfo", "introspect"])
async def test_an_access_token_in_use_proves_its_answer_arrived_and_closes_the_window(world: World, proof: str) -> None:
    token = await world.refresh_token()
    second = await world.refresh(token)
    world.clock.advance(121)
    await (world.userinfo(second.access_token) if proof == "userinfo" else world.introspect(second.access_token))

    answer = await world.refresh(token)

    assert answer.error == "invalid_grant"
    assert await _is_dead(world, second.refresh_token, EndReason.REUSED)


@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("seconds", [0, 11, 61, 120])
async def test_an_access_token_used_within_two_minutes_leaves_the_window_open_for_another_tab(
    world: World, seconds: int
) -> None:
    token = await world.refresh_token()
    second = await world.refresh(token)
    world.clock.advance(seconds)
    await world.userinfo(second.access_token)

    assert (await world.refresh(token)).refresh_token == second.refresh_token


@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize(("seconds", "status"), [(30, 200), (31, 400)])
async def test_the_policy_says_from_when_an_access_token_in_use_is_proof(
    world: World, seconds: int, status: int
) -> None:
    await world.policy(arrival_after=30)
    token = await world.refresh_token()
    second = await world.refresh(token)
    world.clock.advance(seconds)
    await world.introspect(second.access_token)

    assert (await world.refresh(token)).status == status


@pytest.mark.rt("RT-27")
@pytest.mark.spec("RFC 6749", "10.4")
async def test_a_retry_by_another_client_is_refused_and_the_grant_lives(world: World) -> None:
    token = await world.refresh_token()
    successor = (await world.refresh(token)).refresh_token

    answer = await world.refresh(token, client="partner")

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert (await world.refresh(token)).refresh_token == successor


@pytest.mark.rt("RT-28")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_more_retries_than_the_policy_allows_are_refused_and_the_grant_lives(world: World) -> None:
    await world.policy(retry_limit=3)
    token = await world.refresh_token()
    successor = (await world.refresh(token)).refresh_token
    retries = [(await world.refresh(token)).status for _ in range(3)]

    answer = await world.refresh(token)

    assert retries == [200, 200, 200]
    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert "error_uri" not in answer.json
    assert (await world.refresh(successor)).status == 200


@pytest.mark.rt("RT-28")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_the_next_generation_has_retries_of_its_own(world: World) -> None:
    await world.policy(retry_limit=1)
    first = await world.refresh_token()
    second = (await world.refresh(first)).refresh_token
    await world.refresh(first)
    await world.refresh(second)

    assert (await world.refresh(second)).status == 200


@pytest.mark.rt("RT-29")
@pytest.mark.spec("ASVS 5.0", "10.4.5")
@pytest.mark.parametrize("key", [{}, {"idempotency-key": "the same"}])
async def test_a_window_of_zero_makes_any_second_use_theft(world: World, key: dict[str, str]) -> None:
    await world.policy(retry_window=0)
    token = await world.refresh_token()
    successor = (await world.refresh(token, headers=key)).refresh_token

    answer = await world.refresh(token, headers=key)

    assert answer.error == "invalid_grant"
    assert await _is_dead(world, successor, EndReason.REUSED)


@pytest.mark.spec("draft-ietf-httpapi-idempotency-key-header", "2")
async def test_a_retry_with_the_same_idempotency_key_is_the_same_attempt_after_the_window(world: World) -> None:
    await world.policy(retry_window=60)
    token = await world.refresh_token()
    successor = (await world.refresh(token, headers={"idempotency-key": "one"})).refresh_token
    world.clock.advance(24 * HOUR)

    answer = await world.refresh(token, headers={"idempotency-key": "one"})

    assert answer.refresh_token == successor
    assert (await world.grant(token)).late_streak == 0


@pytest.mark.spec("draft-ietf-httpapi-idempotency-key-header", "2")
@pytest.mark.parametrize("key", [{"idempotency-key": "another"}, {}])
async def test_another_idempotency_key_is_another_attempt(world: World, key: dict[str, str]) -> None:
    await world.policy(retry_window=60)
    token = await world.refresh_token()
    await world.refresh(token, headers={"idempotency-key": "one"})
    world.clock.advance(61)

    assert (await world.refresh(token, headers=key)).error == "invalid_grant"


@pytest.mark.spec("draft-ietf-httpapi-idempotency-key-header", "2")
async def test_no_key_is_not_the_same_attempt_as_no_key(world: World) -> None:
    await world.policy(retry_window=60)
    token = await world.refresh_token()
    await world.refresh(token)
    world.clock.advance(61)

    assert (await world.refresh(token, headers={"idempotency-key": ""})).error == "invalid_grant"


@pytest.mark.spec("draft-ietf-httpapi-idempotency-key-header", "2")
async def test_the_idempotency_key_of_a_used_successor_does_not_help(world: World) -> None:
    key = {"idempotency-key": "one"}
    first = await world.refresh_token()
    second = (await world.refresh(first, headers=key)).refresh_token
    await world.refresh(second, headers=key)

    assert (await world.refresh(first, headers=key)).error == "invalid_grant"


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_late_retries_in_three_generations_in_a_row_are_theft(world: World) -> None:
    await world.policy(late_limit=3, late_after=10)
    token = await world.refresh_token()
    for _ in range(2):
        successor = (await world.refresh(token)).refresh_token
        world.clock.advance(11)
        assert (await world.refresh(token)).refresh_token == successor
        token = successor
    await world.refresh(token)
    world.clock.advance(11)

    answer = await world.refresh(token)

    assert answer.error == "invalid_grant"
    assert answer.json["error_uri"].endswith("/late_retries")
    assert await _is_dead(world, token, EndReason.LATE_RETRIES)


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_many_late_retries_of_one_generation_count_once(world: World) -> None:
    token = await world.refresh_token()
    await world.refresh(token)
    world.clock.advance(11)

    assert {(await world.refresh(token)).status for _ in range(10)} == {200}
    assert (await world.grant(token)).late_streak == 1


@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("seconds", [0, 10])
async def test_retries_within_seconds_are_never_late(world: World, seconds: int) -> None:
    token = await world.refresh_token()
    for _ in range(6):
        successor = (await world.refresh(token)).refresh_token
        world.clock.advance(seconds)
        assert (await world.refresh(token)).refresh_token == successor
        token = successor

    assert (await world.grant(token)).late_streak == 0


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_generation_without_a_late_retry_breaks_the_row(world: World) -> None:
    token = await world.refresh_token()
    for late in (True, True, False, True, True, False):
        successor = (await world.refresh(token)).refresh_token
        world.clock.advance(11 if late else 1)
        assert (await world.refresh(token)).status == 200
        token = successor

    assert await world.end_reason(token) is None


@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("client", ["rotating", "spa"])
async def test_a_confidential_client_may_be_late_every_time_and_a_public_one_where_no_limit_is_set(
    world: World, client: str
) -> None:
    if client == "spa":
        await world.policy(client, late_limit=None)
    token = await world.refresh_token(client)
    for _ in range(8):
        successor = (await world.refresh(token, client=client)).refresh_token
        world.clock.advance(HOUR)
        assert (await world.refresh(token, client=client)).refresh_token == successor
        token = successor


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_who_listens_is_told_of_each_refresh_and_retry(world: World) -> None:
    token = await world.refresh_token()
    await world.refresh(token)

    await world.refresh(token)

    told = world.heard_of(EventKind.TOKEN_REFRESHED)
    assert [(event.kind, dict(event.details)) for event in told] == [
        (EventKind.TOKEN_REFRESHED, {"happening": "rotated", "generation": "2"}),
        (EventKind.TOKEN_REFRESHED, {"happening": "retried", "generation": "2"}),
    ]
    assert {(event.actor, event.client_id, event.subject) for event in told} == {("client:spa", "spa", "ada")}
