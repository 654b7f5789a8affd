"""What a token is and what became of it, told to an operator who holds one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.models import DAY, EndReason
from everbearer.oauth.tokens.explain import Explanation, explain_token
from everbearer.oauth.tokens.explanations import DESCRIPTIONS, explanation_uri
from everbearer.oauth.tokens.refresh_tokens import seal_refresh_token
from world import ALLOWED, NOW, World


async def _tells(world: World, token: str) -> Explanation:
    grants = await world.store.grants()

    explanation = await explain_token(token, world.server)

    assert await world.store.grants() == grants, "asking has changed something"
    assert token not in explanation.text
    return explanation


async def test_a_newest_refresh_token_is_good(world: World) -> None:
    token = await world.refresh_token()

    told = await _tells(world, token)

    assert (told.kind, told.alive, told.generation, told.newest_generation) == ("refresh_token", True, 1, 1)
    assert (told.client_id, told.subject, told.ended) == ("spa", "ada", None)
    assert told.grant == await world.grant(token)
    assert told.text == "It is the newest of its grant, and good."


async def test_a_token_that_is_not_rotated_is_good(world: World) -> None:
    told = await _tells(world, await world.refresh_token("web"))

    assert told.alive
    assert "not rotated" in told.text


@pytest.mark.parametrize(("seconds", "word"), [(0, "same successor"), (11, "late")])
async def test_a_spent_token_whose_successor_is_unused_would_be_answered(world: World, seconds: int, word: str) -> None:
    token = await world.refresh_token()
    await world.refresh(token)
    world.clock.advance(seconds)

    told = await _tells(world, token)

    assert (told.alive, told.generation, told.newest_generation) == (True, 1, 2)
    assert word in told.text


async def test_a_spent_token_whose_successor_was_used_would_end_its_grant(world: World) -> None:
    token = await world.refresh_token()
    await world.refresh((await world.refresh(token)).refresh_token)

    told = await _tells(world, token)

    assert not told.alive
    assert "would end its grant" in told.text
    assert told.ended is None


async def test_a_token_that_was_retried_too_often_would_be_refused(world: World) -> None:
    await world.policy(retry_limit=0)
    token = await world.refresh_token()
    await world.refresh(token)

    told = await _tells(world, token)

    assert not told.alive
    assert "retried too often" in told.text


async def test_a_token_that_the_store_has_forgotten_would_be_accepted(world: World) -> None:
    token = await world.refresh_token()
    ahead = seal_refresh_token(replace(await world.grant(token), generation=9), world.server.sealer)

    told = await _tells(world, ahead)

    assert (told.alive, told.generation, told.newest_generation) == (True, 9, 1)
    assert "lost writes" in told.text


async def test_a_token_of_an_ended_grant_tells_why_when_and_by_whom(world: World) -> None:
    token = await world.refresh_token()
    await world.store.end_grant((await world.grant(token)).grant_id, world.ended(EndReason.USER_DISABLED))
    world.clock.advance(100)

    told = await _tells(world, token)

    assert not told.alive
    assert told.text == "Its grant has ended: the user was disabled."
    assert told.ended is not None
    assert (told.ended.reason, told.ended.actor, told.ended.at) == (EndReason.USER_DISABLED, "admin:test", NOW)


async def test_a_token_that_has_expired_tells_when_though_nothing_is_written_down(world: World) -> None:
    token = await world.refresh_token()
    world.clock.advance(40 * DAY)

    told = await _tells(world, token)

    assert told.ended is not None
    assert (told.alive, told.ended.reason, told.ended.at) == (False, EndReason.EXPIRED_IDLE, NOW + 30 * DAY)


@pytest.mark.parametrize("redeemed", [False, True])
async def test_a_code_is_redeemed_or_not(world: World, redeemed: bool) -> None:
    code = await world.authorize()
    if redeemed:
        await world.redeem(code)

    told = await _tells(world, code)

    assert (told.kind, told.generation, told.alive) == ("authorization_code", 0, not redeemed)
    assert told.text == ("It is redeemed." if redeemed else "It is not redeemed yet, and good.")


async def test_a_token_of_a_grant_that_was_purged_is_authentic_all_the_same(world: World) -> None:
    token = await world.refresh_token()
    grant_id = (await world.grant(token)).grant_id
    await world.end_of_time()

    told = await _tells(world, token)

    assert (told.kind, told.alive, told.grant_id, told.generation) == ("refresh_token", False, grant_id, 1)
    assert "purged" in told.text


@pytest.mark.parametrize("ended_before", [False, True])
async def test_a_token_of_a_deleted_client_is_dead(world: World, ended_before: bool) -> None:
    token = await world.refresh_token()
    if ended_before:
        await world.revoke(token)
    await world.delete_client("spa")

    told = await _tells(world, token)

    assert told.ended is not None
    assert told.ended.reason is (EndReason.REVOKED_BY_CLIENT if ended_before else EndReason.CLIENT_DELETED)


@pytest.mark.parametrize("client", ["spa", "opaque"])
async def test_an_access_token_is_good_expired_or_ended(world: World, client: str) -> None:
    answer = await world.sign_in(client)
    good = await _tells(world, answer.access_token)
    world.clock.advance(1800)
    expired = await _tells(world, answer.access_token)
    await world.revoke(answer.refresh_token)
    ended = await _tells(world, answer.access_token)

    assert [told.kind for told in (good, expired, ended)] == ["access_token"] * 3
    assert [told.alive for told in (good, expired, ended)] == [True, False, False]
    assert [told.text for told in (good, expired, ended)] == [
        "It is good.",
        "It has expired.",
        "What it was issued for has ended: the client revoked this grant.",
    ]
    assert (good.generation, good.newest_generation, good.subject) == (1, 1, "ada")


async def test_a_machines_token_has_no_grant(world: World) -> None:
    told = await _tells(world, (await world.client_credentials()).access_token)

    assert (told.kind, told.alive, told.grant_id, told.generation, told.grant) == ("access_token", True, "", None, None)


@pytest.mark.parametrize("token", ["", "made up", "erb_AAAA", "5385267f-6c0a.Z8vxeBZ6TX"])
async def test_a_token_of_nobody_is_unknown(world: World, token: str) -> None:
    told = await explain_token(token, world.server)

    assert (told.kind, told.alive) == ("unknown", False)


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize("reason", EndReason)
def test_every_reason_has_words_and_a_page(reason: EndReason) -> None:
    assert ALLOWED.fullmatch(DESCRIPTIONS[reason])
    assert explanation_uri("https://id.example", reason) == f"https://id.example/ended/{reason}"
