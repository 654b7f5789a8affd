"""Where the endpoints are: below the issuer, below another URL, and mounted in other applications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from everbearer.http import whole
from everbearer.http.asgi import asgi_application
from everbearer.http.protocol_routes import explanation_routes, root_routes
from everbearer.http.routes import below, dispatch
from everbearer.http.wsgi import wsgi_application
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.messages import Request
from everbearer.oauth.models import EndReason
from world import ANY_STORE, World

pytestmark = ANY_STORE

ELSEWHERE = "https://app.example/auth"


def elsewhere(world: World) -> AuthorizationServer:
    """Return the server of which the endpoints are below another URL than the issuer."""
    return replace(world.server, issuer="https://id.example", endpoints=ELSEWHERE)


async def get(routes: Mapping[str, Mapping[str, Any]], path: str) -> bytes:
    return (await dispatch(routes)(Request(method="GET", path=path))).body


async def test_endpoints_that_are_elsewhere_are_told_in_the_metadata_of_the_issuer(world: World) -> None:
    document = (await get(whole.all_routes(elsewhere(world)), "/.well-known/openid-configuration")).decode()

    assert '"issuer":"https://id.example"' in document
    assert '"token_endpoint":"https://app.example/auth/oauth2/token"' in document


async def test_endpoints_that_are_elsewhere_answer_there(world: World) -> None:
    routes = whole.all_routes(elsewhere(world))

    assert "/auth/oauth2/token" in routes
    assert "/oauth2/token" not in routes


@pytest.mark.spec("RFC 9207", "2.4")
async def test_the_issuer_stays_the_issuer_where_the_endpoints_are_elsewhere(world: World) -> None:
    there = replace(world, server=elsewhere(world))

    assert (await there.authorization_response()).members["iss"] == "https://id.example"


@pytest.mark.spec("RFC 8414", "3.1")
@pytest.mark.parametrize(
    ("issuer", "endpoints", "paths"),
    [
        (
            "https://app.example/auth",
            "",
            {"/.well-known/openid-configuration/auth", "/.well-known/oauth-authorization-server/auth"},
        ),
        (
            "https://app.example",
            "https://app.example/auth",
            {"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"},
        ),
        ("https://app.example", "", set[str]()),
    ],
)
async def test_the_paths_that_a_mount_does_not_reach_are_handed_out_for_the_root(
    world: World, issuer: str, endpoints: str, paths: set[str]
) -> None:
    reached_by_the_mount = not endpoints and issuer == "https://app.example"
    found = root_routes(replace(world.server, issuer=issuer, endpoints=endpoints))

    assert set(found) >= paths
    assert reached_by_the_mount or not any(path.startswith("/auth/") for path in found)


async def test_where_a_proxy_puts_a_path_before_the_applications_the_routes_have_it_too(world: World) -> None:
    routes = below("/internal", whole.all_routes(world.server))

    assert b"token_endpoint" in await get(routes, "/internal/.well-known/openid-configuration")


@pytest.mark.parametrize(("path", "root"), [("/auth/oauth2/jwks", "/auth"), ("/oauth2/jwks", "/auth")])
async def test_a_mount_at_the_path_of_the_issuer_is_understood_by_asgi(world: World, path: str, root: str) -> None:
    app = asgi_application(whole.endpoint(replace(world.server, issuer="https://app.example/auth")))
    transport = httpx.ASGITransport(app, root_path=root)
    async with httpx.AsyncClient(transport=transport, base_url="https://app.example") as browser:
        answer = await browser.get(path)

    assert answer.status_code == 200
    assert answer.json()["keys"]


def test_a_mount_at_the_path_of_the_issuer_is_understood_by_wsgi(world: World) -> None:
    app = wsgi_application(whole.endpoint(replace(world.server, issuer="https://app.example/auth")))
    transport = httpx.WSGITransport(app, script_name="/auth")
    with httpx.Client(transport=transport, base_url="https://app.example") as browser:
        answer = browser.get("/oauth2/jwks")

    assert answer.json()["keys"]


@pytest.mark.parametrize("reason", EndReason)
async def test_what_an_error_uri_leads_to_is_there(world: World, reason: EndReason) -> None:
    told = await get(explanation_routes(world.server), f"/ended/{reason}")

    assert told.decode().strip()


async def test_the_endpoint_without_a_sign_in_leaves_authorizing_to_the_application(world: World) -> None:
    response = await whole.endpoint(world.server)(Request(method="GET", path="/oauth2/authorize"))

    assert response.status == 404
