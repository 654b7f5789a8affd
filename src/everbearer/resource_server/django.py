"""Django: a decorator for views, blocking or asynchronous, and the path of the metadata."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeAlias, cast

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from everbearer.oauth import messages
from everbearer.oauth.arguments import check_arguments
from everbearer.resource_server.access_token import AccessToken
from everbearer.resource_server.errors import INSUFFICIENT, OAuthError
from everbearer.resource_server.requirement import Requirement, requirement
from everbearer.resource_server.resource_server import ResourceServer
from everbearer.resource_server.settings_rules import ADVICE
from everbearer.resource_server.wsgi import ACCESS_TOKEN, token_of

__all__ = ["Bearer", "access_token"]

View: TypeAlias = Callable[..., Any]
"""A view, blocking or asynchronous. Django's own decorators are as vague about its arguments."""


class Bearer:
    """Asks requests for access tokens."""

    def __init__(self, api: ResourceServer) -> None:
        check_arguments(Bearer.__init__, ADVICE, api=api)
        self.api = api

    def require(
        self, *scope: str, acr_values: tuple[str, ...] = (), max_age: int | None = None
    ) -> Callable[[View], View]:
        """Return a decorator of views that are for access tokens with this scope.

        Without a scope any valid token will do. `acr_values` and `max_age` ask for a better or a more recent sign-in
        (RFC 9470). `access_token(request)` gives the token. For a class of views it is
        `method_decorator(bearer.require(...), name="dispatch")`.

        The views are exempt from Django's protection against forged requests, for no browser sends an access token by
        itself.
        """
        required = requirement(*scope, acr_values=acr_values, max_age=max_age)

        def decorate(view: View) -> View:
            guarded = self._awaiting(view, required) if iscoroutinefunction(view) else self._blocking(view, required)
            return csrf_exempt(guarded)

        return decorate

    def urls(self) -> list[URLPattern]:
        """Return the URL of the resource server's metadata (RFC 9728), for the root; none without an identifier."""

        def metadata(request: HttpRequest) -> HttpResponse:
            return _response(self.api.metadata_response(request.method or "GET"))

        return [path(self.api.metadata_path[1:], csrf_exempt(metadata))] if self.api.metadata_path else []

    def _blocking(self, view: View, required: Requirement) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            try:
                request.META[ACCESS_TOKEN] = self.api.validate(token_of(request.META), required)
            except OAuthError as error:
                return self._refusal(error, required)
            try:
                return cast("HttpResponseBase", view(request, *args, **kwargs))
            except INSUFFICIENT as error:
                return self._refusal(error, required)

        return guarded

    def _awaiting(self, view: View, required: Requirement) -> View:
        @wraps(view)
        async def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            try:
                request.META[ACCESS_TOKEN] = await self.api.validate_async(token_of(request.META), required)
            except OAuthError as error:
                return self._refusal(error, required)
            try:
                return cast("HttpResponseBase", await view(request, *args, **kwargs))
            except INSUFFICIENT as error:
                return self._refusal(error, required)

        return guarded

    def _refusal(self, error: OAuthError, required: Requirement) -> HttpResponse:
        return _response(self.api.refusal(error, required))


def access_token(request: HttpRequest) -> AccessToken:
    """Return the access token of a request that was let through.

    Raises:
        KeyError: its view requires none.
    """
    return cast("AccessToken", request.META[ACCESS_TOKEN])


def _response(response: messages.Response) -> HttpResponse:
    return HttpResponse(response.body, status=response.status, headers=dict(response.headers))
