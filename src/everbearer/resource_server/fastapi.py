"""FastAPI: dependencies that give an endpoint its access token, and stand in the OpenAPI document."""

# Annotations are read while the application runs: they must not be texts.
from functools import lru_cache
from typing import NoReturn

from fastapi import APIRouter, HTTPException, Request, Response, WebSocketException
from fastapi.openapi.models import HTTPBearer
from fastapi.requests import HTTPConnection
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from everbearer.oauth.arguments import check_arguments
from everbearer.resource_server.access_token import AccessToken
from everbearer.resource_server.asgi import token_of
from everbearer.resource_server.errors import OAuthError
from everbearer.resource_server.requirement import Requirement, requirement
from everbearer.resource_server.resource_server import ResourceServer
from everbearer.resource_server.settings_rules import ADVICE

__all__ = ["Bearer", "Required"]

_POLICY_VIOLATION = 1008


class Required(SecurityBase):
    """A dependency that gives the access token of a request, or refuses the request.

    `Depends(bearer.require("notes:read"))` is one; `Security(bearer.require(), scopes=["notes:read"])` says the same.
    """

    def __init__(self, api: ResourceServer, required: Requirement, scheme_name: str) -> None:
        self.api = api
        self.required = required
        self.scheme_name = scheme_name
        self.model = HTTPBearer(bearerFormat="JWT", description=f"An access token of {api.issuer}")

    async def __call__(self, connection: HTTPConnection, security_scopes: SecurityScopes) -> AccessToken:
        """Return the access token of a request.

        Raises:
            HTTPException: there is none that meets the requirement; the exception has the challenge.
            WebSocketException: the same, where a WebSocket should open.
        """
        scopes = security_scopes.scopes
        required = _with_scopes(self.required, *scopes) if scopes else self.required
        try:
            return await self.api.validate_async(token_of(connection.scope), required)
        except OAuthError as error:
            if connection.scope["type"] == "websocket":
                raise WebSocketException(_POLICY_VIOLATION, error.error) from None
            _refuse(self.api, error, required)


@lru_cache(maxsize=1024)
def _with_scopes(wanted: Requirement, *scopes: str) -> Requirement:
    # They stand in the code: there are few.
    return requirement(*wanted.scope, *scopes, acr_values=wanted.acr_values, max_age=wanted.max_age)


class Bearer:
    """Asks requests for access tokens."""

    def __init__(self, api: ResourceServer, *, scheme_name: str = "bearer") -> None:
        """Name the scheme as the OpenAPI document should."""
        check_arguments(Bearer.__init__, ADVICE, api=api, scheme_name=scheme_name)
        self.api = api
        self.scheme_name = scheme_name

    def require(self, *scope: str, acr_values: tuple[str, ...] = (), max_age: int | None = None) -> Required:
        """Return a dependency that gives access tokens with this scope.

        Without a scope any valid token will do. `acr_values` and `max_age` ask for a better or a more recent sign-in
        (RFC 9470).
        """
        return Required(self.api, requirement(*scope, acr_values=acr_values, max_age=max_age), self.scheme_name)

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

    def router(self) -> APIRouter:
        """Return the route of the resource server's metadata (RFC 9728); none where it has no identifier."""
        router = APIRouter()

        def metadata(request: Request) -> Response:
            response = self.api.metadata_response(request.method)
            return Response(response.body, response.status, dict(response.headers))

        if self.api.metadata_path:
            methods = ["GET", "HEAD", "OPTIONS"]
            router.add_api_route(self.api.metadata_path, metadata, methods=methods, include_in_schema=False)
        return router


def _refuse(api: ResourceServer, error: OAuthError, required: Requirement) -> NoReturn:
    response = api.refusal(error, required)
    headers = {name: value for name, value in response.headers if name != "Content-Type"}
    detail = {"error": error.error, "error_description": error.description} if response.body else None
    raise HTTPException(response.status, detail, headers) from None
