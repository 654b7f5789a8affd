"""Errors as the protocol wants them: JSON with a status (RFC 6749 §5.2), never to be stored."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

from everbearer.oauth.errors import OAuthError, StoreUnavailable, TemporarilyUnavailable
from everbearer.oauth.messages import Response

RETRY_AFTER = 2
"""Seconds a client is asked to wait while the store is in trouble."""


async def answer(work: Awaitable[Response]) -> Response:
    """Await an endpoint's work and render the error it gives up with, if it does."""
    try:
        return await work
    except OAuthError as error:
        return error_response(error)
    except StoreUnavailable as trouble:
        return store_trouble(trouble)


def store_trouble(trouble: StoreUnavailable) -> Response:
    """Tell a client that the store cannot answer now, and that what it holds is still good; the operator learns why."""
    error = TemporarilyUnavailable("the server cannot answer now; try the same again soon", retry_after=RETRY_AFTER)
    return replace(error_response(error), trouble=trouble.reason)


def error_response(error: OAuthError) -> Response:
    """Render an error as JSON."""
    return error.response()


def error_members(error: OAuthError) -> dict[str, str]:
    """Return the members of an error as they stand on the wire."""
    return error.members()
