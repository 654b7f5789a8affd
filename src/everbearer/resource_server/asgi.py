"""An ASGI middleware that lets through what has a valid access token (ASGI 3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, TypeAlias, cast

from everbearer.oauth.arguments import check_arguments
from everbearer.oauth.messages import Response
from everbearer.resource_server.access_token import AccessToken
from everbearer.resource_server.bearer import bearer_token
from everbearer.resource_server.errors import OAuthError
from everbearer.resource_server.requirement import VALID, Requirement
from everbearer.resource_server.resource_server import ResourceServer
from everbearer.resource_server.settings_rules import ADVICE

__all__ = ["access_token", "protect"]

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""Takes scope, receive and send, whose types each framework writes in its own way."""

ACCESS_TOKEN = "everbearer.access_token"
"""Under which a scope has its access token."""
_DENIAL = "websocket.http.response"
_POLICY_VIOLATION = 1008


def protect(app: Application, api: ResourceServer, required: Requirement = VALID) -> Application:
    """Return an application that answers itself where there is no access token that meets a requirement.

    It serves the metadata of the resource server too (RFC 9728). `access_token(scope)` gives the token further in. A
    WebSocket is refused before it opens. `add_middleware(protect, api=api)` of frameworks can use it.

    Raises:
        ValueError: it cannot be made of these; the message says what to change.
    """
    check_arguments(protect, ADVICE, app=app, api=api, required=required)

    async def protected(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await app(scope, receive, send)
            return
        if scope["type"] == "http" and api.metadata_path and api.metadata_path == _path(scope):
            await _answer(api.metadata_response(scope["method"]), scope, send)
            return
        try:
            token = await api.validate_async(token_of(scope), required)
        except OAuthError as error:
            await _answer(api.refusal(error, required), scope, send)
            return
        await app({**scope, ACCESS_TOKEN: token}, receive, send)

    return protected


def access_token(scope: Mapping[str, object]) -> AccessToken:
    """Return the access token of a request that was let through.

    Raises:
        KeyError: nothing asked for one on the way.
    """
    return cast("AccessToken", scope[ACCESS_TOKEN])


def token_of(scope: Mapping[str, Any]) -> str:
    """Return the bearer token of a request; see `bearer_token`."""
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    query: bytes = scope["query_string"]
    authorization = [value.decode("latin-1") for name, value in headers if name.lower() == b"authorization"]
    return bearer_token(authorization, query.decode("latin-1"))


def _path(scope: Scope) -> str:
    root: str = scope.get("root_path", "")
    path: str = scope["path"]
    return path if path.startswith(root) else root + path


async def _answer(response: Response, scope: Scope, send: Send) -> None:
    prefix = "http.response"
    if scope["type"] == "websocket":
        if _DENIAL not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": response.error})
            return
        prefix = _DENIAL
    body = b"" if scope.get("method") == "HEAD" else response.body
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    length = (b"content-length", str(len(response.body)).encode())
    await send({"type": f"{prefix}.start", "status": response.status, "headers": [*headers, length]})
    await send({"type": f"{prefix}.body", "body": body})
