"""OpenID Connect Core §5: claims that a request asks for by name, and in which languages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from everbearer.oauth.users.claims import LONGEST_CLAIMS_PARAMETER
from world import ACR, ANY_STORE, World, claims_of

pytestmark = ANY_STORE

EMAIL = {"email": None}


def _claims(**places: object) -> str:
    return json.dumps(places)


async def _userinfo(world: World, client: str = "partner", *, scope: str = "openid", **changes: str) -> Any:
    tokens = await world.sign_in(client, scope=scope, **changes)
    return (await world.userinfo(tokens.access_token)).json


async def _id_token(world: World, client: str = "partner", *, scope: str = "openid", **changes: str) -> Any:
    return claims_of((await world.sign_in(client, scope=scope, **changes)).json["id_token"])


@pytest.mark.spec("OpenID Connect Core", "5.5")
async def test_a_claim_asked_for_at_userinfo_is_shown_there_alone(world: World) -> None:
    tokens = await world.sign_in("partner", scope="openid", claims=_claims(userinfo={"email": {"essential": True}}))

    assert (await world.userinfo(tokens.access_token)).json == {"sub": "ada", "email": "ada@example.com"}
    assert "email" not in claims_of(tokens.json["id_token"])


@pytest.mark.spec("OpenID Connect Core", "5.5")
async def test_a_claim_asked_for_in_the_id_token_stands_there_alone(world: World) -> None:
    tokens = await world.sign_in("partner", scope="openid", claims=_claims(id_token={"name": None}))

    assert claims_of(tokens.json["id_token"])["name"] == "Ada Lovelace"
    assert (await world.userinfo(tokens.access_token)).json == {"sub": "ada"}


@pytest.mark.spec("OpenID Connect Core", "5.5", "12.2")
async def test_what_was_asked_for_by_name_is_given_after_a_refresh_too(world: World) -> None:
    tokens = await world.sign_in("partner", claims=_claims(userinfo=EMAIL, id_token={"name": None}))
    refreshed = await world.refresh(tokens.refresh_token, client="partner")

    assert claims_of(refreshed.json["id_token"])["name"] == "Ada Lovelace"
    assert (await world.userinfo(refreshed.access_token)).json["email"] == "ada@example.com"


@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_an_access_token_keeps_the_claims_of_a_scope_out_of_the_id_token(world: World) -> None:
    assert await _id_token(world, scope="openid profile email") == await _id_token(world) | {"iat": world.clock.now}


@pytest.mark.spec("OpenID Connect Core", "5.5.1")
@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (None, True),
        ({}, True),
        ({"essential": False}, True),
        ({"value": "ada@example.com"}, True),
        ({"values": ["eve@example.com", "ada@example.com"]}, True),
        ({"values": []}, True),
        ({"unheard_of": [1]}, True),
        ({"value": "eve@example.com"}, False),
        ({"essential": True, "values": ["eve@example.com", 7, None, {"a": []}]}, False),
    ],
    ids=str,
)
async def test_a_claim_is_shown_with_a_value_that_will_do_or_left_out(world: World, asked: object, shown: bool) -> None:
    assert ("email" in await _userinfo(world, claims=_claims(userinfo={"email": asked}))) is shown


@pytest.mark.spec("OpenID Connect Core", "5.5.1")
async def test_a_scope_shows_a_claim_whatever_value_is_asked_for(world: World) -> None:
    shown = await _userinfo(world, scope="openid email", claims=_claims(userinfo={"email": {"value": "no"}}))

    assert shown["email"] == "ada@example.com"


@pytest.mark.spec("OpenID Connect Core", "5.5.1")
@pytest.mark.parametrize(
    "name", ["birthdate", "nickname", "phone_number", "https://example.com/claims/plan", "nonsense", "\ud800", "a\0"]
)
async def test_a_claim_that_is_not_there_or_not_for_this_client_is_no_error(world: World, name: str) -> None:
    claims = _claims(userinfo={name: {"essential": True}}, id_token={name: None})

    assert await _userinfo(world, claims=claims) == {"sub": "ada"}


@pytest.mark.spec("OpenID Connect Core", "5.5.2")
async def test_an_operators_own_client_may_ask_for_any_claim(world: World) -> None:
    claims = _claims(id_token={"https://example.com/claims/plan": None, "\ud800": None})

    assert (await _id_token(world, "spa", claims=claims))["https://example.com/claims/plan"] == "gold"


@pytest.mark.spec("OpenID Connect Core", "5.5")
async def test_a_client_that_lost_a_scope_no_longer_sees_its_claims(world: World) -> None:
    tokens = await world.sign_in("partner", scope="openid", claims=_claims(userinfo=EMAIL))
    await world.change_client("partner", scope=("openid",))

    assert (await world.userinfo(tokens.access_token)).json == {"sub": "ada"}


@pytest.mark.spec("OpenID Connect Core", "2")
async def test_no_users_claim_stands_in_for_one_of_the_protocols(world: World) -> None:
    world.people["ada"] = {"nonce": "of the user", "acr": "of the user", "azp": "of the user", "sub": "eve"}
    claims = _claims(id_token={"nonce": None, "acr": None, "azp": None, "sub": None})

    assert (await _id_token(world, "spa", claims=claims)).keys() == (await _id_token(world, "spa")).keys()


@pytest.mark.spec("OpenID Connect Core", "5.5")
async def test_a_user_who_is_gone_has_no_claims_in_an_id_token(world: World) -> None:
    world.people["ada"] = None

    assert "name" not in await _id_token(world, claims=_claims(id_token={"name": None}))


@pytest.mark.spec("OpenID Connect Core", "5.5")
@pytest.mark.parametrize(
    "claims",
    [
        "name",
        "[]",
        "null",
        '{"userinfo": []}',
        '{"id_token": "name"}',
        '{"userinfo": {"name": true}}',
        '{"userinfo": {"name": {"essential": "yes"}}}',
        '{"userinfo": {"name": {"values": "Ada"}}}',
        '{"id_token": {"sub": {"value": 7}}}',
        '{"id_token": {"acr": {"essential": true, "values": [1]}}}',
        json.dumps({"x": "x" * LONGEST_CLAIMS_PARAMETER}),
        "[" * 2000 + "]" * 2000,
    ],
)
async def test_what_is_not_a_claims_request_is_told_to_the_client(world: World, claims: str) -> None:
    assert (await world.authorization_response(claims=claims)).members["error"] == "invalid_request"


@pytest.mark.spec("OpenID Connect Core", "5.5")
@pytest.mark.parametrize("claims", ["{}", '{"userinfo": null}', '{"verified_claims": [1]}'])
async def test_what_is_not_understood_in_it_is_ignored(world: World, claims: str) -> None:
    assert (await world.ask(claims=claims)).claims is None


@pytest.mark.spec("OpenID Connect Core", "5.5")
async def test_without_openid_it_is_another_unknown_parameter(world: World) -> None:
    request = await world.ask(scope="read", claims="nonsense", claims_locales="fr")

    assert request.claims is None


@pytest.mark.spec("OpenID Connect Core", "3.1.2.4", "5.5")
async def test_what_is_asked_for_by_name_must_be_consented_to_as_its_scope(world: World) -> None:
    claims = _claims(userinfo={"email": None, "phone_number": None}, id_token={"name": None, "family_name": None})
    request = await world.ask("partner", scope="openid email", claims=claims)

    assert request.scope == ("openid", "email")
    assert request.consent_scope == ("openid", "email", "profile")


@pytest.mark.spec("OpenID Connect Core", "5.5", "5.5.1.1")
async def test_the_user_may_be_named_by_the_subject(world: World) -> None:
    ada = _claims(id_token={"sub": {"value": "ada"}})
    eve = _claims(userinfo={"sub": {"value": "eve"}})

    assert "code" in (await world.authorization_response(claims=ada)).members
    assert (await world.authorization_response(claims=eve)).members["error"] == "login_required"


@pytest.mark.spec("OpenID Connect Core", "5.5.1.1")
@pytest.mark.parametrize(
    ("acr", "error"),
    [
        ({"essential": True, "values": ["urn:other", ACR]}, None),
        ({"essential": True, "value": ACR}, None),
        ({"essential": True}, None),
        ({"values": ["urn:other"]}, None),
        (None, None),
        ({"essential": True, "values": ["urn:other"]}, "unmet_authentication_requirements"),
    ],
    ids=str,
)
async def test_an_essential_acr_must_be_that_of_the_sign_in(world: World, acr: object, error: str | None) -> None:
    who = world.authentication(acr=ACR)
    answer = await world.authorization_response(claims=_claims(id_token={"acr": acr}), authentication=who)

    assert answer.members.get("error") == error


@pytest.mark.spec("OpenID Connect Core", "5.5.1.1")
async def test_the_acr_of_the_sign_in_stands_in_the_id_token_whatever_was_wished_for(world: World) -> None:
    tokens = await world.sign_in(authentication=world.authentication(acr=ACR), acr_values="urn:other")

    assert claims_of(tokens.json["id_token"])["acr"] == ACR


@pytest.mark.spec("OpenID Connect Core", "5.2")
@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, False),
        ({"claims_locales": "ja"}, True),
        ({"claims_locales": "en JA-HANI-jp"}, True),
        ({"claims_locales": "j en"}, False),
        ({"claims_locales": "<ja>"}, False),
        ({"scope": "openid", "claims": _claims(userinfo={"family_name#ja-Hani-JP": None})}, True),
        ({"scope": "openid", "claims": _claims(userinfo={"family_name": None}), "claims_locales": "ja"}, True),
        ({"scope": "openid", "claims": _claims(userinfo={"family_name": None})}, False),
        ({"scope": "openid", "claims_locales": "ja"}, False),
    ],
    ids=str,
)
async def test_a_claim_in_another_language_is_shown_where_that_is_asked_for(
    world: World, changes: dict[str, str], shown: bool
) -> None:
    claims = await _userinfo(world, **({"scope": "openid profile"} | changes))

    assert ("family_name#ja-Hani-JP" in claims) is shown


@pytest.mark.spec("OpenID Connect Core", "5.3.2")
@pytest.mark.parametrize("client", ["spa", "partner"])
async def test_a_claim_without_a_value_is_left_out(world: World, client: str) -> None:
    assert "nickname" not in await _userinfo(world, client, scope="openid profile")
