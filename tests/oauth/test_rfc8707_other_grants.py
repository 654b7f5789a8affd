"""RFC 8707 at grants without an authorization request: what the token request names is what the tokens are for."""

from __future__ import annotations

from dataclasses import replace

import pytest

import everbearer as eb
from asserting import jwks_of, sign
from everbearer.oauth.client import JWT_BEARER
from everbearer.oauth.grants.jwt_bearer import jwt_bearer_grant
from everbearer.oauth.randomness import random_id
from everbearer.oauth.trusted_issuers import Asserted, SubjectIs, TrustedIssuer
from protected import FILES, HIDDEN, NOTES, naming, refresh, with_resources
from world import ADA, ANY_STORE, ISSUER, Answer, World, claims_of, key_of

KIOSK = "https://example.com/grants/kiosk"
IDP, BUILDS = "https://idp.example", "https://builds.example"
KEY = key_of("ES256")
SCOPE = ("openid", "read", "write")
ISSUERS = (
    TrustedIssuer(issuer=IDP, jwks=jwks_of(KEY), scope=SCOPE),
    TrustedIssuer(issuer=BUILDS, jwks=jwks_of(KEY), scope=SCOPE, subject_is=SubjectIs.EXTERNAL),
)


async def kiosk_grant(request: eb.TokenRequest, server: eb.AuthorizationServer) -> eb.TokenResponse:
    scope = eb.requested_scope(request, server)
    return await eb.grant_tokens(request, eb.Authentication(subject=ADA, auth_time=server.now()), scope, server)


async def user_of(asserted: Asserted) -> eb.Authentication:
    return eb.Authentication(subject=asserted.subject, auth_time=1_800_000_000)


@pytest.fixture
async def world(world: World) -> World:
    """Return the world with resources, trusted issuers, and a grant of one's own for `web`."""
    grants = {**world.server.grants, KIOSK: kiosk_grant, JWT_BEARER: jwt_bearer_grant(ISSUERS, user_of)}
    world.server = replace(world.server, grants=grants)
    await world.change_client("web", grant_types=(KIOSK, JWT_BEARER, "refresh_token"))
    return await with_resources(world, "web")


async def bring_badge(world: World, *resources: str, scope: str) -> Answer:
    form: dict[str, str | None] = {"grant_type": KIOSK, "scope": scope, **await world.identity("web")}
    return await world.token(naming(form, *resources))


async def bring_assertion(world: World, issuer: str, *resources: str, ahead: int = 900) -> Answer:
    claims = {"iss": issuer, "sub": ADA, "aud": ISSUER, "exp": world.clock.now + ahead, "jti": random_id()}
    form: dict[str, str | None] = {"assertion": sign(claims, KEY), **await world.identity("web")}
    return await world.token(naming({"grant_type": JWT_BEARER, **form}, *resources))


@pytest.mark.spec("RFC 8707", "2.2")
async def test_a_grant_of_ones_own_is_for_them_and_stays_so(world: World) -> None:
    first = await bring_badge(world, NOTES, FILES, scope="openid offline_access read write")
    second = await refresh(world, first.refresh_token, FILES, client="web")

    assert claims_of(first.access_token)["aud"] == [NOTES, FILES]
    assert (claims_of(second.access_token)["aud"], second.json["scope"]) == (FILES, "read")
    assert (await refresh(world, second.refresh_token, HIDDEN, client="web")).error == "invalid_target"


@pytest.mark.spec("RFC 8707", "2")
@ANY_STORE
async def test_one_that_its_client_may_not_ask_for_is_an_invalid_target(world: World) -> None:
    answers = [
        await bring_badge(world, HIDDEN, scope="read"),
        await bring_assertion(world, IDP, HIDDEN),
        await bring_assertion(world, BUILDS, HIDDEN),
    ]

    assert [answer.error for answer in answers] == ["invalid_target"] * 3


@pytest.mark.parametrize(("issuer", "subject"), [(IDP, ADA), (BUILDS, f"{BUILDS}#{ADA}")])
@ANY_STORE
async def test_a_token_for_an_assertion_is_for_them(world: World, issuer: str, subject: str) -> None:
    answer = await bring_assertion(world, issuer, FILES)
    claims = claims_of(answer.access_token)

    assert (claims["sub"], claims["aud"], claims["scope"]) == (subject, FILES, "read")
    assert answer.json["expires_in"] == 300


@pytest.mark.spec("RFC 7521", "4.1")
@pytest.mark.parametrize("issuer", [IDP, BUILDS])
@ANY_STORE
async def test_it_lives_no_longer_than_the_assertion_whatever_the_resource_says(world: World, issuer: str) -> None:
    answer = await bring_assertion(world, issuer, FILES, ahead=30)

    assert answer.json["expires_in"] == 30


@ANY_STORE
async def test_an_assertion_is_not_used_up_by_what_is_refused(world: World) -> None:
    claims = {"iss": IDP, "sub": ADA, "aud": ISSUER, "exp": world.clock.now + 60, "jti": "once"}
    form = {"grant_type": JWT_BEARER, "assertion": sign(claims, KEY), **await world.identity("web")}
    refused = await world.token(naming(form, HIDDEN))

    assert refused.error == "invalid_target"
    assert (await world.token(naming(form, FILES))).status == 200
