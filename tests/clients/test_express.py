"""The Express sample with axios of today and of yesterday, as a web server that a user visits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from clients.page_server import Origins
from clients.person import LOGIN, Person
from clients.programs import node, running
from clients.settings import SECRET
from server_process import ServerProcess


@pytest.fixture(params=["axios", "axios-0.27"])
def express(request: pytest.FixtureRequest, server: ServerProcess, origins: Origins) -> Iterator[str]:
    environ = {
        "AXIOS": request.param,
        "ORIGIN": origins.express,
        "ISSUER": server.issuer,
        "CLIENT_ID": "web",
        "CLIENT_SECRET": SECRET,
    }
    with running(node("express.mjs"), environ) as sample:
        origin: str = sample.hear()["listening"]
        yield origin


def answer_of(person: Person, url: str) -> Any:
    """Return the JSON that the application shows to who goes to a URL of it."""
    where, response = person.visit(url)
    assert response is not None
    assert response.is_success, f"{where}: {response.text}"
    return response.json()


@pytest.mark.parametrize("way", ["login", "login-with-slash", "login-by-url"])
def test_a_user_signs_in_and_the_sample_gets_a_refresh_token(way: str, express: str, person: Person) -> None:
    shown = answer_of(person, f"{express}/{way}")

    assert set(shown["tokens"]) >= {"access_token", "id_token", "refresh_token"}
    assert shown["tokens"]["token_type"] == "Bearer"
    assert shown["tokens"]["expires_in"] == 1800


def test_the_sample_refreshes_over_and_over_with_the_token_it_first_got(express: str, person: Person) -> None:
    first = answer_of(person, f"{express}/login")["tokens"]

    access_tokens = {answer_of(person, f"{express}/refresh")["access_token"] for _ in range(5)}

    assert len(access_tokens | {first["access_token"]}) == 6
    assert answer_of(person, f"{express}/userinfo")["email"] == LOGIN


def test_the_sample_revokes_by_the_token_alone(express: str, person: Person) -> None:
    answer_of(person, f"{express}/login")

    assert answer_of(person, f"{express}/revoke") == {"status": 200}
    refused = person.http.get(f"{express}/refresh").json()
    assert (refused["status"], refused["data"]["error"]) == (400, "invalid_grant")


def test_a_code_sent_twice_is_told_to_the_sample_in_words(express: str, person: Person) -> None:
    callback, _ = person.visit(f"{express}/login")

    refused = person.http.get(callback).json()

    assert refused["data"]["error"] == "invalid_grant"
    assert "redeemed before" in refused["data"]["error_description"]


def test_logging_out_asks_the_user_first(express: str, person: Person) -> None:
    answer_of(person, f"{express}/login")

    where, response = person.visit(f"{express}/logout")

    assert response is not None
    assert 'id="logout-confirm"' in response.text, where


def test_the_form_has_the_plus_of_the_scope_as_it_is(express: str, person: Person) -> None:
    sent = answer_of(person, f"{express}/login")["sent"]

    assert "openid%2Boffline_access" in sent or '"scope":"openid+offline_access"' in sent
