"""What an application has to say holds for tokens by the browser too, and for those for resources (RFC 8707)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from browser_tokens import id_token_of, let_have_tokens, members_of
from everbearer.oauth.client import IMPLICIT, AccessTokenFormat
from everbearer.oauth.issuance_hooks import Issuance, IssuanceHooks
from everbearer.oauth.scope import Scope
from protected import FILES, NOTES, sign_in, with_resources
from world import ADA, ANY_STORE, World, claims_of

BY_BROWSER = pytest.mark.parametrize("response_type", ["code token", "id_token token", "code id_token token"])

LIVES = {(FILES,): 300, (NOTES,): 60, (FILES, NOTES): 60}
"""How long tokens live by resource, where one has a life of its own and the grant has a minute."""


def hooked(world: World, **hooks: Any) -> World:
    return replace(world, server=replace(world.server, hooks=IssuanceHooks(**hooks)))


async def never_email(issuance: Issuance) -> Scope:
    return tuple(value for value in issuance.scope if value != "email")


async def never_write(issuance: Issuance) -> Scope:
    return tuple(value for value in issuance.scope if value != "write")


@BY_BROWSER
@ANY_STORE
async def test_tokens_by_the_browser_reach_what_it_says(world: World, response_type: str) -> None:
    asked: list[Issuance] = []

    async def never(issuance: Issuance) -> Scope:
        asked.append(issuance)
        return await never_email(issuance)

    await let_have_tokens(world)
    members = await members_of(hooked(world, finalize_scopes=never), response_type)

    assert members["scope"] == claims_of(members["access_token"])["scope"] == "openid"
    assert [(each.grant_type, each.subject, each.grant is None) for each in asked] == [(IMPLICIT, ADA, False)]


@pytest.mark.parametrize("kind", AccessTokenFormat)
@BY_BROWSER
@ANY_STORE
async def test_they_say_what_it_has_them_say(world: World, response_type: str, kind: AccessTokenFormat) -> None:
    async def tenant(issuance: Issuance) -> Mapping[str, object]:
        return {"tenant": issuance.client.client_id, "sub": "eve"}

    await let_have_tokens(world)
    await world.change_client("web", access_token_format=kind)
    members = await members_of(hooked(world, access_token_claims=tenant, token_response_members=tenant), response_type)
    introspected = (await world.introspect(members["access_token"])).json

    assert (introspected["tenant"], introspected["sub"]) == ("web", ADA)
    assert "tenant" not in members


@ANY_STORE
async def test_an_id_token_by_the_browser_has_no_claims_of_what_it_leaves_out(world: World) -> None:
    await let_have_tokens(world, code=False)
    allowed = id_token_of(await members_of(world, "id_token"))
    refused = id_token_of(await members_of(hooked(world, finalize_scopes=never_email), "id_token"))

    assert "email" in allowed
    assert "email" not in refused


@ANY_STORE
async def test_an_id_token_that_was_asked_for_comes_though_it_leaves_out_openid(world: World) -> None:
    async def nothing(issuance: Issuance) -> Scope:  # noqa: ARG001 - a hook
        return ()

    await let_have_tokens(world, code=False)

    assert id_token_of(await members_of(hooked(world, finalize_scopes=nothing), "id_token"))["sub"] == ADA


@ANY_STORE
async def test_a_code_alone_asks_nothing(world: World) -> None:
    async def fail(issuance: Issuance) -> Scope:
        raise AssertionError(issuance)

    assert await hooked(world, finalize_scopes=fail).authorize("web")


@ANY_STORE
async def test_it_knows_which_resources_a_token_is_for(world: World) -> None:
    asked: list[Issuance] = []

    async def tell(issuance: Issuance) -> Mapping[str, object]:
        asked.append(issuance)
        return {}

    world = hooked(await with_resources(world), access_token_claims=tell)
    await sign_in(world, NOTES, scope="openid read write")
    (issuance,) = asked

    assert issuance.target is not None
    assert (issuance.target.audiences, issuance.target.scope) == ((NOTES,), ("read", "write"))
    assert issuance.scope == ("openid", "read", "write")


@ANY_STORE
async def test_a_token_for_a_resource_reaches_what_it_says(world: World) -> None:
    world = hooked(await with_resources(world), finalize_scopes=never_write)
    answer = await sign_in(world, NOTES, scope="openid read write")

    assert answer.json["scope"] == claims_of(answer.access_token)["scope"] == "read"
    assert "id_token" in answer.json


@ANY_STORE
async def test_it_adds_nothing_to_a_token_for_a_resource(world: World) -> None:
    async def more(issuance: Issuance) -> Scope:
        return (*issuance.scope, "admin")

    world = hooked(await with_resources(world), finalize_scopes=more)

    assert (await sign_in(world, FILES, scope="openid read write")).json["scope"] == "read"


@pytest.mark.spec("RFC 8707", "2.2")
@ANY_STORE
async def test_a_token_for_resources_lives_no_longer_than_its_grant_says_or_one_of_them(world: World) -> None:
    world = await with_resources(world)
    await world.lifetimes("partner", access_token_by_grant={"authorization_code": 60})
    lives = [(await sign_in(world, *resources, scope="read")).json["expires_in"] for resources in LIVES]

    assert lives == list(LIVES.values())
