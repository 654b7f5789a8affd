"""The resource owner password credentials grant (RFC 6749 §4.3), for migrations alone.

"The resource owner password credentials grant [RFC6749] MUST NOT be used" (RFC 9700 §2.4): the application sees the
password, users learn to type it anywhere, and no second factor can ever come in. It is here so that an application that
still does so can be moved without a flag day, and it is off until somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from everbearer.oauth.arguments import check_arguments
from everbearer.oauth.authorization.granting import grant_tokens, requested_scope
from everbearer.oauth.authorization_server import AuthorizationServer, TokenRequest
from everbearer.oauth.client import REFRESH_TOKEN, Client
from everbearer.oauth.errors import InvalidGrant, UnauthorizedClient
from everbearer.oauth.messages import Request
from everbearer.oauth.models import Authentication
from everbearer.oauth.scope import OFFLINE_ACCESS, Scope
from everbearer.oauth.token_response import TokenResponse
from everbearer.oauth.users.subjects import require_subjects

CheckPassword: TypeAlias = Callable[[str, str, Request], Awaitable[Authentication | None]]
"""Returns who has this username and password; None where nobody has, in the same time. It limits how often they may be
tried, as the sign-in page does, and raises `TooManyRequests` beyond that."""


def password_grant(
    check: CheckPassword,
) -> Callable[[TokenRequest, AuthorizationServer], Awaitable[TokenResponse]]:
    """Return the grant that takes the passwords of users; `check` says whose they are.

    Raises:
        ValueError: `check` is no async function of its arguments.
    """
    check_arguments(password_grant, check=check)

    async def grant(request: TokenRequest, server: AuthorizationServer) -> TokenResponse:
        client = request.client
        # Nobody else may ask a user for the password, and there is no page on which to consent.
        if not client.first_party:
            raise UnauthorizedClient("password is for first-party clients alone; use the authorization code grant")
        username, password = request.parameters.require("username"), request.parameters.require("password")
        require_subjects(client, server)
        scope = _scope(request, server)
        authentication = await check(username, password, request.http)
        if authentication is None:
            raise InvalidGrant("username and password do not match", reason="wrong credentials")
        return await grant_tokens(request, authentication, scope, server)

    return grant


def _scope(request: TokenRequest, server: AuthorizationServer) -> Scope:
    if "scope" in request.parameters:
        return requested_scope(request, server)
    # Applications of that age send none, and expect all: "a pre-defined default value" (RFC 6749 §3.3).
    return tuple(value for value in request.client.scope if value in server.scopes and _may_have(request.client, value))


def _may_have(client: Client, value: str) -> bool:
    return value != OFFLINE_ACCESS or REFRESH_TOKEN in client.grant_types
