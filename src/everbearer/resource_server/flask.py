"""Flask: a decorator for views. For whole applications see `wsgi.protect`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeAlias, cast

from flask import Blueprint, Response, current_app, g, request
from flask.typing import ResponseReturnValue

from everbearer.oauth import messages
from everbearer.oauth.arguments import check_arguments
from everbearer.resource_server.access_token import AccessToken
from everbearer.resource_server.errors import INSUFFICIENT, OAuthError
from everbearer.resource_server.requirement import requirement
from everbearer.resource_server.resource_server import ResourceServer
from everbearer.resource_server.settings_rules import ADVICE
from everbearer.resource_server.wsgi import token_of

__all__ = ["Bearer", "access_token"]

P = ParamSpec("P")
View: TypeAlias = Callable[P, ResponseReturnValue] | Callable[P, Awaitable[ResponseReturnValue]]


class Bearer:
    """Asks requests for access tokens."""

    def __init__(self, api: ResourceServer) -> None:
        check_arguments(Bearer.__init__, ADVICE, api=api)
        self.api = api

    def require(
        self, *scope: str, acr_values: tuple[str, ...] = (), max_age: int | None = None
    ) -> Callable[[View[P]], Callable[P, ResponseReturnValue]]:
        """Return a decorator of views that are for access tokens with this scope; it stands below the route.

        Without a scope any valid token will do. `acr_values` and `max_age` ask for a better or a more recent sign-in
        (RFC 9470). `access_token()` gives the token.
        """
        required = requirement(*scope, acr_values=acr_values, max_age=max_age)

        def decorate(view: View[P]) -> Callable[P, ResponseReturnValue]:
            @wraps(view)
            def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
                try:
                    g.access_token = self.api.validate(token_of(request.environ), required)
                except OAuthError as error:
                    return _response(self.api.refusal(error, required))
                try:
                    return cast("ResponseReturnValue", current_app.ensure_sync(view)(*args, **kwargs))
                except INSUFFICIENT as error:
                    return _response(self.api.refusal(error, required))

            return guarded

        return decorate

    def blueprint(self) -> Blueprint:
        """Return the route of the resource server's metadata (RFC 9728); none where it has no identifier."""
        blueprint = Blueprint("everbearer_protected_resource", __name__)

        def metadata() -> Response:
            return _response(self.api.metadata_response(request.method))

        if self.api.metadata_path:
            blueprint.add_url_rule(
                self.api.metadata_path,
                view_func=metadata,
                methods=["GET", "OPTIONS"],
                provide_automatic_options=False,
            )
        return blueprint


def access_token() -> AccessToken:
    """Return the access token of the request that was let through.

    Raises:
        AttributeError: its view requires none.
    """
    return cast("AccessToken", g.access_token)


def _response(response: messages.Response) -> Response:
    return Response(response.body, response.status, list(response.headers))
