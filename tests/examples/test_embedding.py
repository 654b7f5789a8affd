"""The example that the README shows: run as it stands, met by a real client, and the same in both places."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.integrations.requests_client import OAuth2Session, OAuthError  # type: ignore[import-untyped] # it has none

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "embedding"
REDIRECT_URI = "http://127.0.0.1/callback"
VERIFIER = "a-code-verifier-of-the-embedding-example-s-own-test"
ADA = ("ada", "lovelace")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Run the example as its first line says, and return its URL."""
    # Connections wait at the socket until the server is ready to take them.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        command = (sys.executable, "-m", "uvicorn", "app:app", "--fd", str(listening.fileno()))
        process = subprocess.Popen(  # noqa: S603 - our own example
            command,
            cwd=EXAMPLE,
            env={**os.environ, "SECRET": "a secret for the tests of the example", "PYTHONWARNINGS": "error"},
            pass_fds=[listening.fileno()],
        )
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(timeout=60)


def a_client(server: str) -> OAuth2Session:
    return OAuth2Session(
        client_id="app",
        scope="openid offline_access",
        redirect_uri=REDIRECT_URI,
        token_endpoint=f"{server}/oauth2/token",
        token_endpoint_auth_method="none",
        code_challenge_method="S256",
    )


def signed_in(client: OAuth2Session, server: str) -> str:
    """Take a client through sign-in and return the URL that the browser comes back to."""
    url, _ = client.create_authorization_url(f"{server}/oauth2/authorize", code_verifier=VERIFIER)
    return httpx.get(url, auth=ADA, timeout=120).headers["location"]


def with_tokens(server: str) -> OAuth2Session:
    client = a_client(server)
    client.fetch_token(authorization_response=signed_in(client, server), code_verifier=VERIFIER)
    return client


def test_the_client_gets_tokens_for_the_code(server: str) -> None:
    client = with_tokens(server)

    assert {"access_token", "refresh_token", "id_token"} <= set(client.token)


def test_the_client_refreshes(server: str) -> None:
    client = with_tokens(server)
    first = client.token["refresh_token"]

    assert client.refresh_token(f"{server}/oauth2/token")["refresh_token"] != first


def test_a_refresh_whose_answer_was_lost_gets_the_same_refresh_token_again(server: str) -> None:
    client = with_tokens(server)
    spent = client.token["refresh_token"]
    lost = client.refresh_token(f"{server}/oauth2/token", spent)["refresh_token"]

    assert client.refresh_token(f"{server}/oauth2/token", spent)["refresh_token"] == lost


def test_a_revoked_token_is_not_refreshed(server: str) -> None:
    client = with_tokens(server)
    client.revoke_token(f"{server}/oauth2/revoke", client.token["refresh_token"])

    with pytest.raises(OAuthError, match="invalid_grant: the client revoked this grant"):
        client.refresh_token(f"{server}/oauth2/token")


def test_a_browser_that_is_not_signed_in_is_asked_to(server: str) -> None:
    url, _ = a_client(server).create_authorization_url(f"{server}/oauth2/authorize", code_verifier=VERIFIER)

    assert httpx.get(url, timeout=120).headers["www-authenticate"] == 'Basic realm="My app"'


def test_nobody_is_asked_where_the_client_forbids_it(server: str) -> None:
    client = a_client(server)
    url, _ = client.create_authorization_url(f"{server}/oauth2/authorize", code_verifier=VERIFIER, prompt="none")
    back = httpx.get(url, timeout=120).headers["location"]

    assert parse_qs(urlsplit(back).query)["error"] == ["login_required"]


def test_a_posted_authorization_request_is_answered_like_any_other(server: str) -> None:
    url, _ = a_client(server).create_authorization_url(f"{server}/oauth2/authorize", code_verifier=VERIFIER)
    endpoint, _, query = url.partition("?")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    redirected = httpx.post(endpoint, content=query, headers=form, timeout=120).headers["location"]
    back = httpx.get(server + redirected, auth=ADA, timeout=120).headers["location"]

    assert "code" in parse_qs(urlsplit(back).query)


def test_a_look_at_the_head_of_a_link_gets_no_code(server: str) -> None:
    url, _ = a_client(server).create_authorization_url(f"{server}/oauth2/authorize", code_verifier=VERIFIER)

    assert "location" not in httpx.head(url, auth=ADA, timeout=120).headers


@pytest.mark.parametrize("query", ["", "client_id=nobody", "client_id=app&client_id=app", "client_id=%ff"])
def test_an_authorization_request_that_cannot_be_answered_is_told_so(server: str, query: str) -> None:
    refused = httpx.get(f"{server}/oauth2/authorize?{query}", timeout=120)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_the_library_is_light_to_import() -> None:
    heavy = "{'apsw', 'argon2', 'jinja2', 'msgspec', 'typer', 'uvicorn'}"
    code = f"import sys, everbearer; print(sorted({heavy} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout  # noqa: S603

    assert printed.strip() == "[]"


def test_the_readme_shows_this_very_example() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    shown = [fence[1] for fence in re.finditer(r"```python\n(.*?)```", readme, re.DOTALL)]

    assert (EXAMPLE / "app.py").read_text("utf-8") in shown
