"""From an ASGI server to an endpoint and back (ASGI 3)."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

from everbearer.http.given import check, check_most
from everbearer.oauth.error_response import error_response
from everbearer.oauth.errors import OAuthError, ServerError
from everbearer.oauth.messages import Endpoint, Request, Response

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""Takes scope, receive and send, whose types each framework writes in its own way."""

Observe: TypeAlias = Callable[[Request, Endpoint], Awaitable[Response]]
"""Asks an endpoint for its answer to a request."""

MAX_BODY = 64 * 1024
"""The longest body that is read, in bytes. Token requests are a few hundred."""

log = logging.getLogger("everbearer")


class ContentTooLarge(OAuthError):
    """The body is longer than the server reads (RFC 9110 §15.5.14)."""

    error = "invalid_request"
    status = 413


class _Disconnected(Exception):
    """The caller has gone."""


async def answer_safely(request: Request, endpoint: Endpoint) -> Response:
    """Return an endpoint's answer; where it fails, log why and answer 500."""
    try:
        return await endpoint(request)
    except Exception:
        # The traceback names places in the code, and no values: exceptions of this package hold no secrets.
        log.exception("%s %s failed", request.method, request.path)
        return error_response(ServerError("the server failed to answer; its log says more"))


@asynccontextmanager
async def _nothing() -> AsyncGenerator[None]:
    yield


def asgi_application(
    endpoint: Endpoint,
    *,
    lifespan: Callable[[], AbstractAsyncContextManager[None]] = _nothing,
    max_body: int = MAX_BODY,
    observe: Observe = answer_safely,
) -> Application:
    """Return an ASGI application that answers by an endpoint. `lifespan` is entered at start and left at shutdown.

    `observe` is what asks the endpoint; it may add to the answer, and may not raise.

    Raises:
        ValueError: it cannot be made of these; the message says what to change.
    """
    check(asgi_application, endpoint=endpoint, lifespan=lifespan, max_body=max_body, observe=observe)
    check_most(max_body)

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _http(endpoint, observe, scope, receive, send, max_body)
        elif scope["type"] == "lifespan":
            await _lifespan(lifespan, receive, send)
        else:
            raise ValueError(f"everbearer does not speak {scope['type']}")

    return application


async def _http(
    endpoint: Endpoint, observe: Observe, scope: Message, receive: Receive, send: Send, max_body: int
) -> None:
    try:
        body = await _body(receive, max_body)
    except _Disconnected:
        return
    except ContentTooLarge as error:
        body, endpoint = b"", _refusing(error)
    response = await observe(_request(scope, body), endpoint)
    await _send(response, send, head=scope["method"] == "HEAD")


def _refusing(error: ContentTooLarge) -> Endpoint:
    async def refuse(request: Request) -> Response:  # noqa: ARG001 - an endpoint
        return error_response(error).with_headers(("Connection", "close"))

    return refuse


def _request(scope: Message, body: bytes) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        # "any recipient MAY combine multiple field lines [...] separated by a comma" (RFC 9110 §5.3); cookies by "; ".
        joint = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{joint}{value}" if name in headers else value
    root: str = scope.get("root_path", "")
    path: str = scope["path"]
    return Request(
        method=scope["method"],
        path=path if path.startswith(root) else root + path,
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
        remote_address=(scope.get("client") or ("", 0))[0],
    )


async def _body(receive: Receive, max_body: int) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Disconnected
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > max_body:
            raise ContentTooLarge(f"the body is longer than {max_body} bytes")
    return body


async def _send(response: Response, send: Send, *, head: bool) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if not head and all(name != b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})


async def _lifespan(lifespan: Callable[[], AbstractAsyncContextManager[None]], receive: Receive, send: Send) -> None:
    await receive()
    try:
        async with lifespan():
            await send({"type": "lifespan.startup.complete"})
            await receive()
    except Exception as error:
        log.exception("start-up or shutdown failed")
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.shutdown.complete"})
