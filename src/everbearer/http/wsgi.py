"""From a WSGI server to an endpoint and back (PEP 3333), for stores whose verbs do not suspend."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias, TypeVar, cast

from everbearer.http.asgi import MAX_BODY, ContentTooLarge, answer_safely
from everbearer.http.given import check, check_most
from everbearer.oauth.errors import InvalidRequest
from everbearer.oauth.messages import Endpoint, Request, Response

T = TypeVar("T")

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[[str, list[tuple[str, str]]], object]
Application: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]


def wsgi_application(endpoint: Endpoint, *, max_body: int = MAX_BODY) -> Application:
    """Return a WSGI application that answers by an endpoint.

    The protocol awaits nothing but its store. With a store that blocks instead of suspending, an endpoint is finished
    by one step, and no event loop is needed.

    Raises:
        ValueError: it cannot be made of these; the message says what to change.
    """
    check(wsgi_application, endpoint=endpoint, max_body=max_body)
    check_most(max_body)

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        response = _answer(endpoint, environ, max_body)
        status = f"{response.status} {HTTPStatus(response.status).phrase}"
        start_response(status, [*response.headers, ("Content-Length", str(len(response.body)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else response.body]

    return application


def finish(work: Awaitable[T]) -> T:
    """Run a coroutine to its end in one step, without an event loop.

    Raises:
        RuntimeError: its store suspends; such a store needs an event loop, and the ASGI adapter.
    """
    coroutine = cast("Coroutine[object, None, T]", work)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("T", stop.value)
    coroutine.close()
    raise RuntimeError("the store suspends: serve this application by ASGI")


def request_from_environ(environ: Mapping[str, Any], body: bytes) -> Request:
    """Return the request of a WSGI environ, for views of a framework that has read the body already."""
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    # "the paths are bytes decoded as latin-1" (PEP 3333, Unicode Issues).
    path = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1").decode("utf-8", "replace")
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        body=body,
        remote_address=environ.get("REMOTE_ADDR", ""),
    )


def _answer(endpoint: Endpoint, environ: Environ, max_body: int) -> Response:
    sent: str = environ.get("CONTENT_LENGTH") or "0"
    if not (sent.isascii() and sent.isdigit()):
        return InvalidRequest("Content-Length is not a number").response()
    if int(sent) > max_body:
        return ContentTooLarge(f"the body is longer than {max_body} bytes").response()
    body: bytes = environ["wsgi.input"].read(int(sent))
    return finish(answer_safely(request_from_environ(environ, body), endpoint))
