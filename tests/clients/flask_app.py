"""A web application on Flask whose users sign in by the unmodified Authlib. `/aged` and `/token` are for the tests."""

from __future__ import annotations

import json
import logging
import os
import secrets
from typing import Any

from authlib.integrations.flask_client import OAuth  # type: ignore[import-untyped] # has no types
from flask import Flask, redirect, session, url_for
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

TOKENS: dict[str, dict[str, Any]] = {}
"""What an application has in its database: the tokens of each user."""


def fetch_token(_name: str) -> dict[str, Any]:
    return dict(TOKENS[session["user"]])


def update_token(
    _name: str, token: dict[str, Any], refresh_token: str | None = None, access_token: str | None = None
) -> None:
    del refresh_token, access_token  # the old ones, by which an application may look up what to update
    TOKENS[session["user"]].update(token)


app = Flask(__name__)
app.secret_key = secrets.token_urlsafe()
oauth = OAuth(app, fetch_token=fetch_token, update_token=update_token)
oauth.register(
    "everbearer",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{os.environ['ISSUER']}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid email offline_access", "code_challenge_method": "S256"},
)


@app.get("/login")
def login() -> Response:
    answer: Response = oauth.everbearer.authorize_redirect(url_for("auth", _external=True))
    return answer


@app.get("/auth")
def auth() -> Response:
    token = oauth.everbearer.authorize_access_token()
    session["user"] = token["userinfo"]["sub"]
    TOKENS[session["user"]] = token
    return redirect(url_for("profile"))


@app.get("/profile")
def profile() -> dict[str, Any]:
    return dict(oauth.everbearer.userinfo()) if "user" in session else {}


@app.get("/logout")
def logout() -> Response:
    token = TOKENS.pop(session.pop("user"))
    answer: Response = oauth.everbearer.logout_redirect(
        post_logout_redirect_uri=url_for("bye", _external=True), id_token_hint=token["id_token"]
    )
    return answer


@app.get("/bye")
def bye() -> dict[str, Any]:
    return {"signed_out": True, **oauth.everbearer.validate_logout_response()}


@app.get("/aged")
def aged() -> dict[str, Any]:
    TOKENS[session["user"]]["expires_at"] = 1
    return {}


@app.get("/token")
def token() -> dict[str, Any]:
    return TOKENS[session["user"]]


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    port = int(os.environ["PORT"])
    server = make_server("127.0.0.1", port, app, threaded=True)
    print(json.dumps({"listening": f"http://localhost:{port}"}), flush=True)  # noqa: T201 - the test reads it
    server.serve_forever()
