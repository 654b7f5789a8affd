"""The WSGI adapter, checked by the standard library's own validator of PEP 3333."""

import asyncio
import json
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from everbearer.http.protocol_routes import client_routes
from everbearer.http.routes import dispatch
from everbearer.http.wsgi import finish, request_from_environ, wsgi_application
from everbearer.oauth.messages import Request, Response, json_response
from everbearer.storage.memory import MemoryStore
from world import new_world


async def echo(request: Request) -> Response:
    return json_response({"path": request.path, "query": request.query, "body": request.body.decode()})


def call(application: Any, method: str, path: str, body: bytes = b"", query: str = "") -> tuple[str, bytes]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    setup_testing_defaults(environ)
    statuses: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        assert headers
        assert exc_info is None
        statuses.append(status)
        return statuses.append

    chunks: Any = validator(application)(environ, start_response)
    answer = b"".join(chunks)
    chunks.close()
    return statuses[0], answer


def test_a_request_arrives_whole() -> None:
    status, answer = call(wsgi_application(echo), "POST", "/oauth2/token", b"a=b", "c=d")

    assert status == "200 OK"
    assert json.loads(answer) == {"path": "/oauth2/token", "query": "c=d", "body": "a=b"}


def test_a_body_that_is_too_long_is_not_read() -> None:
    status, answer = call(wsgi_application(echo, max_body=2), "POST", "/", b"a=b")

    assert status == "413 Request Entity Too Large"
    assert json.loads(answer)["error"] == "invalid_request"


def test_head_is_answered_with_headers_alone() -> None:
    assert call(wsgi_application(echo), "HEAD", "/") == ("200 OK", b"")


def test_a_blocking_store_needs_no_event_loop() -> None:
    world = asyncio.run(new_world(MemoryStore()))
    application = wsgi_application(dispatch(client_routes(world.server)))

    status, answer = call(application, "POST", "/oauth2/token", b"grant_type=client_credentials&client_id=machine")

    assert status == "401 Unauthorized"
    assert json.loads(answer)["error"] == "invalid_client"


def test_a_body_of_no_known_length_is_refused() -> None:
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "ten"}
    statuses: list[str] = []

    wsgi_application(echo)(environ, lambda status, _: statuses.append(status))

    assert statuses == ["400 Bad Request"]


def test_an_endpoint_that_fails_is_answered_as_json_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(request: Request) -> Response:
        raise ZeroDivisionError(request.path)

    status, answer = call(wsgi_application(fails), "GET", "/oauth2/jwks")

    assert status == "500 Internal Server Error"
    assert json.loads(answer)["error"] == "server_error"
    assert "GET /oauth2/jwks failed" in caplog.text


def test_a_mount_below_a_path_is_understood() -> None:
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/auth", "PATH_INFO": "/caf\u00c3\u00a9", "QUERY_STRING": "a=b"}

    assert request_from_environ(environ, b"").path == "/auth/café"


def test_a_store_that_suspends_is_told_apart() -> None:
    async def suspends(request: Request) -> Response:
        await asyncio.sleep(0)
        return await echo(request)

    with pytest.raises(RuntimeError, match="serve this application by ASGI"):
        finish(suspends(Request(method="GET", path="/")))
