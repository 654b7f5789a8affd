"""What is different from adapter to adapter."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import Any

import httpx
import pytest
from django.http import HttpRequest
from django.test import override_settings
from flask import Flask
from litestar import Litestar
from starlette.requests import Request

from everbearer.resource_server import ResourceServer, asgi, requirement, wsgi
from everbearer.resource_server.django import Bearer as DjangoBearer
from everbearer.resource_server.django import access_token as token_in_django
from everbearer.resource_server.fastapi import Bearer as FastApiBearer
from everbearer.resource_server.flask import Bearer as FlaskBearer
from everbearer.resource_server.flask import access_token as token_in_flask
from everbearer.resource_server.litestar import Bearer as LitestarBearer
from everbearer.resource_server.starlette import Bearer as StarletteBearer
from everbearer.resource_server.starlette import access_token as token_in_starlette
from resource_server.applications import on_django, on_fastapi, on_flask, on_litestar, plain
from resource_server.issuer_world import Issuer
from world import ISSUER

NAMELESS = ResourceServer(issuer=ISSUER, audience="notes")
"""A resource server without an identifier, and so without metadata."""
Message = MutableMapping[str, Any]


async def heard_from(app: asgi.Application, **scope: Any) -> list[Message]:
    """Return what an ASGI application sends."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    usual = {"type": "http", "method": "GET", "path": "/read", "query_string": b"", "headers": []}
    await app({**usual, **scope}, receive, send)
    return sent


