"""RFC 9700 §4.14, refresh token protection: rotation that can be retried and cannot fork."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.events import EventKind
from everbearer.oauth.models import EndReason, Happening
from everbearer.oauth.refresh_tokens import seal_refresh_token
from everbearer.oauth.sealing import Sealer
from world import SERVER_SECRET, World

HOUR = 3600


async def _is_dead(world: World, token: str, reason: EndReason) -> bool:
    return await world.end_reason(token) is reason and (await world.refresh(token)).error == "invalid_grant"


@pytest.mark.rt("RT-20")
@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("client", ["spa", "rotating"])
async def test_a_refresh_answers_a_successor_that_works(world: World, client: str) -> None:
    token = await world.refresh_token(client)

    successor = (await world.refresh(token, client=client)).refresh_token

    assert successor != token
    assert (await world.refresh(successor, client=client)).status == 200


@pytest.mark.spec("RFC 6749", "6")
async def test_a_confidential_clients_refresh_token_is_not_rotated_by_default(world: World) -> None:
    token = await world.refresh_token("web")

    answers = [await world.refresh(token, client="web") for _ in range(3)]

    assert {answer.refresh_token for answer in answers} == {token}
    assert len({answer.access_token for answer in answers}) == 3


@pytest.mark.rt("RT-21")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_spent_token_after_its_window_ends_the_grant_and_all_its_access_tokens(world: World) -> None:
    await world.policy(retry_window=60)
    first = await world.sign_in()
    second = await world.refresh(first.refresh_token)
    world.clock.advance(61)

    answer = await world.refresh(first.refresh_token)

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert await _is_dead(world, second.refresh_token, EndReason.REUSED)
    assert not await world.active(first.access_token)
    assert not await world.active(second.access_token)
    assert (await world.userinfo(second.access_token)).error == "invalid_grant"


@pytest.mark.rt("RT-21")
@pytest.mark.spec("RFC 6749", "5.2")
async def test_reuse_is_told_to_the_client_with_a_page_that_explains_it_and_to_the_audit_trail(world: World) -> None:
    first = await world.refresh_token()
    second = (await world.refresh(first)).refresh_token
    await world.refresh(second)

    answer = await world.refresh(first)

    assert answer.json["error_uri"] == "https://id.example/ended/reused"
    grant = await world.grant(first)
    newest = (await world.store.events(grant_id=grant.grant_id, limit=1))[0]
    assert (newest.kind, newest.actor, newest.details["reason"]) == (EventKind.GRANT_ENDED, "server", "reused")


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


@pytest.mark.rt("RT-25")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_the_token_before_the_one_before_the_newest_is_theft(world: World) -> None:
    first = await world.refresh_token()
    second = (await world.refresh(first)).refresh_token
    third = (await world.refresh(second)).refresh_token

    answer = await world.refresh(first)

    assert answer.error == "invalid_grant"
    assert await _is_dead(world, third, EndReason.REUSED)


@pytest.mark.rt("RT-26")
@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_spent_token_whose_successor_was_used_is_theft_at_once(world: World) -> None:
    first = await world.refresh_token()
    second = (await world.refresh(first)).refresh_token
    await world.refresh(second)

    assert (await world.refresh(second)).status == 200
    assert (await world.refresh(first)).error == "invalid_grant"
    assert await _is_dead(world, second, EndReason.REUSED)


@pytest.mark.rt("RT-26")
@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("proof", ["userinfo", "introspect"])
async def test_an_access_token_in_use_proves_its_answer_arrived_and_closes_the_window(world: World, proof: str) -> None:
    token = await world.refresh_token()
    second = await world.refresh(token)
    world.clock.advance(11)
    await (world.userinfo(second.access_token) if proof == "userinfo" else world.introspect(second.access_token))

    answer = await world.refresh(token)

    assert answer.error == "invalid_grant"
    assert await _is_dead(world, second.refresh_token, EndReason.REUSED)


@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("seconds", [0, 10])
async def test_an_access_token_used_within_seconds_leaves_the_window_open_for_another_tab(
    world: World, seconds: int
) -> None:
    token = await world.refresh_token()
    second = await world.refresh(token)
    world.clock.advance(seconds)
    await world.userinfo(second.access_token)

    assert (await world.refresh(token)).refresh_token == second.refresh_token


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_an_older_access_token_proves_nothing_of_the_newest_answer(world: World) -> None:
    first = await world.sign_in()
    second = await world.refresh(first.refresh_token)
    world.clock.advance(60)
    await world.userinfo(first.access_token)

    assert (await world.refresh(first.refresh_token)).refresh_token == second.refresh_token


@pytest.mark.rt("RT-27")
@pytest.mark.spec("RFC 6749", "10.4")
async def test_a_retry_by_another_client_is_refused_and_the_grant_lives(world: World) -> None:
    token = await world.refresh_token()
    successor = (await world.refresh(token)).refresh_token

    answer = await world.refresh(token, client="partner")

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert (await world.refresh(token)).refresh_token == successor


@pytest.mark.rt("RT-27")
@pytest.mark.spec("RFC 6749", "10.4")
async def test_an_old_token_in_another_clients_hands_ends_nothing(world: World) -> None:
    first = await world.refresh_token()
    second = (await world.refresh(first)).refresh_token
    third = (await world.refresh(second)).refresh_token

    await world.refresh(first, client="partner")

    assert (await world.refresh(third)).status == 200


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
async def test_a_token_newer_than_the_store_knows_is_accepted_and_recorded(world: World) -> None:
    token = await world.refresh_token()
    ahead = replace(await world.grant(token), generation=7)
    forgotten = seal_refresh_token(ahead, world.server.sealer)

    answer = await world.refresh(forgotten)

    assert world.generation(answer.refresh_token) == 8
    assert (await world.grant(token)).history[-1].happening is Happening.RECOVERED
    assert (await world.refresh(forgotten)).refresh_token == answer.refresh_token
    assert (await world.refresh(token)).error == "invalid_grant"


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_store_that_forgot_that_the_code_was_redeemed_signs_nobody_out(world: World) -> None:
    code = await world.authorize()
    redeemed = replace(await world.grant(code), generation=1)
    token = seal_refresh_token(redeemed, world.server.sealer)
    world.clock.advance(HOUR)

    assert (await world.introspect(token)).json["active"]
    assert (await world.refresh(token)).status == 200
    assert (await world.redeem(code)).error == "invalid_grant"


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_a_forgotten_token_of_a_client_that_does_not_rotate_stays_the_same(world: World) -> None:
    token = await world.refresh_token("web")
    ahead = replace(await world.grant(token), generation=5)
    forgotten = seal_refresh_token(ahead, world.server.sealer)

    assert (await world.refresh(forgotten, client="web")).refresh_token == forgotten


@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("rotate", [True, False])
async def test_a_changed_policy_applies_to_live_grants_at_once(world: World, rotate: bool) -> None:
    await world.policy(rotate=not rotate)
    token = await world.refresh_token()
    await world.policy(rotate=rotate)

    answer = await world.refresh(token)

    assert (answer.refresh_token != token) is rotate


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_an_address_and_an_agent_stand_in_the_history_of_each_refresh(world: World) -> None:
    token = await world.refresh_token()

    await world.refresh(token, headers={"user-agent": "Phone" * 100})

    entry = (await world.grant(token)).history[-1]
    assert (entry.happening, entry.generation, entry.address) == (Happening.ROTATED, 2, "192.0.2.1")
    assert entry.agent == ("Phone" * 100)[:200]


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_the_history_of_a_grant_is_bounded(world: World) -> None:
    token = await world.refresh_token()
    for _ in range(20):
        token = (await world.refresh(token)).refresh_token

    history = (await world.grant(token)).history
    assert [entry.generation for entry in history] == list(range(10, 22))


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_who_listens_is_told_of_each_refresh_and_retry(world: World) -> None:
    token = await world.refresh_token()
    await world.refresh(token)

    await world.refresh(token)

    assert [(event.kind, dict(event.details)) for event in world.heard] == [
        (EventKind.TOKEN_REFRESHED, {"happening": "rotated", "generation": "2"}),
        (EventKind.TOKEN_REFRESHED, {"happening": "retried", "generation": "2"}),
    ]
    assert {(event.actor, event.client_id, event.subject) for event in world.heard} == {("client:spa", "spa", "ada")}


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_who_listens_is_told_of_a_refresh_that_is_not_written(world: World) -> None:
    token = await world.refresh_token("web")
    await world.refresh(token, client="web")
    await world.refresh(token, client="web")

    assert [event.details["happening"] for event in world.heard] == ["refreshed", "refreshed"]


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_who_listens_is_told_of_each_refusal_and_whose_grant_it_was(world: World) -> None:
    token = await world.refresh_token()
    grant_id = (await world.grant(token)).grant_id
    await world.refresh((await world.refresh(token)).refresh_token)
    world.heard.clear()

    await world.refresh(token)
    await world.refresh("erb_invented")

    assert [(event.kind, event.grant_id, dict(event.details)) for event in world.heard] == [
        (EventKind.INVALID_GRANT, grant_id, {"grant_type": "refresh_token", "reason": "reused"}),
        (EventKind.INVALID_GRANT, "", {"grant_type": "refresh_token", "reason": "not authentic"}),
    ]
    assert "erb_invented" not in repr(world.heard)
