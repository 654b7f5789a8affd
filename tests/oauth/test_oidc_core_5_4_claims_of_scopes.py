"""OpenID Connect Core §5.4: the claims that a scope gives, to all clients and to one, and where it finds them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from everbearer.oauth.authorization_server import CLAIMS_OF_SCOPE
from everbearer.oauth.endpoints.metadata import metadata
from world import ANY_STORE, World, claims_of

pytestmark = ANY_STORE

EMPLOYEE = {"employee": ("department", "staff_number")}


def _with_claims(world: World, **claims: tuple[str, ...]) -> World:
    """Return the world as a server sees it whose operator has scopes and claims of their own; Ada works there."""
    world.people["ada"] = {**(world.people["ada"] or {}), "department": "Engines", "staff_number": 42}
    server = replace(
        world.server,
        scopes={**world.server.scopes, "employee": "See your department"},
        claims_of_scope={**CLAIMS_OF_SCOPE, **EMPLOYEE, **claims},
    )
    return replace(world, server=server)


async def _allow(world: World, client: str = "partner", *, scope: str = "", **changes: Any) -> None:
    known = await world.client(client)
    await world.change_client(client, scope=(*known.scope, *scope.split()), **changes)


async def _userinfo(world: World, scope: str, client: str = "partner", **changes: str) -> Any:
    return (await world.userinfo((await world.sign_in(client, scope=scope, **changes)).access_token)).json


async def _id_token(world: World, scope: str, client: str = "partner", **changes: str) -> Any:
    return claims_of((await world.sign_in(client, scope=scope, **changes)).json["id_token"])


# Scopes of the operator's own


@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_a_scope_of_the_operators_own_gives_its_claims(world: World) -> None:
    world = _with_claims(world)
    await _allow(world, scope="employee")

    assert await _userinfo(world, "openid employee") == {"sub": "ada", "department": "Engines", "staff_number": 42}


@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_who_did_not_ask_for_the_scope_sees_none_of_its_claims(world: World) -> None:
    world = _with_claims(world)
    await _allow(world, scope="employee")

    assert await _userinfo(world, "openid email") == {"sub": "ada", "email": "ada@example.com", "email_verified": True}


@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_a_standard_scope_may_be_made_to_give_other_claims(world: World) -> None:
    world = _with_claims(world, profile=("name", "department"))

    assert await _userinfo(world, "openid profile") == {"sub": "ada", "name": "Ada Lovelace", "department": "Engines"}


@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_a_client_that_lost_a_scope_no_longer_sees_its_claims(world: World) -> None:
    token = (await world.sign_in("partner", scope="openid email")).access_token
    await world.change_client("partner", scope=("openid",))

    assert (await world.userinfo(token)).json == {"sub": "ada"}


@pytest.mark.spec("OpenID Connect Core", "5.5")
async def test_a_claim_of_such_a_scope_can_be_asked_for_by_name_and_is_consented_to_as_the_scope(world: World) -> None:
    world = _with_claims(world)
    await _allow(world, scope="employee")
    claims = json.dumps({"userinfo": {"department": None}})

    assert (await world.ask("partner", scope="openid", claims=claims)).consent_scope == ("openid", "employee")
    assert await _userinfo(world, "openid", claims=claims) == {"sub": "ada", "department": "Engines"}


@pytest.mark.spec("OpenID Connect Core", "5.5")
async def test_a_client_without_the_scope_asks_for_its_claims_in_vain(world: World) -> None:
    claims = json.dumps({"userinfo": {"department": None}, "id_token": {"department": None}})

    assert await _userinfo(_with_claims(world), "openid", claims=claims) == {"sub": "ada"}


@pytest.mark.spec("OpenID Connect Discovery", "3")
async def test_its_claims_are_announced_each_once(world: World) -> None:
    document: Any = metadata(_with_claims(world, profile=("name", "department")).server)

    assert {"department", "staff_number", "name", "email"} <= set(document["claims_supported"])
    assert len(document["claims_supported"]) == len(set(document["claims_supported"]))


# A client of its own mind


@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_a_client_may_be_given_less_by_a_scope_than_others(world: World) -> None:
    await _allow(world, claims={"email": ("email",)})

    assert await _userinfo(world, "openid email profile") == {
        "sub": "ada",
        "email": "ada@example.com",
        "name": "Ada Lovelace",
    }
    assert "email_verified" in await _userinfo(world, "openid email", "native")


@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_a_client_may_be_given_more_by_a_scope_than_others(world: World) -> None:
    world = _with_claims(world)
    await _allow(world, claims={"openid": ("staff_number",)})

    assert await _userinfo(world, "openid") == {"sub": "ada", "staff_number": 42}
    assert await _userinfo(world, "openid", "native") == {"sub": "ada"}


@pytest.mark.spec("OpenID Connect Core", "5.5")
async def test_what_a_client_is_not_given_it_does_not_get_by_name_either(world: World) -> None:
    await _allow(world, claims={"email": ()})
    claims = json.dumps({"userinfo": {"email": None}, "id_token": {"email": None}})

    assert await _userinfo(world, "openid email", claims=claims) == {"sub": "ada"}
    assert "email" not in await _id_token(world, "openid email", claims=claims)


# In the ID token


@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_claims_that_a_client_has_in_its_id_tokens_stand_there_and_at_userinfo(world: World) -> None:
    await _allow(world, id_token_claims=("email",))
    tokens = await world.sign_in("partner", scope="openid email")

    id_token = claims_of(tokens.json["id_token"])
    assert id_token["email"] == "ada@example.com"
    assert "email_verified" not in id_token
    assert (await world.userinfo(tokens.access_token)).json["email"] == "ada@example.com"


@pytest.mark.spec("OpenID Connect Core", "12.2")
async def test_they_stand_in_the_id_token_of_a_refresh_too_while_its_scope_gives_them(world: World) -> None:
    await _allow(world, id_token_claims=("email",))
    token = await world.refresh_token("partner", scope="openid email offline_access")
    whole = await world.refresh(token, client="partner")

    narrowed = await world.refresh(whole.refresh_token, client="partner", scope="openid")

    assert claims_of(whole.json["id_token"])["email"] == "ada@example.com"
    assert "email" not in claims_of(narrowed.json["id_token"])


@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_a_scope_that_was_not_granted_puts_nothing_into_the_id_token(world: World) -> None:
    await _allow(world, id_token_claims=("email",))

    assert "email" not in await _id_token(world, "openid profile")


@pytest.mark.spec("OpenID Connect Core", "5.5.1")
async def test_a_value_that_is_asked_for_takes_nothing_away_from_what_a_client_always_has(world: World) -> None:
    await _allow(world, id_token_claims=("email",))
    claims = json.dumps({"id_token": {"email": {"value": "eve@example.com"}, "name": None}})

    id_token = await _id_token(world, "openid email", claims=claims)

    assert (id_token["email"], id_token["name"]) == ("ada@example.com", "Ada Lovelace")


@pytest.mark.spec("OpenID Connect Core", "2")
async def test_an_operators_own_client_may_have_any_claim_in_its_id_tokens_but_the_protocols(world: World) -> None:
    world.people["ada"] = {"plan": "gold", "nonce": "of the user"}
    await _allow(world, "spa", id_token_claims=("plan", "nonce", "absent"))

    id_token = await _id_token(world, "openid", "spa")

    assert id_token["plan"] == "gold"
    assert not id_token.keys() & {"nonce", "absent"}


@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_a_user_who_is_gone_has_no_claims_there(world: World) -> None:
    await _allow(world, id_token_claims=("email",))
    world.people["ada"] = None

    assert "email" not in await _id_token(world, "openid email")
