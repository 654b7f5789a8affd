"""Errors as the protocol wants them: JSON with a status (RFC 6749 §5.2), never to be stored."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

from everbearer.oauth.errors import InvalidClient, OAuthError, StoreUnavailable, TemporarilyUnavailable
from everbearer.oauth.messages import NO_STORE, Headers, Response, json_response

RETRY_AFTER = 2
"""Seconds a client is asked to wait while the store is in trouble."""


async def answer(work: Awaitable[Response]) -> Response:
    """Await an endpoint's work and render the error it gives up with, if it does."""
    try:
        return await work
    except OAuthError as error:
        return error_response(error)
    except StoreUnavailable:
        return error_response(store_trouble())


def store_trouble() -> OAuthError:
    """Return what a client is told while the store cannot answer: what it holds is still good."""
    return TemporarilyUnavailable("the server cannot answer now; try the same again soon", retry_after=RETRY_AFTER)


def error_response(error: OAuthError) -> Response:
    """Render an error as JSON."""
    response = json_response(error_members(error), status=error.status, headers=(*NO_STORE, *_headers(error)))
    return replace(response, error=error.error)


def error_members(error: OAuthError) -> dict[str, str]:
    """Return the members of an error as they stand on the wire."""
    members = {"error": error.error, "error_description": _allowed(error.description)}
    return {**members, "error_uri": error.error_uri} if error.error_uri else members


def _allowed(text: str) -> str:
    # "Values for the "error_description" parameter MUST NOT include characters outside the set
    # %x20-21 / %x23-5B / %x5D-7E" (RFC 6749 §5.2).
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text)


def _headers(error: OAuthError) -> Headers:
    if error.retry_after:
        return (("Retry-After", str(error.retry_after)),)
    # "If the client attempted to authenticate via the "Authorization" request header field, the authorization server
    # MUST respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response header
    # field matching the authentication scheme used by the client" (RFC 6749 §5.2).
    if isinstance(error, InvalidClient) and error.basic:
        return (("WWW-Authenticate", 'Basic realm="token endpoint", charset="UTF-8"'),)
    return ()
