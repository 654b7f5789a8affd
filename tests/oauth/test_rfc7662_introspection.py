"""RFC 7662, introspection."""

from __future__ import annotations

import pytest

from everbearer.oauth.models import DAY, EndReason
from world import ISSUER, NOW, SECRET, World, basic


@pytest.mark.spec("RFC 7662", "2.2")
@pytest.mark.spec("RFC 9470", "6.2")
@pytest.mark.parametrize("client", ["spa", "opaque", "web"])
async def test_an_access_token_is_described(world: World, client: str) -> None:
    token = (await world.sign_in(client, scope="openid read")).access_token

    answer = await world.introspect(token)

    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    jti = answer.json["jti"]
    assert answer.json == {
        "active": True,
        "scope": "openid read",
        "client_id": client,
        "token_type": "Bearer",
        "exp": NOW + 1800,
        "iat": NOW,
        "sub": "ada",
        "aud": ISSUER,
        "iss": ISSUER,
        "jti": jti,
        "auth_time": NOW,
        "amr": ["pwd"],
    }


@pytest.mark.spec("RFC 7662", "2.2")
@pytest.mark.parametrize("client", ["spa", "web"])
async def test_a_refresh_token_is_described(world: World, client: str) -> None:
    token = await world.refresh_token(client)

    answer = await world.introspect(token)

    assert answer.json == {
        "active": True,
        "scope": "openid offline_access",
        "client_id": client,
        "exp": NOW + 30 * DAY,
        "iat": NOW,
        "sub": "ada",
        "iss": ISSUER,
    }


@pytest.mark.spec("RFC 7662", "2.2")
async def test_a_spent_refresh_token_is_inactive(world: World) -> None:
    token = await world.refresh_token()
    successor = (await world.refresh(token)).refresh_token

    assert (await world.introspect(token)).json == {"active": False}
    assert await world.active(successor)


@pytest.mark.spec("RFC 7662", "2.2")
async def test_looking_at_a_refresh_token_spends_nothing(world: World) -> None:
    token = await world.refresh_token()
    before = await world.grant(token)

    await world.introspect(token)

    assert await world.grant(token) == before


@pytest.mark.spec("RFC 7662", "2.2")
async def test_a_dead_token_is_inactive_and_nothing_more_is_said(world: World) -> None:
    answer = await world.sign_in()
    await world.revoke(answer.refresh_token)

    assert (await world.introspect(answer.access_token)).json == {"active": False}
    assert (await world.introspect(answer.refresh_token)).json == {"active": False}


@pytest.mark.spec("RFC 7662", "2.2")
async def test_an_expired_refresh_token_is_inactive(world: World) -> None:
    token = await world.refresh_token()
    world.clock.advance(30 * DAY)

    assert (await world.introspect(token)).json == {"active": False}


@pytest.mark.rt("RT-56")
@pytest.mark.spec("RFC 7662", "2.2")
@pytest.mark.parametrize("end", ["disabled", "deleted"])
async def test_a_client_that_is_gone_leaves_no_active_tokens(world: World, end: str) -> None:
    answer = await world.sign_in()
    await (world.delete_client("spa") if end == "deleted" else world.change_client("spa", disabled_at=NOW))

    assert (await world.introspect(answer.access_token)).json == {"active": False}
    assert (await world.introspect(answer.refresh_token)).json == {"active": False}


@pytest.mark.spec("RFC 7662", "2.1")
@pytest.mark.parametrize("client", [None, "spa", "api"])
async def test_who_does_not_authenticate_learns_nothing(world: World, client: str | None) -> None:
    token = await world.refresh_token()

    answer = await world.introspect(token, client_id=client, client_secret=None)

    assert (answer.status, answer.error) == (401, "invalid_client")


@pytest.mark.spec("RFC 7662", "2.2", "4")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_a_client_sees_its_own_tokens_and_no_others(world: World, kind: str) -> None:
    own = (await world.sign_in("web")).json[kind]
    others = (await world.sign_in("spa")).json[kind]

    assert (await world.introspect(own, client="web")).json["active"]
    assert (await world.introspect(others, client="web")).json == {"active": False}


@pytest.mark.spec("RFC 7662", "2.2")
async def test_a_resource_server_sees_access_tokens_that_are_meant_for_it(world: World) -> None:
    await world.change_client("spa", audience="web")
    answer = await world.sign_in("spa")

    assert (await world.introspect(answer.access_token, client="web")).json["aud"] == "web"
    assert (await world.introspect(answer.refresh_token, client="web")).json == {"active": False}


@pytest.mark.spec("RFC 7662", "2.1")
async def test_a_token_is_required(world: World) -> None:
    answer = await world.introspect("")

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 7662", "2.1")
async def test_basic_authenticates_here_too(world: World) -> None:
    token = await world.refresh_token()

    answer = await world.introspect(token, client_id=None, client_secret=None, headers=basic("api", SECRET))

    assert answer.json["active"]


@pytest.mark.spec("RFC 7662", "2.2")
async def test_the_token_of_a_grant_that_is_lost_is_inactive(world: World) -> None:
    answer = await world.sign_in()
    await world.end_of_time()

    assert not await world.active(answer.access_token)


@pytest.mark.rt("RT-52")
@pytest.mark.spec("RFC 7662", "2.2")
async def test_a_sign_out_is_seen_at_once(world: World) -> None:
    answer = await world.sign_in(scope="openid")
    await world.sign_out("browser")

    assert not await world.active(answer.access_token)
    assert EndReason.SIGNED_OUT in {event.details.get("reason") for event in await world.store.events()}
