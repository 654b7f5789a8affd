"""What PHP applications with the League's oauth2-client send, sent by a real PHP."""

from __future__ import annotations

from typing import Any

import pytest

from clients.person import LOGIN, Person
from clients.programs import HERE, interpreter, running
from clients.settings import PHP_REDIRECT_URI, SECRET
from server_process import ServerProcess


def whole_life(person: Person, server: ServerProcess, *, scope: str = "openid offline_access", **how: str) -> Any:
    environ = {
        "ISSUER": server.issuer,
        "CLIENT_ID": "web",
        "CLIENT_SECRET": SECRET,
        "REDIRECT_URI": PHP_REDIRECT_URI,
        "SCOPE": scope,
        **how,
    }
    with running([interpreter("php"), str(HERE / "league.php")], environ) as client:
        client.tell(person.callback(client.hear()["visit"], PHP_REDIRECT_URI))
        return client.hear()["result"]


@pytest.mark.parametrize("how", [{}, {"BASIC": "1"}, {"PKCE": "1"}], ids=["secret in the body", "Basic", "PKCE"])
def test_a_php_application_lives_with_a_user(how: dict[str, str], person: Person, server: ServerProcess) -> None:
    life = whole_life(person, server, **how)

    assert [life[step]["status"] for step in ("tokens", "refreshed", "again", "owner", "revoked")] == [200] * 5
    assert life["tokens"]["body"]["expires_in"] == 1800
    assert life["refreshed"]["body"]["access_token"] != life["again"]["body"]["access_token"]
    assert life["owner"]["body"]["email"] == LOGIN
    assert life["revoked"]["text"] == ""
    assert (life["refused"]["status"], life["refused"]["body"]["error"]) == (400, "invalid_grant")
    assert (life["owner_after"]["status"], life["owner_after"]["body"]["error"]) == (401, "invalid_grant")


def test_scopes_given_as_an_array_are_joined_by_commas_and_refused_with_a_hint(
    person: Person, server: ServerProcess
) -> None:
    life = whole_life(person, server, scope="openid,offline_access")

    assert life["callback"]["error"] == "invalid_scope"
    assert "separated by spaces, not commas" in life["callback"]["error_description"]
