"""The authorization endpoint for applications that sign users in themselves."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from everbearer.http.authorization_route import SignIn, authorization_routes
from everbearer.http.routes import dispatch
from everbearer.oauth.authorization.request import AuthorizationRequest
from everbearer.oauth.errors import AccessDenied, OAuthError
from everbearer.oauth.messages import Request, Response, redirect
from everbearer.oauth.models import Authentication
from everbearer.oauth.parameters import Parameters
from world import World, answer_of

PATH = "/oauth2/authorize"


def signs_in(outcome: Authentication | Response | OAuthError) -> SignIn:
    """Return a sign-in of an application that always comes to this."""

    async def sign_in(request: Request, asked: AuthorizationRequest) -> Authentication | Response:  # noqa: ARG001 - its shape
        if isinstance(outcome, OAuthError):
            raise outcome
        return outcome

    return sign_in


ASKS = signs_in(redirect("/login"))
DENIES = signs_in(AccessDenied("the user denied the request"))


async def query(world: World, **changes: str) -> str:
    form = {**await world.authorization_form("spa", scope="openid"), **changes}
    return urlencode({name: value for name, value in form.items() if value is not None})


async def location(world: World, sign_in: SignIn, **changes: str) -> str:
    """Return where a browser that asks for the endpoint is sent."""
    request = Request(method="GET", path=PATH, query=await query(world, **changes))
    response = await dispatch(authorization_routes(world.server, sign_in))(request)
    return answer_of(response).headers["location"]


def carried(location: str) -> Parameters:
    return Parameters({name: values[0] for name, values in parse_qs(urlsplit(location).query).items()})


async def test_the_grant_is_of_whom_the_application_signed_in(world: World) -> None:
    grace = Authentication(subject="grace", auth_time=world.server.now())
    code = carried(await location(world, signs_in(grace)))["code"]

    assert (await world.grant(code)).subject == "grace"


async def test_the_browser_goes_where_the_application_asks(world: World) -> None:
    assert await location(world, ASKS) == "/login"


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_with_prompt_none_nobody_is_asked(world: World) -> None:
    assert carried(await location(world, ASKS, prompt="none"))["error"] == "login_required"


@pytest.mark.spec("RFC 6749", "4.1.2.1")
async def test_an_error_that_the_application_gives_up_with_reaches_the_client(world: World) -> None:
    assert carried(await location(world, DENIES))["error"] == "access_denied"


@pytest.mark.spec("RFC 6749", "4.1.2.1")
async def test_no_browser_is_sent_to_an_address_that_is_not_registered(world: World) -> None:
    request = Request(method="GET", path=PATH, query=await query(world, redirect_uri="https://elsewhere.example/"))
    response = await dispatch(authorization_routes(world.server, ASKS))(request)

    assert (response.status, answer_of(response).headers.get("location")) == (400, None)


@pytest.mark.spec("RFC 6749", "3.1")
async def test_a_posted_request_becomes_a_get_that_has_cookies(world: World) -> None:
    asked = await query(world)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    request = Request(method="POST", path=PATH, headers=headers, body=f"{asked}&resource=a&resource=b".encode())
    response = await dispatch(authorization_routes(world.server, ASKS))(request)

    assert parse_qs(urlsplit(answer_of(response).headers["location"]).query) == {
        **parse_qs(asked),
        "resource": ["a", "b"],
    }


@pytest.mark.spec("RFC 9110", "9.2.1")
async def test_a_look_at_the_head_asks_nobody(world: World) -> None:
    request = Request(method="HEAD", path=PATH, query=await query(world))
    response = await dispatch(authorization_routes(world.server, DENIES))(request)

    assert (response.status, answer_of(response).headers.get("location")) == (200, None)


@pytest.mark.parametrize(("subject", "given"), [(7, "an int: write str"), (None, "None"), (b"ada", "bytes")])
async def test_a_user_whose_id_is_no_text_gets_no_code(world: World, subject: Any, given: str) -> None:
    with pytest.raises(ValueError, match=f"subject must be a str, not {given}"):
        await location(world, signs_in(Authentication(subject=subject, auth_time=world.server.now())))


async def test_a_sign_in_that_returns_neither_a_user_nor_a_response_is_told_so(world: World) -> None:
    neither: Any = "ada"

    with pytest.raises(TypeError, match=r"sign_in must return .* or a Response, not an object of the type str"):
        await location(world, signs_in(neither))
