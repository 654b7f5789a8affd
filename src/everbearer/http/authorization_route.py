"""The authorization endpoint in the table of paths, for applications with a sign-in of their own (RFC 6749 §3.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from everbearer.http.given import check
from everbearer.http.protocol_routes import base_path
from everbearer.http.routes import Routes
from everbearer.oauth.authorization.endpoint import (
    AuthorizationRefused,
    complete_authorization,
    refuse_authorization,
    validate_authorization_request,
)
from everbearer.oauth.authorization.request import AuthorizationRequest
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.endpoints.metadata import PATHS
from everbearer.oauth.error_response import answer, error_response
from everbearer.oauth.errors import LoginRequired, OAuthError
from everbearer.oauth.messages import Request, Response, redirect
from everbearer.oauth.models import Authentication
from everbearer.oauth.parameters import format_parameters, parse, posted_parameters

SignIn: TypeAlias = Callable[[Request, AuthorizationRequest], Awaitable[Authentication | Response]]
"""Returns who is signed in, or the response that asks the user to sign in or to consent; once that is done, the browser
is to come back to the same URL. An `OAuthError` that it raises, such as `AccessDenied`, is taken to the client."""


def authorization_routes(server: AuthorizationServer, sign_in: SignIn) -> Routes:
    """Return the path of the authorization endpoint, for an application that signs users in itself.

    A request that cannot be granted is refused before `sign_in` is asked. With `prompt=none` its response is not shown:
    the client gets `login_required`. What else a request wants (`prompt`, `max_age`, `login_hint`) is for it to heed.

    Raises:
        ValueError: `sign_in` is no async function of its arguments, or the server none.
    """
    check(authorization_routes, server=server, sign_in=sign_in)

    async def authorize(request: Request) -> Response:
        return await answer(_respond(request, server, sign_in))

    async def posted(request: Request) -> Response:
        return await answer(_as_a_get(request))

    methods = {"GET": authorize, "POST": posted, "HEAD": _nothing_happens}
    return {base_path(server) + PATHS["authorization_endpoint"]: methods}


async def _respond(request: Request, server: AuthorizationServer, sign_in: SignIn) -> Response:
    try:
        asked = await validate_authorization_request(parse(request.query), server)
    except AuthorizationRefused as refused:
        return refused.response or error_response(refused.error)
    try:
        who = await sign_in(request, asked)
    except OAuthError as error:
        return refuse_authorization(asked, error, server)
    if isinstance(who, Authentication):
        return await complete_authorization(
            asked, who, server, address=request.remote_address, agent=request.user_agent
        )
    if "none" in asked.prompt:
        must_ask = LoginRequired("the user must sign in or consent, and prompt=none forbids to ask")
        return refuse_authorization(asked, must_ask, server)
    return _response(who)


def _response(who: object) -> Response:
    if not isinstance(who, Response):
        kind = type(who).__name__
        raise TypeError(f"sign_in must return an Authentication or a Response, not an object of the type {kind}")
    return who


async def _nothing_happens(request: Request) -> Response:  # noqa: ARG001 - an endpoint
    # Who looks at a link's head, such as a preview of it, must not get a code (RFC 9110 §9.2.1).
    return Response()


async def _as_a_get(request: Request) -> Response:
    # Posted from another site it came without the application's cookies (SameSite=Lax); the GET it becomes has them.
    return redirect(f"{request.path}?{format_parameters(posted_parameters(request))}")
