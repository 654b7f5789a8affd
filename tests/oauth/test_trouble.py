"""A store or a key in trouble: 503 and come again, never `invalid_grant`, and nothing is spent."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from everbearer.oauth.crypto.keys import KeySet
from everbearer.oauth.errors import StoreUnavailable
from every_store import ON_EVERY_STORE
from meddled_store import calls_of, meddled, unavailable
from world import Answer, World, signing_keys

pytestmark = ON_EVERY_STORE


def _asks_to_come_again(answer: Answer) -> bool:
    assert (answer.status, answer.error) == (503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["cache-control"] == "no-store"
    return True


@pytest.mark.rt("RT-64", "RT-37")
@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize("client", ["spa", "web"])
@pytest.mark.parametrize("verb", ["client", "grant", "spend"])
async def test_a_refresh_without_a_store_spends_nothing(world: World, client: str, verb: str) -> None:
    token = await world.refresh_token(client)
    world.clock.advance(61)
    before = await world.grant(token)

    answer = await meddled(world, verb, unavailable, call=2 if verb == "client" else 1).refresh(token, client=client)

    assert _asks_to_come_again(answer)
    assert await world.grant(token) == before
    assert (await world.refresh(token, client=client)).status == 200


@pytest.mark.rt("RT-63", "RT-64")
@pytest.mark.spec("RFC 6749", "5.2")
async def test_a_refresh_that_was_stored_before_the_trouble_is_answered_by_its_retry(world: World) -> None:
    token = await world.refresh_token()

    answer = await meddled(world, "spend", unavailable, after=True).refresh(token)

    assert _asks_to_come_again(answer)
    retried = await world.refresh(token)
    assert world.generation(retried.refresh_token) == world.generation(token) + 1
    assert (await world.refresh(retried.refresh_token)).status == 200


@pytest.mark.rt("RT-64")
@pytest.mark.spec("RFC 6749", "5.2")
async def test_a_theft_that_cannot_be_written_down_is_no_verdict_yet(world: World) -> None:
    first = await world.refresh_token()
    second = (await world.refresh(first)).refresh_token
    await world.refresh(second)

    answer = await meddled(world, "end_grant", unavailable).refresh(first)

    assert _asks_to_come_again(answer)
    assert (await world.refresh(first)).error == "invalid_grant"


@pytest.mark.rt("RT-64")
@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize("verb", ["grant", "spend"])
async def test_a_code_is_not_redeemed_without_a_store(world: World, verb: str) -> None:
    code = await world.authorize()

    answer = await meddled(world, verb, unavailable).redeem(code)

    assert _asks_to_come_again(answer)
    assert (await world.redeem(code)).status == 200


@pytest.mark.rt("RT-64")
@pytest.mark.spec("RFC 7009", "2.2.1")
@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
async def test_a_revocation_without_a_store_asks_to_come_again(world: World, kind: str) -> None:
    tokens = await world.sign_in()

    answer = await meddled(world, "end_grant", unavailable).revoke(tokens.json[kind])

    assert _asks_to_come_again(answer)
    assert (await world.refresh(tokens.refresh_token)).status == 200


@pytest.mark.rt("RT-64")
@pytest.mark.spec("RFC 7009", "2.2.1")
async def test_a_machines_token_is_not_revoked_without_a_store(world: World) -> None:
    token = (await world.client_credentials()).access_token

    assert _asks_to_come_again(await meddled(world, "remember", unavailable).revoke(token))


@pytest.mark.rt("RT-64")
@pytest.mark.spec("RFC 7662", "2.3")
@pytest.mark.parametrize("verb", ["client", "grant"])
async def test_introspection_and_userinfo_say_nothing_without_a_store(world: World, verb: str) -> None:
    token = (await world.sign_in()).access_token

    assert _asks_to_come_again(await meddled(world, verb, unavailable).userinfo(token))
    assert _asks_to_come_again(
        await meddled(world, verb, unavailable, call=1 if verb == "grant" else 2).introspect(token)
    )


@pytest.mark.rt("RT-64")
@pytest.mark.spec("RFC 6749", "5.2")
async def test_a_client_is_not_called_unknown_without_a_store(world: World) -> None:
    answer = await meddled(world, "client", unavailable, call=2).client_credentials()

    assert _asks_to_come_again(answer)


@pytest.mark.rt("RT-64")
@pytest.mark.spec("RFC 6749", "4.1.2.1")
async def test_an_authorization_without_a_store_is_the_applications_to_tell(world: World) -> None:
    request = await world.ask()

    with pytest.raises(StoreUnavailable):
        await meddled(world, "client", unavailable, call=2).ask()
    with pytest.raises(StoreUnavailable):
        await meddled(world, "create_grant", unavailable).finish(request, world.authentication())


def _without_keys(world: World) -> World:
    empty = KeySet(signing=MappingProxyType({}), published=signing_keys().published)
    return replace(world, server=replace(world.server, keys=lambda: empty))


@pytest.mark.rt("RT-37")
@pytest.mark.spec("RFC 6749", "6")
async def test_a_refresh_that_cannot_sign_spends_nothing(world: World) -> None:
    token = await world.refresh_token()
    before = await world.grant(token)

    answer = await _without_keys(world).refresh(token)

    assert (answer.status, answer.error) == (503, "temporarily_unavailable")
    assert await world.grant(token) == before


@pytest.mark.rt("RT-37")
@pytest.mark.spec("RFC 6749", "6")
async def test_a_refresh_whose_id_token_cannot_be_signed_spends_nothing(world: World) -> None:
    token = await world.refresh_token("opaque")
    before = await world.grant(token)

    answer = await _without_keys(world).refresh(token, client="opaque")

    assert (answer.status, answer.error) == (503, "temporarily_unavailable")
    assert await world.grant(token) == before


@pytest.mark.spec("RFC 6749", "4.1.3")
async def test_a_code_is_not_spent_by_tokens_that_cannot_be_signed(world: World) -> None:
    code = await world.authorize()

    assert (await _without_keys(world).redeem(code)).status == 503

    assert (await world.redeem(code)).status == 200


@pytest.mark.rt("RT-37")
@pytest.mark.spec("RFC 6749", "6")
async def test_nothing_follows_the_spend(world: World) -> None:
    token = await world.refresh_token()
    watched = meddled(world, "", unavailable)

    await watched.refresh(token)

    assert calls_of(watched)[-1] == "spend"
    assert calls_of(watched).count("grant") == 1


@pytest.mark.rt("RT-71")
@pytest.mark.spec("RFC 9700", "4.14")
async def test_a_forged_token_is_refused_before_anything_is_looked_up(world: World) -> None:
    token = await world.refresh_token()
    watched = meddled(world, "", unavailable)

    for place in range(4, len(token)):
        forged = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert (await watched.refresh(forged)).error == "invalid_grant"

    assert set(calls_of(watched)) == {"client"}
    assert (await world.refresh(token)).status == 200
