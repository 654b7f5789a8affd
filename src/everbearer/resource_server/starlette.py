"""Starlette: a decorator for endpoints. For whole applications see `asgi.protect`, for FastAPI `fastapi`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import TypeAlias, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from everbearer.oauth import messages
from everbearer.oauth.arguments import check_arguments
from everbearer.resource_server.access_token import AccessToken
from everbearer.resource_server.asgi import ACCESS_TOKEN, token_of
from everbearer.resource_server.asgi import access_token as access_token_of_scope
from everbearer.resource_server.errors import INSUFFICIENT, OAuthError
from everbearer.resource_server.requirement import requirement
from everbearer.resource_server.resource_server import ResourceServer
from everbearer.resource_server.settings_rules import ADVICE

__all__ = ["Bearer", "access_token"]

Endpoint: TypeAlias = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]


class Bearer:
    """Asks requests for access tokens."""

    def __init__(self, api: ResourceServer) -> None:
        check_arguments(Bearer.__init__, ADVICE, api=api)
        self.api = api

    def require(
        self, *scope: str, acr_values: tuple[str, ...] = (), max_age: int | None = None
    ) -> Callable[[Endpoint], Callable[[Request], Awaitable[Response]]]:
        """Return a decorator of endpoints that are for access tokens with this scope.

        Without a scope any valid token will do. `acr_values` and `max_age` ask for a better or a more recent sign-in
        (RFC 9470). `access_token(request)` gives the token.
        """
        required = requirement(*scope, acr_values=acr_values, max_age=max_age)

        def decorate(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
            @wraps(endpoint)
            async def guarded(request: Request) -> Response:
                try:
                    request.scope[ACCESS_TOKEN] = await self.api.validate_async(token_of(request.scope), required)
                except OAuthError as error:
                    return _response(self.api.refusal(error, required))
                try:
                    if iscoroutinefunction(endpoint):
                        return cast("Response", await endpoint(request))
                    return cast("Response", await run_in_threadpool(endpoint, request))
                except INSUFFICIENT as error:
                    return _response(self.api.refusal(error, required))

            return guarded

        return decorate

    def routes(self) -> list[Route]:
        """Return the route of the resource server's metadata (RFC 9728); none where it has no identifier."""

        def metadata(request: Request) -> Response:
            return _response(self.api.metadata_response(request.method))

        path = self.api.metadata_path
        return [Route(path, metadata, methods=["GET", "OPTIONS"])] if path else []


def access_token(request: Request) -> AccessToken:
    """Return the access token of a request that was let through.

    Raises:
        KeyError: its endpoint requires none.
    """
    return access_token_of_scope(request.scope)


def _response(response: messages.Response) -> Response:
    return Response(response.body, response.status, dict(response.headers))
