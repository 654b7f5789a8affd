"""Cross-origin resource sharing for scripts in browsers (the Fetch standard, §3.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from everbearer.http.given import check
from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.messages import Endpoint, Headers, Request, Response

PREFLIGHT_LIFETIME = 900
"""Seconds for which a browser may keep the answer to a preflight."""


def share(
    endpoint: Endpoint,
    *,
    with_everybody: Collection[str],
    with_clients: Collection[str],
    allows_origin: Callable[[str], Awaitable[bool]],
) -> Endpoint:
    """Return the endpoint with CORS: some paths for every origin, some for those of clients, the others for none.

    Errors carry the headers too, or a script would see nothing but a failed request. Credentials are allowed for the
    clients' paths, since well-known SDKs send them even where no cookie is read.

    Raises:
        ValueError: it cannot be made of these; the message says what to change.
    """
    check(
        share, endpoint=endpoint, with_everybody=with_everybody, with_clients=with_clients, allows_origin=allows_origin
    )

    async def shared(request: Request) -> Response:
        origin = request.headers.get("origin")
        if request.path in with_everybody:
            return await _answer(endpoint, request, (("Access-Control-Allow-Origin", "*"),))
        if request.path not in with_clients:
            return await endpoint(request)
        headers: Headers = (("Vary", "Origin"),)
        if origin is not None and await _allowed(origin, allows_origin):
            headers = (
                *headers,
                ("Access-Control-Allow-Origin", origin),
                ("Access-Control-Allow-Credentials", "true"),
                ("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After"),
            )
        return await _answer(endpoint, request, headers)

    return shared


async def _allowed(origin: str, allows_origin: Callable[[str], Awaitable[bool]]) -> bool:
    try:
        return await allows_origin(origin)
    except StoreUnavailable:
        return False


async def _answer(endpoint: Endpoint, request: Request, headers: Headers) -> Response:
    if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
        return Response(status=200, headers=(*headers, *_preflight(request)))
    return (await endpoint(request)).with_headers(*headers)


def _preflight(request: Request) -> Headers:
    return (
        ("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS"),
        ("Access-Control-Allow-Headers", request.headers.get("access-control-request-headers", "authorization")),
        ("Access-Control-Max-Age", str(PREFLIGHT_LIFETIME)),
    )
