"""RFC 9700 §4.14, refresh token protection: rotation that can be retried and cannot fork."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.events import EventKind
from everbearer.oauth.models import EndReason, Happening
from everbearer.oauth.tokens.refresh_tokens import seal_refresh_token
from every_store import ON_EVERY_STORE
from world import World

pytestmark = ON_EVERY_STORE

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


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_an_older_access_token_proves_nothing_of_the_newest_answer(world: World) -> None:
    first = await world.sign_in()
    second = await world.refresh(first.refresh_token)
    world.clock.advance(60)
    await world.userinfo(first.access_token)

    assert (await world.refresh(first.refresh_token)).refresh_token == second.refresh_token


@pytest.mark.rt("RT-27")
@pytest.mark.spec("RFC 6749", "10.4")
async def test_an_old_token_in_another_clients_hands_ends_nothing(world: World) -> None:
    first = await world.refresh_token()
    second = (await world.refresh(first)).refresh_token
    third = (await world.refresh(second)).refresh_token

    await world.refresh(first, client="partner")

    assert (await world.refresh(third)).status == 200


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
async def test_who_listens_is_told_of_a_refresh_that_is_not_written(world: World) -> None:
    token = await world.refresh_token("web")
    await world.refresh(token, client="web")
    await world.refresh(token, client="web")

    told = world.heard_of(EventKind.TOKEN_REFRESHED)
    assert [event.details["happening"] for event in told] == ["refreshed", "refreshed"]


@pytest.mark.spec("RFC 9700", "4.14.2")
async def test_who_listens_is_told_of_each_refusal_and_whose_grant_it_was(world: World) -> None:
    token = await world.refresh_token()
    grant_id = (await world.grant(token)).grant_id
    await world.refresh((await world.refresh(token)).refresh_token)
    world.heard.clear()

    await world.refresh(token)
    await world.refresh("erb_invented")

    told = world.heard_of(EventKind.INVALID_GRANT)
    assert [(event.kind, event.grant_id, dict(event.details)) for event in told] == [
        (EventKind.INVALID_GRANT, grant_id, {"grant_type": "refresh_token", "reason": "reused"}),
        (EventKind.INVALID_GRANT, "", {"grant_type": "refresh_token", "reason": "not authentic"}),
    ]
    assert "erb_invented" not in repr(world.heard)
