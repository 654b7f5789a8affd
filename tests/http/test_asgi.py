"""The ASGI adapter, spoken to as an ASGI server does."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from everbearer.http.asgi import asgi_application
from everbearer.oauth.messages import Request, Response, json_response


async def echo(request: Request) -> Response:
    return json_response(
        {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "headers": dict(request.headers),
            "body": request.body.decode(),
            "address": request.remote_address,
        }
    )


async def broken(request: Request) -> Response:
    raise RuntimeError(f"no luck with {request.method}")


def client_of(endpoint: Any, **options: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=asgi_application(endpoint, **options), client=("192.0.2.7", 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://id.example")


async def test_a_request_arrives_whole() -> None:
    async with client_of(echo) as client:
        response = await client.post("/oauth2/token?a=b%20c", content=b"x=1", headers={"X-Thing": "One"})

    assert response.json()["path"] == "/oauth2/token"
    assert response.json()["query"] == "a=b%20c"
    assert response.json()["body"] == "x=1"
    assert response.json()["headers"]["x-thing"] == "One"
    assert response.json()["address"] == "192.0.2.7"


@pytest.mark.spec("RFC 9110", "5.3")
async def test_a_repeated_header_is_joined_by_commas_and_cookies_by_semicolons() -> None:
    headers = [("Accept", "a"), ("Accept", "b"), ("Cookie", "c=1"), ("Cookie", "d=2")]
    async with client_of(echo) as client:
        response = await client.get("/", headers=headers)

    assert response.json()["headers"]["accept"].endswith("a, b")
    assert response.json()["headers"]["cookie"] == "c=1; d=2"


@pytest.mark.spec("RFC 9110", "15.5.14")
async def test_a_body_that_is_too_long_is_not_read() -> None:
    async with client_of(echo, max_body=10) as client:
        response = await client.post("/", content=b"x" * 11)

    assert response.status_code == 413
    assert response.json()["error"] == "invalid_request"


async def test_a_failure_is_logged_and_answered_without_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "everbearer")

    async with client_of(broken) as client:
        response = await client.get("/path?secret=1")

    assert response.status_code == 500
    assert response.json()["error"] == "server_error"
    assert "no luck" not in response.text
    assert "GET /path failed" in caplog.text
    assert "secret=1" not in caplog.text


async def test_head_is_answered_with_headers_alone() -> None:
    async with client_of(echo) as client:
        response = await client.head("/")

    assert (response.status_code, response.content) == (200, b"")


async def test_a_caller_that_goes_away_is_let_go() -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
    await asgi_application(echo)(scope, receive, send)

    assert sent == []


async def test_an_application_mounted_below_a_path_sees_the_whole_path() -> None:
    answers: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        answers.append(message)

    for path in ("/auth/oauth2/token", "/oauth2/token"):
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": path,
            "root_path": "/auth",
            "headers": [],
            "query_string": b"",
        }
        await asgi_application(echo)(scope, receive, send)

    assert [b'"path":"/auth/oauth2/token"' in answer["body"] for answer in answers[1::2]] == [True, True]


class Lifespan:
    """A lifespan protocol driven by hand."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def receive(self) -> dict[str, Any]:
        return {"type": "lifespan.startup" if not self.sent else "lifespan.shutdown"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)


async def test_the_lifespan_is_entered_at_start_and_left_at_shutdown() -> None:
    steps: list[str] = []
    server = Lifespan()

    @asynccontextmanager
    async def lifespan() -> AsyncGenerator[None]:
        steps.append("start")
        yield
        steps.append("stop")

    await asgi_application(echo, lifespan=lifespan)({"type": "lifespan"}, server.receive, server.send)

    assert steps == ["start", "stop"]
    assert [message["type"] for message in server.sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_start_that_fails_is_told_to_the_server(caplog: pytest.LogCaptureFixture) -> None:
    server = Lifespan()

    @asynccontextmanager
    async def lifespan() -> AsyncGenerator[None]:
        raise RuntimeError("the store is not there")
        yield

    await asgi_application(echo, lifespan=lifespan)({"type": "lifespan"}, server.receive, server.send)

    assert server.sent == [{"type": "lifespan.startup.failed", "message": "the store is not there"}]
    assert "start-up or shutdown failed" in caplog.text


async def test_other_protocols_are_refused() -> None:
    server = Lifespan()

    with pytest.raises(ValueError, match="websocket"):
        await asgi_application(echo)({"type": "websocket"}, server.receive, server.send)
