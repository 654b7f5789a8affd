"""RFC 7009, revocation. Any token of a grant, old or new, ends the grant and all that hangs on it."""

from __future__ import annotations

from typing import Any

import pytest

from everbearer.oauth.models import EndReason
from world import SECRET, World, basic


@pytest.mark.rt("RT-50")
@pytest.mark.spec("RFC 7009", "2.1")
@pytest.mark.parametrize("client", ["spa", "opaque", "web", "rotating"])
async def test_a_revoked_refresh_token_takes_its_access_tokens_along(world: World, client: str) -> None:
    answer = await world.sign_in(client)

    revoked = await world.revoke(answer.refresh_token, client=client)

    assert revoked.status == 200
    assert (await world.refresh(answer.refresh_token, client=client)).error == "invalid_grant"
    assert not await world.active(answer.access_token)
    assert await world.end_reason(answer.refresh_token) is EndReason.REVOKED_BY_CLIENT


@pytest.mark.rt("RT-51")
@pytest.mark.spec("RFC 7009", "2.1")
@pytest.mark.parametrize("client", ["spa", "opaque", "web"])
async def test_a_revoked_access_token_takes_its_whole_grant_along(world: World, client: str) -> None:
    answer = await world.sign_in(client)

    await world.revoke(answer.access_token, client=client)

    assert not await world.active(answer.access_token)
    assert (await world.refresh(answer.refresh_token, client=client)).error == "invalid_grant"


@pytest.mark.rt("RT-50")
@pytest.mark.spec("RFC 7009", "2.1")
async def test_a_token_alone_is_enough_for_it_harms_nobody_but_a_thief(world: World) -> None:
    for client in ("spa", "web"):
        token = await world.refresh_token(client)

        answer = await world.revoke(token)

        assert (answer.status, answer.body) == (200, b"")
        assert (await world.refresh(token, client=client)).error == "invalid_grant"


@pytest.mark.rt("RT-50")
@pytest.mark.spec("RFC 7009", "2.1")
async def test_a_token_that_was_rotated_away_ends_its_grant(world: World) -> None:
    first = await world.refresh_token()
    second = (await world.refresh(first)).refresh_token
    third = (await world.refresh(second)).refresh_token

    answer = await world.revoke(first)

    assert answer.status == 200
    assert (await world.refresh(third)).error == "invalid_grant"


@pytest.mark.spec("RFC 7009", "2.2")
async def test_a_token_revoked_twice_keeps_its_first_reason(world: World) -> None:
    token = await world.refresh_token()
    await world.revoke(token)
    world.clock.advance(10)

    answer = await world.revoke(token)

    assert answer.status == 200
    ended = (await world.grant(token)).ended
    assert ended is not None
    assert (ended.actor, ended.at) == ("client:spa", world.clock.now - 10)


@pytest.mark.spec("RFC 7009", "2.2")
@pytest.mark.parametrize("client", [None, "spa", "web"])
async def test_an_unknown_token_is_answered_like_any_other(world: World, client: str | None) -> None:
    answer = await world.revoke("unknown", client=client)

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.rt("RT-27")
@pytest.mark.spec("RFC 7009", "2.1")
@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
async def test_another_client_cannot_revoke_a_token(world: World, kind: str) -> None:
    answer = await world.sign_in()

    refused = await world.revoke(answer.json[kind], client="partner")

    assert (refused.status, refused.error) == (400, "invalid_grant")
    assert (await world.refresh(answer.refresh_token)).status == 200


@pytest.mark.spec("RFC 7009", "2.1", "2.2.1")
async def test_who_says_who_it_is_must_prove_it(world: World) -> None:
    token = await world.refresh_token("web")

    in_body = await world.revoke(token, client="web", client_secret="wrong")
    by_basic = await world.revoke(token, headers=basic("web", "wrong"))

    assert [in_body.error, by_basic.error] == ["invalid_client"] * 2
    assert (await world.refresh(token, client="web")).status == 200
    assert (await world.revoke(token, headers=basic("web", SECRET))).status == 200


@pytest.mark.spec("RFC 7009", "2.1")
async def test_a_token_is_required(world: World) -> None:
    answer = await world.revoke("")

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 7009", "2.1")
@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "unheard_of"])
async def test_a_hint_may_be_wrong(world: World, hint: str) -> None:
    token = await world.refresh_token()
    extra: dict[str, Any] = {"token_type_hint": hint}

    await world.revoke(token, **extra)

    assert (await world.refresh(token)).error == "invalid_grant"


@pytest.mark.spec("RFC 7009", "2.1")
async def test_a_grant_of_a_lost_database_is_revoked_without_a_word(world: World) -> None:
    token = await world.refresh_token()
    await world.end_of_time()

    assert (await world.revoke(token)).status == 200
    assert (await world.refresh(token)).error == "invalid_grant"
    assert (await world.introspect(token)).json == {"active": False}


@pytest.mark.spec("RFC 7009", "2.1")
async def test_other_grants_of_the_same_user_and_client_live(world: World) -> None:
    one, other = await world.refresh_token(), await world.refresh_token()

    await world.revoke(one)

    assert (await world.refresh(other)).status == 200


@pytest.mark.spec("RFC 7009", "2.1")
async def test_a_code_is_no_token_to_revoke(world: World) -> None:
    code = await world.authorize()

    assert (await world.revoke(code)).status == 200
    assert (await world.redeem(code)).status == 200


@pytest.mark.spec("RFC 7009", "2.2")
async def test_an_expired_access_token_from_an_old_log_signs_nobody_out(world: World) -> None:
    tokens = await world.sign_in()
    world.clock.advance(1801)

    assert (await world.revoke(tokens.access_token)).status == 200
    assert (await world.refresh(tokens.refresh_token)).status == 200
