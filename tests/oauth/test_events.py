"""What listeners are told of: all that happens to grants, without any secret."""

from __future__ import annotations

from dataclasses import replace

import pytest

from browser_tokens import let_have_tokens, members_of
from everbearer.oauth.authorization.endpoint import AuthorizationRefused, refuse_authorization
from everbearer.oauth.errors import AccessDenied
from everbearer.oauth.events import EVERY_KIND, EventKind
from everbearer.oauth.models import MINUTE, WEEK
from world import ADA, ANY_STORE, World

pytestmark = ANY_STORE


async def test_a_granted_authorization_is_told(world: World) -> None:
    grant_id = (await world.grant(await world.authorize())).grant_id

    (told,) = world.heard
    assert (told.kind, told.grant_id, told.subject) == (EventKind.GRANT_CREATED, grant_id, ADA)
    assert told == (await world.store.events(grant_id=grant_id))[-1]


async def test_a_denied_authorization_is_told_with_its_error(world: World) -> None:
    refuse_authorization(await world.ask(), AccessDenied("the user denied the request", reason="denied"), world.server)

    (told,) = world.heard
    assert (told.kind, told.client_id) == (EventKind.AUTHORIZATION_REFUSED, "spa")
    assert told.details == {"error": "access_denied", "reason": "denied"}


@pytest.mark.parametrize(
    ("changes", "client_id", "error"),
    [
        ({"client_id": "nobody"}, "", "invalid_request"),
        ({"redirect_uri": "https://evil.example/"}, "spa", "invalid_request"),
        ({"request": "e30.e30.e30"}, "spa", "request_not_supported"),
        ({"scope": "unheard_of"}, "spa", "invalid_scope"),
    ],
)
async def test_a_request_that_cannot_be_granted_is_told(
    world: World, changes: dict[str, str], client_id: str, error: str
) -> None:
    with pytest.raises(AuthorizationRefused):
        await world.validate({**await world.authorization_form("spa", scope="openid"), **changes})

    (told,) = world.heard_of(EventKind.AUTHORIZATION_REFUSED)
    assert (told.client_id, dict(told.details)) == (client_id, {"error": error})


async def test_tokens_for_a_code_are_told_as_issued(world: World) -> None:
    code = await world.authorize()
    grant_id = (await world.grant(code)).grant_id
    await world.redeem(code)

    (told,) = world.heard_of(EventKind.TOKEN_ISSUED)
    assert (told.grant_id, told.client_id, told.subject) == (grant_id, "spa", ADA)
    assert told.details == {"grant_type": "authorization_code", "scope": "openid offline_access"}


async def test_tokens_by_the_browser_are_told_as_issued(world: World) -> None:
    await let_have_tokens(world)
    members = await members_of(world, "id_token token")
    await members_of(world, "code id_token")

    (told,) = world.heard_of(EventKind.TOKEN_ISSUED)
    assert (told.client_id, told.subject) == ("web", ADA)
    assert told.details == {"grant_type": "implicit", "scope": members["scope"]}


async def test_tokens_of_a_client_itself_are_told_as_issued(world: World) -> None:
    await world.client_credentials()

    (told,) = world.heard
    assert (told.kind, told.client_id, told.subject) == (EventKind.TOKEN_ISSUED, "machine", "")


async def test_a_refresh_is_told_once(world: World) -> None:
    token = await world.refresh_token()
    world.heard.clear()
    await world.refresh(token)

    assert [event.kind for event in world.heard] == [EventKind.TOKEN_REFRESHED]


async def test_reuse_is_told_as_the_end_of_its_grant(world: World) -> None:
    token = await world.refresh_token()
    await world.refresh((await world.refresh(token)).refresh_token)
    world.heard.clear()
    await world.refresh(token)

    assert [(event.kind, event.details["reason"]) for event in world.heard] == [
        (EventKind.GRANT_ENDED, "reused"),
        (EventKind.INVALID_GRANT, "reused"),
    ]


async def test_a_grant_ends_once_for_who_listens(world: World) -> None:
    token = await world.refresh_token()
    await world.revoke(token)
    await world.revoke(token)

    (told,) = world.heard_of(EventKind.GRANT_ENDED)
    assert (told.client_id, told.subject, told.details["reason"]) == ("spa", ADA, "revoked_by_client")


async def test_an_access_token_given_up_is_told_as_the_end_of_its_grant(world: World) -> None:
    await world.revoke((await world.redeem(await world.authorize())).access_token)

    assert [event.details["reason"] for event in world.heard_of(EventKind.GRANT_ENDED)] == ["revoked_by_client"]


async def test_a_replayed_code_is_told_as_the_end_of_its_grant(world: World) -> None:
    code = await world.authorize()
    await world.redeem(code)
    await world.redeem(code)

    assert [event.details["reason"] for event in world.heard_of(EventKind.GRANT_ENDED)] == ["code_replayed"]


@pytest.mark.parametrize(("later", "told"), [(0, []), (20 * MINUTE, ["expired_absolute"])])
async def test_an_expiry_is_told_as_a_refusal_and_as_an_end_once_it_is_settled(
    world: World, later: int, told: list[str]
) -> None:
    await world.lifetimes(refresh_token_idle=None)
    token = await world.refresh_token()
    world.clock.advance(52 * WEEK + later)
    await world.refresh(token)

    (refused,) = world.heard_of(EventKind.INVALID_GRANT)
    assert refused.details["reason"] == "expired_absolute"
    assert [event.details["reason"] for event in world.heard_of(EventKind.GRANT_ENDED)] == told


async def test_who_listens_hears_what_he_wants_to_hear(world: World) -> None:
    world = replace(world, server=replace(world.server, hears=EVERY_KIND - {EventKind.TOKEN_ISSUED}))
    await world.redeem(await world.authorize())

    assert [event.kind for event in world.heard] == [EventKind.GRANT_CREATED]


async def test_who_wants_to_hear_nothing_is_told_nothing(world: World) -> None:
    world = replace(world, server=replace(world.server, hears=()))
    token = await world.refresh_token()
    await world.refresh(await world.refresh_token())
    await world.revoke(token)
    await world.refresh(token)
    await world.client_credentials("wrong secret")

    assert world.heard == []