async def got(app: Any, token: str = "") -> httpx.Response:
    """Return what an ASGI application answers to who wants to read."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api.example") as client:
        return await client.get("/read", headers=headers)


async def greeting(scope: Message, _: object, send: Any) -> None:
    token = scope.get("everbearer.access_token")
    await send({"type": "greeting", "to": token.client_id if token else None, "of": scope["type"]})


async def test_an_asgi_lifespan_needs_no_token() -> None:
    assert await heard_from(asgi.protect(greeting, NAMELESS), type="lifespan") == [
        {"type": "greeting", "to": None, "of": "lifespan"}
    ]


async def test_a_websocket_opens_with_a_token(issuer: Issuer) -> None:
    headers = [(b"authorization", f"Bearer {await issuer.token()}".encode())]

    assert await heard_from(asgi.protect(greeting, issuer.api()), type="websocket", headers=headers) == [
        {"type": "greeting", "to": "machine", "of": "websocket"}
    ]


async def test_a_websocket_without_a_token_is_closed_before_it_opens(issuer: Issuer) -> None:
    app = asgi.protect(greeting, issuer.api())
    bad = [(b"Authorization", b"Bearer x")]

    assert await heard_from(app, type="websocket", headers=bad) == [
        {"type": "websocket.close", "code": 1008, "reason": "invalid_token"}
    ]


async def test_a_websocket_is_refused_with_its_challenge_where_the_server_can(issuer: Issuer) -> None:
    extensions: dict[str, Any] = {"websocket.http.response": {}}
    start, body = await heard_from(asgi.protect(greeting, issuer.api()), type="websocket", extensions=extensions)

    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert dict(start["headers"])[b"www-authenticate"].startswith(b'Bearer realm="api"')
    assert body == {"type": "websocket.http.response.body", "body": b""}


async def test_a_head_is_refused_without_a_body(issuer: Issuer) -> None:
    headers = [(b"authorization", b"Bearer x")]
    start, body = await heard_from(asgi.protect(greeting, issuer.api()), method="HEAD", headers=headers)

    assert int(dict(start["headers"])[b"content-length"]) > 0
    assert body["body"] == b""


async def test_an_asgi_application_below_another_path_knows_its_metadata(issuer: Issuer) -> None:
    app = asgi.protect(greeting, issuer.api(audience="https://api.example"))
    path = "/.well-known/oauth-protected-resource"

    assert (await heard_from(app, root_path="", path=path))[0]["status"] == 200
    assert (await heard_from(app, root_path="/.well-known", path="/oauth-protected-resource"))[0]["status"] == 200
    assert (await heard_from(app, root_path="/below", path="/below" + path))[0]["status"] == 401


async def test_an_asgi_application_without_an_identifier_has_no_metadata() -> None:
    assert (await heard_from(asgi.protect(greeting, NAMELESS), path=""))[0]["status"] == 401


async def test_the_middleware_can_be_added_to_an_application_of_a_framework(issuer: Issuer) -> None:
    app = on_fastapi.application(issuer.api())
    app.add_middleware(asgi.protect, api=issuer.api(), required=requirement("write"))
    refused = await got(app, await issuer.token(scope="read"))

    assert (refused.status_code, 'scope="write"' in refused.headers["www-authenticate"]) == (403, True)


def test_a_wsgi_application_without_an_identifier_has_no_metadata() -> None:
    def nothing(_: object, __: object) -> list[bytes]:
        raise AssertionError("nobody is let through")

    with httpx.Client(transport=httpx.WSGITransport(app=wsgi.protect(nothing, NAMELESS))) as client:
        assert client.get("http://api.example/").status_code == 401


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_refusal_by_wsgi_has_its_length(issuer: Issuer, method: str) -> None:
    app = plain.wsgi_application(issuer.api())
    with httpx.Client(transport=httpx.WSGITransport(app=app)) as client:
        refused = client.request(method, "http://api.example/read", headers={"Authorization": "Bearer x"})

    assert refused.status_code == 401
    assert refused.headers["content-length"] == "77"
    assert len(refused.content) == (77 if method == "GET" else 0)


async def test_fastapi_tells_in_its_own_way_why(issuer: Issuer) -> None:
    app = on_fastapi.application(issuer.api())

    assert (await got(app)).json() == {"detail": "Unauthorized"}
    assert (await got(app, "x")).json() == {
        "detail": {"error": "invalid_token", "error_description": "the access token is not a JWT"}
    }


async def test_fastapi_documents_what_it_wants(issuer: Issuer) -> None:
    document = on_fastapi.application(issuer.api()).openapi()

    assert document["components"]["securitySchemes"] == {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": f"An access token of {ISSUER}",
        }
    }
    assert [list(each) for each in document["paths"]["/read"]["get"]["security"]] == [["bearer"]]
    assert "/.well-known/oauth-protected-resource/v1" not in document["paths"]


async def test_a_websocket_of_fastapi_gets_its_token(issuer: Issuer) -> None:
    headers = [(b"authorization", f"Bearer {await issuer.token(scope='read')}".encode())]
    accepted, said, closed = await heard_from(
        on_fastapi.application(issuer.api()), type="websocket", path="/socket", headers=headers
    )

    assert (accepted["type"], closed["type"]) == ("websocket.accept", "websocket.close")
    assert json.loads(said["text"])["client"] == "machine"


async def test_a_websocket_of_fastapi_does_not_open_without_one(issuer: Issuer) -> None:
    headers = [(b"authorization", b"Bearer x")]

    assert await heard_from(
        on_fastapi.application(issuer.api()), type="websocket", path="/socket", headers=headers
    ) == [{"type": "websocket.close", "code": 1008, "reason": "invalid_token"}]


async def test_litestar_tells_in_its_own_way_why(issuer: Issuer) -> None:
    app = on_litestar.application(issuer.api())

    assert (await got(app)).json() == {"status_code": 401, "detail": "Unauthorized"}
    assert (await got(app, "x")).json() == {
        "status_code": 401,
        "detail": "the access token is not a JWT",
        "extra": {"error": "invalid_token"},
    }


def test_flask_tells_why_as_json(issuer: Issuer) -> None:
    invalid = on_flask.application(issuer.api()).test_client().get("/read", headers={"Authorization": "Bearer x"})

    assert invalid.json == {"error": "invalid_token", "error_description": "the access token is not a JWT"}
    assert invalid.headers.getlist("Content-Type") == ["application/json"]


def test_a_view_of_flask_may_be_asynchronous(issuer: Issuer) -> None:
    app, bearer = Flask(__name__), FlaskBearer(issuer.api())

    @app.get("/")
    @bearer.require("read")
    async def read() -> str:
        return token_in_flask().client_id

    answer = app.test_client().get("/", headers={"Authorization": f"Bearer {issuer.forged()}"})

    assert answer.text == "spa"


def test_without_an_identifier_no_framework_has_a_route_for_the_metadata() -> None:
    app = Flask(__name__)
    app.register_blueprint(FlaskBearer(NAMELESS).blueprint())

    assert StarletteBearer(NAMELESS).routes() == []
    assert FastApiBearer(NAMELESS).router().routes == []
    assert DjangoBearer(NAMELESS).urls() == []
    assert LitestarBearer(NAMELESS).route_handlers() == []
    assert [rule.rule for rule in app.url_map.iter_rules()] == ["/static/<path:filename>"]


def test_where_nothing_asked_for_a_token_there_is_none() -> None:
    with pytest.raises(KeyError):
        token_in_starlette(Request({"type": "http"}))
    with pytest.raises(KeyError), override_settings(ROOT_URLCONF=on_django.__name__):
        token_in_django(HttpRequest())
    with Flask(__name__).test_request_context(), pytest.raises(AttributeError):
        token_in_flask()


async def test_the_error_of_a_refusal_is_json(issuer: Issuer) -> None:
    _, body = await heard_from(asgi.protect(greeting, issuer.api()), headers=[(b"authorization", b"Bearer x")])

    assert json.loads(body["body"])["error"] == "invalid_token"


def test_litestar_is_content_with_the_guard_alone(issuer: Issuer) -> None:
    assert Litestar(guards=[LitestarBearer(issuer.api()).require("read")]).guards
