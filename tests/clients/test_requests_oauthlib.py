"""The unmodified requests-oauthlib: code flow, refreshing by itself, userinfo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from oauthlib.oauth2 import InvalidGrantError
from requests_oauthlib import OAuth2Session

from clients.person import LOGIN, Person
from clients.settings import REDIRECT_URI, SECRET
from server_process import ServerProcess

SCOPE = ["openid", "email", "offline_access"]


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    # The library wants TLS unless it is told that this is a test.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture
def saved() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def client(server: ServerProcess, person: Person, saved: list[dict[str, Any]]) -> Iterator[OAuth2Session]:
    """Give a session that signed in, and saves its tokens as the library's documentation shows."""
    client = OAuth2Session(
        "web",
        scope=SCOPE,
        redirect_uri=REDIRECT_URI,
        auto_refresh_url=f"{server.issuer}/oauth2/token",
        auto_refresh_kwargs={"client_id": "web", "client_secret": SECRET},
        token_updater=saved.append,
    )
    url, _ = client.authorization_url(f"{server.issuer}/oauth2/authorize")
    callback = person.callback(url, REDIRECT_URI)
    client.fetch_token(f"{server.issuer}/oauth2/token", authorization_response=callback, client_secret=SECRET)
    with client:
        yield client


def test_the_code_flow_gives_tokens_and_userinfo(client: OAuth2Session, server: ServerProcess) -> None:
    answer = client.get(f"{server.issuer}/oauth2/userinfo")

    assert answer.json()["email"] == LOGIN
    assert client.token["expires_in"] == 1800


def test_an_expired_token_is_refreshed_and_saved(
    client: OAuth2Session, server: ServerProcess, saved: list[dict[str, Any]]
) -> None:
    before = client.token["access_token"]
    for _ in range(3):
        client.token = {**client.token, "expires_at": 1, "expires_in": -1}
        assert client.get(f"{server.issuer}/oauth2/userinfo").ok

    assert len({before, *(token["access_token"] for token in saved)}) == 4
    assert all(token["refresh_token"] for token in saved)


def test_a_dead_refresh_token_is_the_error_that_the_library_knows(client: OAuth2Session, server: ServerProcess) -> None:
    requests.post(
        f"{server.issuer}/oauth2/revoke", data={"token": client.token["refresh_token"]}, timeout=120
    ).raise_for_status()

    with pytest.raises(InvalidGrantError):
        client.refresh_token(f"{server.issuer}/oauth2/token", client_id="web", client_secret=SECRET)


def test_a_public_client_with_pkce_signs_in_and_rotates(server: ServerProcess, person: Person) -> None:
    # Without a secret the library sends HTTP Basic with an empty one.
    with OAuth2Session("public", scope=SCOPE, redirect_uri=REDIRECT_URI, pkce="S256") as client:
        url, _ = client.authorization_url(f"{server.issuer}/oauth2/authorize")
        callback = person.callback(url, REDIRECT_URI)
        first = client.fetch_token(f"{server.issuer}/oauth2/token", authorization_response=callback)
        second = client.refresh_token(f"{server.issuer}/oauth2/token", client_id="public")

    assert first["refresh_token"] != second["refresh_token"]
