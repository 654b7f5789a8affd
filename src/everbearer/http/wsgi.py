"""From a WSGI server to an endpoint and back (PEP 3333), for stores whose verbs do not suspend."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from http import HTTPStatus
from typing import Any, TypeAlias, cast

from everbearer.http.asgi import MAX_BODY, ContentTooLarge
from everbearer.oauth.error_response import error_response
from everbearer.oauth.messages import Endpoint, Request, Response

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[[str, list[tuple[str, str]]], object]
Application: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]


def wsgi_application(endpoint: Endpoint, *, max_body: int = MAX_BODY) -> Application:
    """Return a WSGI application that answers by an endpoint.

    The protocol awaits nothing but its store. With a store that blocks instead of suspending, an endpoint is finished
    by one step, and no event loop is needed.
    """

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > max_body:
            response = error_response(ContentTooLarge(f"the body is longer than {max_body} bytes"))
        else:
            response = finish(endpoint(_request(environ, environ["wsgi.input"].read(length))))
        status = f"{response.status} {HTTPStatus(response.status).phrase}"
        start_response(status, [*response.headers, ("Content-Length", str(len(response.body)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else response.body]

    return application


def finish(work: object) -> Response:
    """Run an endpoint's coroutine to its end in one step.

    Raises:
        RuntimeError: its store suspends; such a store needs an event loop, and the ASGI adapter.
    """
    coroutine = cast("Coroutine[object, None, Response]", work)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("Response", stop.value)
    coroutine.close()
    raise RuntimeError("the store suspends: serve this application by ASGI")


def _request(environ: Environ, body: bytes) -> Request:
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
