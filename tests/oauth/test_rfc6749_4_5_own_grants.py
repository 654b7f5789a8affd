"""RFC 6749 §4.5, a grant of one's own: one function, and everything that other grants have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import everbearer as eb
from everbearer.oauth.endpoints.metadata import metadata
from everbearer.oauth.models import EndReason, Everything, Happening
from meddled_store import meddled, unavailable
from world import ADA, ANY_STORE, Answer, World, claims_of

KIOSK = "https://example.com/grants/kiosk"
BADGES = {"blue": ADA}


async def kiosk_grant(request: eb.TokenRequest, server: eb.AuthorizationServer) -> eb.TokenResponse:
    scope = eb.requested_scope(request, server)
    user = BADGES.get(request.parameters.require("badge"))
    if user is None:
        raise eb.InvalidGrant("this badge opens nothing", reason="badge")
    signed_in = eb.Authentication(subject=user, auth_time=server.now(), amr=("hwk",))
    return await eb.grant_tokens(request, signed_in, scope, server)


@pytest.fixture
async def world(world: World) -> World:
    world.server = replace(world.server, grants={**eb.GRANTS, KIOSK: kiosk_grant})
    await world.change_client("web", grant_types=(KIOSK, "refresh_token"))
    return world


async def bring(world: World, *, client: str = "web", **changes: Any) -> Answer:
    form = {"grant_type": KIOSK, "badge": "blue", "scope": "openid offline_access read"}
    return await world.token({**form, **await world.identity(client), **changes})


@pytest.mark.spec("RFC 6749", "4.5", "8.3")
async def test_its_tokens_are_like_all_others(world: World) -> None:
    answer = await bring(world)
    refreshed = await world.refresh(answer.refresh_token, client="web")

    assert {"access_token", "refresh_token", "id_token", "expires_in", "scope"} <= answer.json.keys()
    assert claims_of(answer.json["id_token"])["amr"] == ["hwk"]
    assert refreshed.status == 200
    assert (await world.userinfo(refreshed.access_token)).json["sub"] == ADA


async def test_without_offline_access_there_is_no_refresh_token(world: World) -> None:
    assert "refresh_token" not in (await bring(world, scope="read")).json


async def test_what_it_gave_ends_as_everything_does(world: World) -> None:
    token = (await bring(world)).refresh_token
    await world.end_all(Everything.USER, ADA, EndReason.USER_DISABLED)

    assert (await world.refresh(token, client="web")).json["error_uri"].endswith("/user_disabled")


async def test_the_grant_knows_what_happened_to_it(world: World) -> None:
    grant = await world.grant((await bring(world)).refresh_token)
    (event, *_) = await world.store.events(grant_id=grant.grant_id)

    assert [(entry.happening, entry.generation) for entry in grant.history] == [(Happening.ISSUED, 1)]
    assert (event.actor, event.details["grant_type"]) == ("client:web", KIOSK)


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"badge": "red"}, "invalid_grant"),
        ({"badge": None}, "invalid_request"),
        ({"scope": "admin"}, "invalid_scope"),
        ({"client_secret": "wrong"}, "invalid_client"),
    ],
)
@ANY_STORE
async def test_what_is_wrong_is_told_as_everywhere(world: World, changes: dict[str, Any], error: str) -> None:
    assert (await bring(world, **changes)).error == error


@ANY_STORE
async def test_a_client_that_does_not_name_it_may_not_use_it(world: World) -> None:
    assert (await bring(world, client="rotating")).error == "unauthorized_client"


@pytest.mark.spec("RFC 8414", "2")
@ANY_STORE
async def test_the_metadata_lists_it(world: World) -> None:
    assert KIOSK in metadata(world.server)["grant_types_supported"]  # type: ignore[operator]


@ANY_STORE
async def test_a_client_of_nothing_else_has_no_problems(world: World) -> None:
    client = replace(await world.client("web"), redirect_uris=())

    assert eb.client_problems(client) == ()


async def test_a_store_in_trouble_is_no_answer(world: World) -> None:
    assert (await bring(meddled(world, "create_grant", unavailable))).status == 503
