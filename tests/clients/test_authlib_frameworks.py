"""The unmodified Authlib in web applications on Flask and on Starlette, which a user visits."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from clients.person import LOGIN, Person
from clients.programs import HERE, running
from server_process import ServerProcess, free_port

AT_ONCE = 6
ROUNDS = 5


@pytest.fixture(scope="module", params=["flask", "starlette"])
def app(request: pytest.FixtureRequest, server: ServerProcess) -> Iterator[str]:
    """Give the address of an application: on Flask with a secret, on Starlette a public one."""
    port = free_port()
    here = f"http://localhost:{port}"
    kind = {"flask": ("web", "--set", "rotation.rotate=true"), "starlette": ("spa",)}[request.param]
    addresses = ("--redirect-uri", f"{here}/auth", "--post-logout-redirect-uri", f"{here}/bye")
    client = server.command("client", "create", "--first-party", "--type", *kind, *addresses)
    environ = {
        "ISSUER": server.issuer,
        "CLIENT_ID": client["client_id"],
        "CLIENT_SECRET": client.get("client_secret") or "",
        "PORT": str(port),
    }
    with running([sys.executable, str(HERE / f"{request.param}_app.py")], environ) as program:
        yield program.hear()["listening"]


def shown(person: Person, url: str) -> Any:
    """Return the JSON that the application shows to who goes to a URL of it."""
    where, answer = person.visit(url)
    assert answer is not None
    assert answer.is_success, f"{where}: {answer.text}"
    return answer.json()


def explained(person: Person, app: str, server: ServerProcess) -> dict[str, Any]:
    """Return what the server knows of the refresh token that the application has."""
    known: dict[str, Any] = server.command("explain", shown(person, f"{app}/token")["refresh_token"])
    return known


def test_a_user_signs_in_and_the_application_asks_who_it_is(app: str, person: Person) -> None:
    profile = shown(person, f"{app}/login")

    assert person.met == ["sign-in"]
    assert profile["sub"] == "ada"
    assert profile["email"] == LOGIN


def test_an_expired_access_token_is_refreshed_and_the_application_keeps_the_new_ones(
    app: str, person: Person, server: ServerProcess
) -> None:
    shown(person, f"{app}/login")
    before = shown(person, f"{app}/token")
    shown(person, f"{app}/aged")

    assert shown(person, f"{app}/profile")["email"] == LOGIN
    after = shown(person, f"{app}/token")
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    assert [entry["happening"] for entry in explained(person, app, server)["history"]] == ["issued", "rotated"]


def test_requests_that_refresh_at_once_keep_the_user_signed_in(app: str, person: Person, server: ServerProcess) -> None:
    shown(person, f"{app}/login")

    def profile(_: int) -> httpx.Response:
        return httpx.get(f"{app}/profile", cookies=dict(person.http.cookies), timeout=120)

    for _ in range(ROUNDS):
        shown(person, f"{app}/aged")
        with ThreadPoolExecutor(AT_ONCE) as several:
            assert [answer.status_code for answer in several.map(profile, range(AT_ONCE))] == [200] * AT_ONCE

    known = explained(person, app, server)
    assert known["alive"]
    assert known["newest_generation"] == ROUNDS + 1


def test_logging_out_signs_out_at_the_server_and_leads_back(app: str, person: Person) -> None:
    shown(person, f"{app}/login")

    assert shown(person, f"{app}/logout")["signed_out"]
    assert shown(person, f"{app}/profile") == {}
    shown(person, f"{app}/login")
    assert person.met == ["sign-in", "sign-in"]
