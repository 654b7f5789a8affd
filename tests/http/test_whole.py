"""All that the protocol answers, as one endpoint: what the metadata names is there."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import everbearer as eb
from registering import new_registrar
from world import ANY_STORE, World

pytestmark = ANY_STORE


async def sign_in(request: eb.Request, asked: eb.AuthorizationRequest) -> eb.Response:  # noqa: ARG001 - a `SignIn`
    return eb.Response(body=b"Sign in")


def everything(world: World) -> eb.AuthorizationServer:
    """Return a server that has all that there is, but for the end of sessions, which is a page."""
    registering = new_registrar(world).world.server
    return replace(registering, devices=world.store)


@pytest.mark.spec("RFC 8414", "2")
@pytest.mark.spec("OpenID Connect Discovery", "3")
async def test_every_endpoint_that_the_metadata_names_answers(world: World) -> None:
    whole = eb.endpoint(everything(world), sign_in)
    document = json.loads((await whole(eb.Request(method="GET", path="/.well-known/openid-configuration"))).body)
    named = {name: url for name, url in document.items() if name.endswith("_endpoint") or name == "jwks_uri"}
    paths = {name: url.removeprefix("https://id.example") for name, url in named.items()}
    answers = {name: (await whole(eb.Request(method="POST", path=path))).status for name, path in paths.items()}

    assert {"registration_endpoint", "device_authorization_endpoint", "authorization_endpoint"} < named.keys()
    assert [name for name, status in answers.items() if status == 404] == []


@pytest.mark.spec("RFC 7591", "3")
async def test_scripts_of_every_origin_may_register_where_that_is_allowed(world: World) -> None:
    asked = eb.Request(method="POST", path="/oauth2/register", headers={"origin": "https://new.example"})

    assert ("Access-Control-Allow-Origin", "*") in (await eb.endpoint(everything(world))(asked)).headers


async def test_where_nobody_may_register_there_is_nothing(world: World) -> None:
    asked = eb.Request(method="POST", path="/oauth2/register")

    assert (await eb.endpoint(world.server)(asked)).status == 404
