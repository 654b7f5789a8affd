"""Litestar: guards, and a dependency that gives a handler its access token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, cast

from litestar import HttpMethod, Request, Response, route
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from everbearer.oauth.arguments import check_arguments
from everbearer.resource_server import asgi
from everbearer.resource_server.access_token import AccessToken
from everbearer.resource_server.asgi import ACCESS_TOKEN, token_of
from everbearer.resource_server.errors import OAuthError
from everbearer.resource_server.requirement import Requirement, requirement
from everbearer.resource_server.resource_server import ResourceServer
from everbearer.resource_server.settings_rules import ADVICE

__all__ = ["Bearer", "access_token"]


class Bearer:
    """Asks requests for access tokens."""

    def __init__(self, api: ResourceServer) -> None:
        check_arguments(Bearer.__init__, ADVICE, api=api)
        self.api = api

    def require(
        self, *scope: str, acr_values: tuple[str, ...] = (), max_age: int | None = None
    ) -> Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]:
        """Return a guard that lets through what has an access token with this scope.

        Without a scope any valid token will do. `acr_values` and `max_age` ask for a better or a more recent sign-in
        (RFC 9470). Handlers get the token by `Provide(access_token, sync_to_thread=False)`.
        """
        required = requirement(*scope, acr_values=acr_values, max_age=max_age)

        async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
            try:
                token = await self.api.validate_async(token_of(connection.scope), required)
            except OAuthError as error:
                _refuse(self.api, error, required)
            cast("dict[str, Any]", connection.scope)[ACCESS_TOKEN] = token

        return guard

    def check(
        self, token: AccessToken, *scope: str, acr_values: tuple[str, ...] = (), max_age: int | None = None
    ) -> None:
        """Return if a token that was let through meets one requirement more, such as one that depends on the data.

        Raises:
            HTTPException: it does not.
        """
        required = requirement(*scope, acr_values=acr_values, max_age=max_age)
        try:
            self.api.check(token, required)
        except OAuthError as error:
            _refuse(self.api, error, required)

    def route_handlers(self) -> list[HTTPRouteHandler]:
        """Return the handler of the resource server's metadata (RFC 9728); none where it has no identifier."""
        path = self.api.metadata_path
        if not path:
            return []

        methods = [HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS]

        @route(path, http_method=methods, include_in_schema=False, sync_to_thread=False)
        def metadata(request: Request[Any, Any, Any]) -> Response[bytes]:
            response = self.api.metadata_response(request.method)
            return Response(response.body, status_code=response.status, headers=dict(response.headers))

        return [metadata]


def access_token(request: Request[Any, Any, Any]) -> AccessToken:
    """Return the access token of a request that was let through: a dependency.

    Raises:
        KeyError: no guard asked for one.
    """
    return asgi.access_token(request.scope)


def _refuse(api: ResourceServer, error: OAuthError, required: Requirement) -> NoReturn:
    response = api.refusal(error, required)
    headers = {name: value for name, value in response.headers if name != "Content-Type"}
    extra = {"error": error.error} if response.body else None
    detail = error.description if response.body else ""
    raise HTTPException(detail=detail, status_code=response.status, headers=headers, extra=extra) from None
