"""A web application on Starlette whose users sign in by the unmodified Authlib. `/aged` and `/token` are for the tests.

It is a public client: Authlib sends no secret, and the refresh token changes each time.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from typing import Any

import uvicorn
from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped] # has no types
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

TOKENS: dict[str, dict[str, Any]] = {}
"""What an application has in its database: the tokens of each user."""


async def update_token(
    _name: str, token: dict[str, Any], refresh_token: str | None = None, access_token: str | None = None
) -> None:
    for kept in TOKENS.values():
        if refresh_token == kept["refresh_token"] or access_token == kept["access_token"]:
            kept.update(token)


oauth = OAuth(update_token=update_token)
oauth.register(
    "everbearer",
    client_id=os.environ["CLIENT_ID"],
    server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
    client_kwargs={
        "scope": "openid email offline_access",
        "code_challenge_method": "S256",
        "token_endpoint_auth_method": "none",
    },
)


async def login(request: Request) -> Response:
    answer: Response = await oauth.everbearer.authorize_redirect(request, request.url_for("auth"))
    return answer


async def auth(request: Request) -> Response:
    token = await oauth.everbearer.authorize_access_token(request)
    request.session["user"] = token["userinfo"]["sub"]
    TOKENS[request.session["user"]] = token
    return RedirectResponse(request.url_for("profile"))


async def profile(request: Request) -> Response:
    token = TOKENS.get(request.session.get("user", ""))
    return JSONResponse(dict(await oauth.everbearer.userinfo(token=dict(token))) if token else {})


async def logout(request: Request) -> Response:
    token = TOKENS.pop(request.session.pop("user"))
    answer: Response = await oauth.everbearer.logout_redirect(
        request, post_logout_redirect_uri=request.url_for("bye"), id_token_hint=token["id_token"]
    )
    return answer


async def bye(request: Request) -> Response:
    return JSONResponse({"signed_out": True, **await oauth.everbearer.validate_logout_response(request)})


async def aged(request: Request) -> Response:
    TOKENS[request.session["user"]]["expires_at"] = 1
    return JSONResponse({})


async def token(request: Request) -> Response:
    return JSONResponse(TOKENS[request.session["user"]])


app = Starlette(
    routes=[Route(f"/{view.__name__}", view) for view in (login, auth, profile, logout, bye, aged, token)],
    middleware=[Middleware(SessionMiddleware, secret_key=secrets.token_urlsafe())],
)

if __name__ == "__main__":
    port = int(os.environ["PORT"])
    listening = socket.create_server(("127.0.0.1", port))
    print(json.dumps({"listening": f"http://localhost:{port}"}), flush=True)  # noqa: T201 - the test reads it
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listening])
