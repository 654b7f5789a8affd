"""RFC 6749 §3.3: what a request reaches that names no scope."""

from __future__ import annotations

from dataclasses import replace

import pytest

import everbearer as eb
from device_world import device
from world import ANY_STORE, World, answer_of

pytestmark = ANY_STORE


@pytest.mark.spec("RFC 6749", "3.3")
async def test_without_a_default_a_request_that_names_no_scope_is_refused(world: World) -> None:
    with pytest.raises(eb.AuthorizationRefused) as refused:
        await world.ask(scope=None)

    assert refused.value.response is not None
    assert answer_of(refused.value.response).members["error"] == "invalid_scope"


@pytest.mark.spec("RFC 6749", "3.3")
@pytest.mark.parametrize("scope", [None, "", " "])
async def test_where_a_request_names_none_it_has_the_default(world: World, scope: str | None) -> None:
    world.server = replace(world.server, default_scope=("openid", "read"))

    assert (await world.ask(scope=scope)).scope == ("openid", "read")


async def test_a_request_that_names_its_scope_has_no_other(world: World) -> None:
    world.server = replace(world.server, default_scope=("openid", "read"))

    assert (await world.ask(scope="profile")).scope == ("profile",)


async def test_a_client_has_of_the_default_what_it_may_have(world: World) -> None:
    world.server = replace(world.server, default_scope=("openid", "read"))
    await world.change_client("spa", scope=("read", "profile"))

    assert (await world.ask(scope=None)).scope == ("read",)


async def test_a_client_that_may_have_nothing_of_the_default_is_refused(world: World) -> None:
    world.server = replace(world.server, default_scope=("openid", "read"))
    await world.change_client("spa", scope=("profile",))

    with pytest.raises(eb.AuthorizationRefused) as refused:
        await world.ask(scope=None)

    assert refused.value.error.error == "invalid_scope"


@pytest.mark.spec("RFC 6749", "3.3")
@pytest.mark.spec("RFC 6749", "5.1")
async def test_tokens_say_what_the_default_gave(world: World) -> None:
    world.server = replace(world.server, default_scope=("openid", "read"))
    answer = await world.authorization_response(scope=None)

    assert (await world.redeem(answer.members["code"])).json["scope"] == "openid read"


async def test_a_device_has_the_default_too(world: World) -> None:
    world.server = replace(world.server, default_scope=("openid", "read"))
    asked = await device(world, scope=None)
    await asked.allow()

    assert (await asked.poll()).json["scope"] == "openid read"


def test_a_default_that_is_not_among_the_scopes_is_told_when_the_server_is_made(world: World) -> None:
    with pytest.raises(ValueError, match="default_scope: 'smoke' is not among scopes: add it there, in words"):
        replace(world.server, default_scope=("openid", "smoke"))
