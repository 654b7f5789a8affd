"""The server's secret is changed, and the old one taken out, while people stay signed in."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from server.app_world import Fields
from server_process import ServerProcess, free_port, running_server

OLD = "Zr8-q1ZbT0vXn4kPq7Lw2aYc5eHd9sJu"
NEW = "q7Lw2aYc5eHd9sJuZr8-q1ZbT0vXn4kP"
LOGIN = "ada@example.com"
PASSWORD = "a long enough phrase"
REDIRECT = "http://127.0.0.1:9/callback"
VERIFIER = "verifier-" * 6
SETTINGS = f"""
[keys]
algorithms = ["ES256"]
[[clients]]
client_id = "app"
type = "native"
first_party = true
redirect_uris = ["{REDIRECT}"]
[[users]]
login = "{LOGIN}"
password = "{PASSWORD}"
"""


def sign_in(server: ServerProcess) -> str:
    """Sign in as a browser does, and return the refresh token."""
    challenge = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": "app",
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": "openid offline_access",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    with httpx.Client(timeout=120) as browser:
        page = browser.get(f"{server.issuer}/oauth2/authorize", params=asked, follow_redirects=True)
        form = Fields()
        form.feed(page.text)
        typed = {**form.fields, "login": LOGIN, "password": PASSWORD, "decision": "sign-in"}
        answer = browser.post(page.url.join(form.action), data=typed, headers={"Origin": server.issuer})
        while not answer.headers["Location"].startswith(REDIRECT):
            answer = browser.get(answer.url.join(answer.headers["Location"]))
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    return ask(server, grant_type="authorization_code", code=code, redirect_uri=REDIRECT, code_verifier=VERIFIER)


def refresh(server: ServerProcess, token: str) -> str:
    return ask(server, grant_type="refresh_token", refresh_token=token)


def ask(server: ServerProcess, **form: str) -> str:
    answer = httpx.post(f"{server.issuer}/oauth2/token", data={"client_id": "app", **form}, timeout=120)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["refresh_token"])


def published(server: ServerProcess) -> list[str]:
    keys = httpx.get(f"{server.issuer}/oauth2/jwks", timeout=120).json()["keys"]
    return [key["kid"] for key in keys]


def test_an_old_secret_is_taken_out_and_nobody_is_signed_out(tmp_path: Path) -> None:
    port = free_port()
    with running_server(tmp_path, SETTINGS, port=port, secret=OLD) as server:
        first = sign_in(server)
        kids = published(server)
    with running_server(tmp_path, SETTINGS, port=port, secret=f"{NEW},{OLD}") as server:
        second = refresh(server, first)
    with running_server(tmp_path, SETTINGS, port=port, secret=NEW) as server:
        third = refresh(server, second)

        assert published(server) == kids
    assert len({first, second, third}) == 3


def test_what_was_not_refreshed_in_between_is_lost_with_the_old_secret(tmp_path: Path) -> None:
    port = free_port()
    with running_server(tmp_path, SETTINGS, port=port, secret=OLD) as server:
        token = sign_in(server)
    with running_server(tmp_path, SETTINGS, port=port, secret=f"{NEW},{OLD}"):
        pass
    with running_server(tmp_path, SETTINGS, port=port, secret=NEW) as server:
        form = {"client_id": "app", "grant_type": "refresh_token", "refresh_token": token}
        answer = httpx.post(f"{server.issuer}/oauth2/token", data=form, timeout=120)

        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
