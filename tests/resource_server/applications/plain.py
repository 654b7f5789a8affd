"""Applications without a framework, behind the middlewares."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from everbearer.resource_server import AccessToken, ResourceServer, asgi, requirement, wsgi
from everbearer.resource_server.asgi import Application as AsgiApplication
from everbearer.resource_server.wsgi import Application as WsgiApplication

REQUIRED = {
    "/read": requirement("read"),
    "/admin": requirement("admin"),
    "/any": requirement(),
    "/recent": requirement(max_age=60),
}


def shown(token: AccessToken) -> bytes:
    return json.dumps({"client": token.client_id, "subject": token.subject, "scope": list(token.scope)}).encode()


def asgi_application(api: ResourceServer) -> AsgiApplication:
    async def notes(scope: Any, _: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": shown(asgi.access_token(scope))})

    protected = {path: asgi.protect(notes, api, required) for path, required in REQUIRED.items()}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await protected.get(scope["path"], protected["/any"])(scope, receive, send)

    return app


def wsgi_application(api: ResourceServer) -> WsgiApplication:
    def notes(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [shown(wsgi.access_token(environ))]

    protected = {path: wsgi.protect(notes, api, required) for path, required in REQUIRED.items()}

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        return protected.get(environ["PATH_INFO"], protected["/any"])(environ, start_response)

    return app
