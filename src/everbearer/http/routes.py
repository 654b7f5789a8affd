"""The table of paths: which endpoint answers which path and method."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from everbearer.http.given import check
from everbearer.oauth.error_response import error_response
from everbearer.oauth.errors import OAuthError
from everbearer.oauth.messages import Endpoint, Request, Response

log = logging.getLogger("everbearer")

Routes: TypeAlias = Mapping[str, Mapping[str, Endpoint]]
"""Path to method to endpoint. A path that has GET has HEAD too."""


class NotFound(OAuthError):
    """Nothing answers at this path (RFC 9110 §15.5.5)."""

    error = "not_found"
    status = 404


class MethodNotAllowed(OAuthError):
    """The path does not answer this method (RFC 9110 §15.5.6)."""

    error = "invalid_request"
    status = 405


async def not_found(request: Request) -> Response:  # noqa: ARG001 - an endpoint
    """Answer that nothing is here, as JSON."""
    return error_response(NotFound("nothing answers at this path"))


def below(prefix: str, routes: Routes) -> Routes:
    """Return the paths with a prefix before each.

    For an application that is mounted below a path which its URLs on the outside do not have: a proxy puts it there.

    Raises:
        ValueError: these are no routes, or the prefix does not begin with a slash or ends with one.
    """
    check(below, prefix=prefix, routes=routes)
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        raise ValueError(f"prefix must begin with a slash and end without one, such as /auth, not {prefix!r}")
    return {prefix + path: methods for path, methods in routes.items()}


def dispatch(routes: Routes, *, otherwise: Endpoint = not_found) -> Endpoint:
    """Return the endpoint that passes each request to its own; `otherwise` answers for all other paths.

    Raises:
        ValueError: these are no routes, or no endpoint.
    """
    check(dispatch, routes=routes, otherwise=otherwise)

    async def endpoint(request: Request) -> Response:
        methods = routes.get(request.path)
        if methods is None:
            return await otherwise(request)
        answering = methods.get(request.method)
        if answering is not None:
            return _told(await answering(request))
        if request.method == "HEAD" and "GET" in methods:
            response = await methods["GET"](replace(request, method="GET"))
            return replace(_told(response), body=b"")
        # "The origin server MUST generate an Allow header field in a 405 response" (RFC 9110 §15.5.6).
        allow = ", ".join([*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"])
        if request.method == "OPTIONS":
            return Response(status=200, headers=(("Allow", allow),))
        refused = MethodNotAllowed(f"this path answers {allow}, not {request.method[:20]}")
        return error_response(refused).with_headers(("Allow", allow))

    return endpoint


def _told(response: Response) -> Response:
    if response.trouble:
        # Whoever runs this learns it here: the client is told to come again, and no more.
        log.error("the store cannot answer: %s", response.trouble)
    return response
