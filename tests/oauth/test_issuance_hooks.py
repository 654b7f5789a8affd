"""What an application has to say about tokens before they are minted, at every grant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from asserting import jwks_of, sign
from device_world import allowed_device
from everbearer.oauth.client import JWT_BEARER, PASSWORD, TOKEN_EXCHANGE, AccessTokenFormat, TokenExchangePolicy
from everbearer.oauth.errors import AccessDenied, InvalidScope
from everbearer.oauth.grants.jwt_bearer import jwt_bearer_grant
from everbearer.oauth.grants.password import password_grant
from everbearer.oauth.grants.token_exchange import ACCESS_TOKEN
from everbearer.oauth.issuance_hooks import Issuance, IssuanceHooks
from everbearer.oauth.messages import Request
from everbearer.oauth.models import Authentication
from everbearer.oauth.randomness import random_id
from everbearer.oauth.scope import Scope
from everbearer.oauth.trusted_issuers import Asserted, SubjectIs, TrustedIssuer
from world import ADA, ANY_STORE, ISSUER, Answer, World, claims_of, key_of

IDP, BUILDS = "https://idp.example", "https://builds.example"
KEY = key_of("ES256")
Ask: TypeAlias = Callable[[World], Awaitable[Answer]]


async def only_ada(*_: object) -> Authentication:
    return Authentication(subject=ADA, auth_time=1_800_000_000)


@pytest.fixture
async def world(world: World) -> World:
    """Return the world with every grant there is, all of them for `web`."""

    async def user_of(asserted: Asserted) -> Authentication:
        return await only_ada(asserted)

    async def check(username: str, password: str, request: Request) -> Authentication:
        return await only_ada(username, password, request)

    scope = ("openid", "read", "write")
    issuers = [
        TrustedIssuer(issuer=IDP, jwks=jwks_of(KEY), scope=scope),
        TrustedIssuer(
            issuer=BUILDS, jwks=jwks_of(KEY), scope=scope, subject_is=SubjectIs.EXTERNAL, subjects=("*",), prefix=""
        ),
    ]
    grants = {**world.server.grants, JWT_BEARER: jwt_bearer_grant(issuers, user_of), PASSWORD: password_grant(check)}
    world.server = replace(world.server, grants=grants)
    await world.change_client(
        "web",
        first_party=True,
        grant_types=tuple(grants),
        token_exchange=TokenExchangePolicy(subject_clients=("spa",)),
    )
    return world


async def send(world: World, grant_type: str, **form: str | None) -> Answer:
    return await world.token({"grant_type": grant_type, **await world.identity("web"), **form})


def assertion(world: World, issuer: str) -> str:
    claims = {"iss": issuer, "sub": "job", "aud": ISSUER, "exp": world.clock.now + 300, "jti": random_id()}
    return sign(claims, KEY)


async def refreshed(world: World) -> Answer:
    token = (await world.sign_in("web", scope="openid offline_access read write")).refresh_token
    return await world.refresh(token, client="web")


async def exchanged(world: World) -> Answer:
    token = (await world.sign_in("spa", scope="openid read write")).access_token
    return await send(world, TOKEN_EXCHANGE, subject_token=token, subject_token_type=ACCESS_TOKEN)


async def polled(world: World) -> Answer:
    return await (await allowed_device(world, "web", scope="openid read write")).poll()


GRANTS: Mapping[str, tuple[Ask, str]] = {
    "authorization_code": (lambda world: world.sign_in("web", scope="openid read write"), ADA),
    "refresh_token": (refreshed, ADA),
    "client_credentials": (lambda world: world.client_credentials("web", scope="read write"), "web"),
    "urn:ietf:params:oauth:grant-type:device_code": (polled, ADA),
    TOKEN_EXCHANGE: (exchanged, ADA),
    JWT_BEARER: (lambda world: send(world, JWT_BEARER, assertion=assertion(world, IDP)), ADA),
    "external": (lambda world: send(world, JWT_BEARER, assertion=assertion(world, BUILDS)), "job"),
    PASSWORD: (lambda world: send(world, PASSWORD, username="ada", password="x", scope="openid read write"), ADA),
}
EVERY_GRANT = pytest.mark.parametrize("grant", GRANTS)


def hook(world: World, **hooks: Any) -> None:
    world.server = replace(world.server, hooks=IssuanceHooks(**hooks))


@EVERY_GRANT
@ANY_STORE
async def test_a_function_is_asked_at_every_grant_what_its_token_reaches(world: World, grant: str) -> None:
    asked: list[Issuance] = []

    async def never_write(issuance: Issuance) -> Scope:
        asked.append(issuance)
        return tuple(value for value in issuance.scope if value != "write")

    ask, subject = GRANTS[grant]
    hook(world, finalize_scopes=never_write)
    answer = await ask(world)

    assert answer.status == 200
    assert "write" not in answer.json["scope"].split()
    assert "write" not in claims_of(answer.access_token)["scope"].split()
    assert asked[-1].grant_type == (JWT_BEARER if grant == "external" else grant)
    assert (asked[-1].client.client_id, asked[-1].subject) == ("web", subject)
    assert "write" in asked[0].scope
    assert (asked[-1].grant is None) == (grant in {"client_credentials", "external"})


@EVERY_GRANT
@ANY_STORE
async def test_it_can_add_nothing(world: World, grant: str) -> None:
    async def everything(issuance: Issuance) -> Scope:
        return (*issuance.scope, "admin", "email", "offline_access")

    before = await GRANTS[grant][0](world)
    hook(world, finalize_scopes=everything)
    after = await GRANTS[grant][0](world)

    assert after.json["scope"] == before.json["scope"]


@EVERY_GRANT
@pytest.mark.parametrize("error", [InvalidScope("not today"), AccessDenied("not you")])
@ANY_STORE
async def test_it_can_refuse(world: World, grant: str, error: Exception) -> None:
    async def refuse(issuance: Issuance) -> Scope:
        if issuance.client.client_id == "web" and issuance.grant_type != "authorization_code":
            raise error
        return issuance.scope

    async def refuse_all(issuance: Issuance) -> Scope:  # noqa: ARG001 - a hook
        raise error

    hook(world, finalize_scopes=refuse_all if grant == "authorization_code" else refuse)
    answer = await GRANTS[grant][0](world)

    assert (answer.status, answer.json["error_description"]) == (400, str(error))


@pytest.mark.spec("RFC 6749", "3.3", "5.2")
@EVERY_GRANT
@ANY_STORE
async def test_where_it_leaves_nothing_there_is_no_token(world: World, grant: str) -> None:
    async def nothing(issuance: Issuance) -> Scope:
        return issuance.scope if issuance.client.client_id != "web" or issuance.grant_type != grant_type else ()

    grant_type = JWT_BEARER if grant == "external" else grant
    hook(world, finalize_scopes=nothing)
    answer = await GRANTS[grant][0](world)

    assert (answer.status, answer.error) == (400, "invalid_scope")


async def test_what_it_refuses_is_not_spent(world: World) -> None:
    async def refuse(issuance: Issuance) -> Scope:  # noqa: ARG001 - a hook
        raise InvalidScope("not today")

    code, token = await world.authorize("web"), await world.refresh_token("web")
    open_again = world.server
    hook(world, finalize_scopes=refuse)
    refused = [await world.redeem(code, client="web"), await world.refresh(token, client="web")]
    world.server = open_again

    assert [answer.error for answer in refused] == ["invalid_scope", "invalid_scope"]
    assert (await world.redeem(code, client="web")).status == 200
    assert (await world.refresh(token, client="web")).status == 200


async def test_the_grant_keeps_its_scope_and_a_refresh_asks_again(world: World) -> None:
    async def only_openid(issuance: Issuance) -> Scope:  # noqa: ARG001 - a hook
        return ("openid",)

    open_again = world.server
    hook(world, finalize_scopes=only_openid)
    first = await world.sign_in("web", scope="openid offline_access read")
    world.server = open_again
    second = await world.refresh(first.refresh_token, client="web")

    assert first.json["scope"] == "openid"
    assert second.json["scope"] == "openid offline_access read"


async def test_without_openid_there_is_no_id_token(world: World) -> None:
    async def only_read(issuance: Issuance) -> Scope:  # noqa: ARG001 - a hook
        return ("read",)

    hook(world, finalize_scopes=only_read)

    assert "id_token" not in (await world.sign_in("web", scope="openid read")).json


@EVERY_GRANT
@pytest.mark.parametrize("kind", AccessTokenFormat)
@ANY_STORE
async def test_access_tokens_say_what_the_application_has_them_say(
    world: World, grant: str, kind: AccessTokenFormat
) -> None:
    async def tenant(issuance: Issuance) -> Mapping[str, object]:
        return {"tenant": issuance.client.client_id, "roles": ["reader"]}

    await world.change_client("web", access_token_format=kind)
    hook(world, access_token_claims=tenant)
    introspected = (await world.introspect((await GRANTS[grant][0](world)).access_token)).json

    assert (introspected["tenant"], introspected["roles"]) == ("web", ["reader"])


@EVERY_GRANT
@ANY_STORE
async def test_what_the_server_says_itself_stays(world: World, grant: str) -> None:
    async def lies(issuance: Issuance) -> Mapping[str, object]:  # noqa: ARG001 - a hook
        return {
            "sub": "eve",
            "iss": "https://evil.example",
            "scope": "admin",
            "exp": 9e9,
            "jti": "x",
            "act": {},
            "client_id": "eve",
            "aud": "x",
            "auth_time": 0,
            "true": True,
        }

    hook(world, access_token_claims=lies)
    claims = claims_of((await GRANTS[grant][0](world)).access_token)

    assert claims["true"]
    assert (claims["sub"], claims["iss"], claims["client_id"]) == (GRANTS[grant][1], ISSUER, "web")
    assert claims["exp"] <= world.clock.now + 1800
    assert claims.get("act", {"sub": "web"})["sub"] == "web"


@EVERY_GRANT
@pytest.mark.spec("RFC 6749", "8.2")
@ANY_STORE
async def test_answers_have_members_of_the_applications(world: World, grant: str) -> None:
    async def members(issuance: Issuance) -> Mapping[str, object]:
        return {"tenant": issuance.subject, "access_token": "mine", "token_type": "mine", "issued_token_type": "mine"}

    hook(world, token_response_members=members)
    answer = await GRANTS[grant][0](world)

    assert answer.json["tenant"] == GRANTS[grant][1]
    assert answer.json["token_type"] == "Bearer"
    assert answer.json.get("issued_token_type", ACCESS_TOKEN) == ACCESS_TOKEN
    assert await world.active(answer.access_token)


@ANY_STORE
async def test_a_function_for_claims_hears_of_the_final_scope(world: World) -> None:
    async def only_read(issuance: Issuance) -> Scope:  # noqa: ARG001 - a hook
        return ("read",)

    async def told(issuance: Issuance) -> Mapping[str, object]:
        return {"told": list(issuance.scope)}

    hook(world, finalize_scopes=only_read, access_token_claims=told)

    assert claims_of((await world.sign_in("web", scope="openid read")).access_token)["told"] == ["read"]


@ANY_STORE
async def test_a_token_that_says_who_may_act_is_exchanged_by_no_other(world: World) -> None:
    async def may_act(issuance: Issuance) -> Mapping[str, object]:
        return {"may_act": {"sub": "orders"}} if issuance.client.client_id == "spa" else {}

    hook(world, access_token_claims=may_act)

    assert (await exchanged(world)).error == "invalid_request"
