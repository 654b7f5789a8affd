"""What the documents this server was written for promise of every token response, over the wire."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from clients.person import Person
from clients.settings import REDIRECT_URI, SECRET
from server_process import ServerProcess


def signed_in(
    person: Person, server: ServerProcess, query: str, client_id: str = "web", path: str = "oauth2/token"
) -> Any:
    """Sign in by an authorization request whose scope is written in a way of its own, and return the token response."""
    fixed = urlencode({"response_type": "code", "client_id": client_id, "redirect_uri": REDIRECT_URI})
    callback = person.callback(f"{server.issuer}/oauth2/authorize?{fixed}&{query}", REDIRECT_URI)
    return redeemed(server, parse_qs(urlsplit(callback).query)["code"][0], client_id, path)


def redeemed(server: ServerProcess, code: str, client_id: str, path: str) -> Any:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "client_id": client_id,
        "client_secret": SECRET,
    }
    return httpx.post(f"{server.issuer}/{path}", data=form, timeout=120).raise_for_status().json()


@pytest.mark.parametrize(
    "scope", ["openid+offline_access", "openid%20offline_access", "openid%2Boffline_access"], ids=["+", "%20", "%2B"]
)
def test_offline_access_gives_a_refresh_token(scope: str, person: Person, server: ServerProcess) -> None:
    tokens = signed_in(person, server, f"scope={scope}")

    assert set(tokens) >= {"access_token", "expires_in", "id_token", "refresh_token", "token_type"}
    assert tokens["expires_in"] == 1800
    assert tokens["token_type"] == "Bearer"


def test_offline_access_alone_gives_a_refresh_token_and_no_id_token(person: Person, server: ServerProcess) -> None:
    tokens = signed_in(person, server, "scope=offline_access")

    assert tokens["refresh_token"]
    assert "id_token" not in tokens


def test_without_offline_access_the_refresh_token_is_omitted(person: Person, server: ServerProcess) -> None:
    tokens = signed_in(person, server, "scope=openid")

    assert "refresh_token" not in tokens
    assert tokens["id_token"]


def test_how_long_access_lasts_is_configured_for_each_application(person: Person, server: ServerProcess) -> None:
    tokens = signed_in(person, server, "scope=openid", client_id="hurried")

    assert tokens["expires_in"] == 600


def test_the_league_of_php_asks_for_a_reduced_scope_at_its_own_path(person: Person, server: ServerProcess) -> None:
    tokens = signed_in(person, server, "scope=openid+email+offline_access", path="access_token")
    form = {
        "grant_type": "refresh_token",
        "client_id": "web",
        "client_secret": SECRET,
        "refresh_token": tokens["refresh_token"],
        "scope": "email",
    }
    refreshed = httpx.post(f"{server.issuer}/access_token", data=form, timeout=120).raise_for_status().json()

    assert refreshed["scope"] == "email"
    assert refreshed["token_type"] == "Bearer"
    assert refreshed["access_token"].count(".") == 2


def test_a_secret_sent_by_basic_works_encoded_and_raw(server: ServerProcess) -> None:
    form = {"grant_type": "client_credentials"}
    answers = [
        httpx.post(f"{server.issuer}/oauth2/token", data=form, auth=("machine", secret), timeout=120).status_code
        for secret in (SECRET, SECRET.replace("-", "%2D"), "not the secret")
    ]

    assert answers == [200, 200, 401]
