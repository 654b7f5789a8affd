"""A WSGI middleware that lets through what has a valid access token (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias, cast

from everbearer.oauth.arguments import check_arguments
from everbearer.oauth.messages import Response
from everbearer.resource_server.access_token import AccessToken
from everbearer.resource_server.bearer import bearer_token
from everbearer.resource_server.errors import OAuthError
from everbearer.resource_server.requirement import VALID, Requirement
from everbearer.resource_server.resource_server import ResourceServer
from everbearer.resource_server.settings_rules import ADVICE

__all__ = ["access_token", "protect"]

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Any]
Application: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]

ACCESS_TOKEN = "everbearer.access_token"
"""Under which an environ has its access token."""


def protect(app: Application, api: ResourceServer, required: Requirement = VALID) -> Application:
    """Return an application that answers itself where there is no access token that meets a requirement.

    It serves the metadata of the resource server too (RFC 9728). `access_token(environ)` gives the token further in.

    Raises:
        ValueError: it cannot be made of these; the message says what to change.
    """
    check_arguments(protect, ADVICE, app=app, api=api, required=required)

    def protected(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if api.metadata_path and api.metadata_path == environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""):
            return _answer(api.metadata_response(environ["REQUEST_METHOD"]), environ, start_response)
        try:
            environ[ACCESS_TOKEN] = api.validate(token_of(environ), required)
        except OAuthError as error:
            return _answer(api.refusal(error, required), environ, start_response)
        return app(environ, start_response)

    return protected


def access_token(environ: Mapping[str, Any]) -> AccessToken:
    """Return the access token of a request that was let through.

    Raises:
        KeyError: nothing asked for one on the way.
    """
    return cast("AccessToken", environ[ACCESS_TOKEN])


def token_of(environ: Mapping[str, Any]) -> str:
    """Return the bearer token of a request; see `bearer_token`."""
    header = environ.get("HTTP_AUTHORIZATION")
    return bearer_token([] if header is None else [header], environ.get("QUERY_STRING", ""))


def _answer(response: Response, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    status = f"{response.status} {HTTPStatus(response.status).phrase}"
    start_response(status, [*response.headers, ("Content-Length", str(len(response.body)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else response.body]
