"""RFC 6749 §4.4, client credentials."""

from __future__ import annotations

import pytest

from everbearer.oauth.client import AccessTokenFormat
from everbearer.oauth.models import EndReason, Everything
from world import World, claims_of


@pytest.mark.spec("RFC 6749", "4.4.3")
async def test_a_client_gets_an_access_token_and_nothing_else(world: World) -> None:
    answer = await world.client_credentials()

    assert answer.status == 200
    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.spec("RFC 6749", "4.4.2")
@pytest.mark.parametrize(
    ("scope", "answered"), [(None, "read write"), ("write", "write"), ("read+write", "read write")]
)
async def test_a_scope_narrows_what_the_client_may_have(world: World, scope: str | None, answered: str) -> None:
    assert (await world.client_credentials(scope=scope)).json["scope"] == answered


@pytest.mark.spec("RFC 6749", "4.4.2")
@pytest.mark.parametrize("scope", ["admin", "openid", "offline_access", "read openid", "read+offline_access"])
async def test_more_than_its_own_is_an_invalid_scope(world: World, scope: str) -> None:
    answer = await world.client_credentials(scope=scope)

    assert (answer.status, answer.error) == (400, "invalid_scope")


@pytest.mark.spec("RFC 6749", "4.4.2")
async def test_what_only_a_user_can_give_is_left_out_where_no_scope_is_asked_for(world: World) -> None:
    await world.change_client("machine", scope=("openid", "read", "offline_access"))

    assert (await world.client_credentials()).json["scope"] == "read"


@pytest.mark.spec("RFC 6749", "5.1")
async def test_a_scope_of_nothing_is_left_out_of_the_answer(world: World) -> None:
    answer = await world.client_credentials("api")

    assert answer.json.keys() == {"access_token", "token_type", "expires_in"}


@pytest.mark.spec("RFC 6749", "4.4")
async def test_a_public_client_is_refused(world: World) -> None:
    await world.change_client("spa", grant_types=("client_credentials",))

    answer = await world.client_credentials("spa")

    assert (answer.status, answer.error) == (400, "unauthorized_client")


@pytest.mark.spec("RFC 9068", "2.2")
async def test_the_token_is_about_the_client_itself(world: World) -> None:
    claims = claims_of((await world.client_credentials()).access_token)

    assert (claims["sub"], claims["client_id"]) == ("machine", "machine")
    assert "auth_time" not in claims


@pytest.mark.spec("RFC 7662", "2.2")
@pytest.mark.parametrize("kind", AccessTokenFormat)
async def test_the_token_is_active_until_it_expires(world: World, kind: AccessTokenFormat) -> None:
    await world.change_client("machine", access_token_format=kind)
    token = (await world.client_credentials()).access_token
    world.clock.advance(1799)

    assert await world.active(token)
    world.clock.advance(1)
    assert not await world.active(token)


@pytest.mark.spec("RFC 7009", "2.1")
@pytest.mark.parametrize("kind", AccessTokenFormat)
async def test_the_token_can_be_revoked_alone(world: World, kind: AccessTokenFormat) -> None:
    await world.change_client("machine", access_token_format=kind)
    tokens = [(await world.client_credentials()).access_token for _ in range(2)]

    answers = [await world.revoke(tokens[0], client="machine") for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert [await world.active(token) for token in tokens] == [False, True]


@pytest.mark.spec("RFC 7009", "2.1")
async def test_another_client_cannot_revoke_it(world: World) -> None:
    token = (await world.client_credentials()).access_token

    answer = await world.revoke(token, client="spa")

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert await world.active(token)


@pytest.mark.rt("RT-56")
@pytest.mark.spec("RFC 7662", "2.2")
@pytest.mark.parametrize("end", ["all ended", "disabled", "deleted"])
async def test_the_token_dies_with_the_clients_leave(world: World, end: str) -> None:
    token = (await world.client_credentials()).access_token

    if end == "all ended":
        await world.end_all(Everything.CLIENT, "machine", EndReason.REVOKED_BY_ADMIN)
    elif end == "disabled":
        await world.change_client("machine", disabled_at=world.clock.now)
    else:
        await world.delete_client("machine")

    assert not await world.active(token)
    assert (await world.userinfo(token)).status == 401


@pytest.mark.spec("OpenID Connect Core", "5.3")
async def test_userinfo_knows_no_user_of_it(world: World) -> None:
    answer = await world.userinfo((await world.client_credentials()).access_token)

    assert (answer.status, answer.error) == (401, "invalid_token")
