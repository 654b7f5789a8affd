"""`everbearer registration` on a real SQLite file."""

from __future__ import annotations

import json
from dataclasses import replace
from time import time
from typing import Any

import pytest

from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.initial_access_tokens import token_hash
from everbearer.storage.sqlite import SQLiteStore
from registering import new_registrar
from server.shell import Result, Shell
from world import new_world

METADATA = {
    "client_name": "Calendar",
    "redirect_uris": ["https://calendar.example/cb"],
    "jwks_uri": "https://calendar.example/jwks",
    "contacts": ["ada@calendar.example"],
    "scope": "openid email",
}


@pytest.fixture
def shell(shell: Shell) -> Shell:
    with (shell.folder / "everbearer.toml").open("a") as config:
        config.write('[registration]\nmode = "token"\n')
    return shell


def register(shell: Shell, *, token: str = "") -> Any:
    """Register a client in the shell's database, as a server would."""

    async def work(store: SQLiteStore) -> Any:
        registrar = new_registrar(await new_world(store))
        registrar.world.clock.now = int(time())
        return await registrar.registered(token=token, **METADATA)

    return shell.store(work)


def stored(shell: Shell, client_id: str) -> Any:
    return shell.store(lambda store: store.client(client_id))


def test_an_initial_access_token_is_shown_once_and_only_its_hash_is_stored(shell: Shell) -> None:
    made = shell.run("registration", "token", "create", "--note", "for the partner")

    text = next(line.split()[1] for line in made.out.splitlines() if line.startswith("initial_access_token"))
    (kept,) = shell.store(lambda store: store.initial_access_tokens())
    assert text.startswith("eri_")
    assert kept.token_hash == token_hash(text)
    assert (kept.uses_left, kept.scope, kept.note) == (1, None, "for the partner")
    assert kept.expires_at - kept.created_at == 7 * 86400
    assert "cannot be shown again" in made.out
    assert text not in shell.run("registration", "token", "list", "--json").out


def test_a_token_may_last_longer_and_allow_more_clients_with_less_scope(shell: Shell) -> None:
    made = shell.run(
        "registration", "token", "create", "--days", "30", "--uses", "5", "--scope", "openid email", "--json"
    ).json
    unlimited = shell.run("registration", "token", "create", "--unlimited", "--json").json

    assert (made["uses_left"], made["scope"]) == (5, "openid email")
    assert made["expires_at"] - made["created_at"] == 30 * 86400
    assert unlimited["uses_left"] is None
    assert "any number" in shell.run("registration", "token", "create", "--unlimited").out


@pytest.mark.parametrize(
    ("scope", "sentence"),
    [("openid orders", "--scope: orders is not in registration.scope"), ('open"id', "--scope: scope holds characters")],
)
def test_a_token_allows_no_scope_that_nobody_may_register(shell: Shell, scope: str, sentence: str) -> None:
    result = shell.run("registration", "token", "create", "--scope", scope)

    assert (result.code, result.out) == (2, "")
    assert sentence in result.err
    assert shell.store(lambda store: store.initial_access_tokens()) == []


def test_a_token_that_nobody_can_use_is_warned_of(shell: Shell) -> None:
    (shell.folder / "everbearer.toml").write_text('issuer = "https://id.example.com"\n')

    assert 'registration.mode is "off"' in shell.run("registration", "token", "create").err


def test_tokens_are_listed_with_what_is_left_of_them(shell: Shell) -> None:
    assert shell.run("registration", "token", "list").out == "There are no tokens.\n"
    shell.run("registration", "token", "create", "--note", "spent", "--scope", "openid")
    shell.run("registration", "token", "create", "--unlimited", "--note", "for all")
    shell.store(_spend_all)

    listed = shell.run("registration", "token", "list").out

    assert any("used up" in line and "spent" in line and "openid" in line for line in listed.splitlines())
    assert any(" any " in line and "for all" in line for line in listed.splitlines())


async def _spend_all(store: SQLiteStore) -> None:
    for token in await store.initial_access_tokens():
        if token.uses_left:
            event = Event(kind=EventKind.INITIAL_ACCESS_TOKEN_CREATED, at=0)
            await store.revoke_initial_access_token(token.token_id, event)
            await store.create_initial_access_token(replace(token, uses_left=0), event)


def test_a_revoked_token_is_gone(shell: Shell) -> None:
    token_id = shell.run("registration", "token", "create", "--json").json["token_id"]

    assert shell.run("registration", "token", "revoke", token_id).out == f"{token_id} is revoked.\n"
    again = shell.run("registration", "token", "revoke", token_id)
    assert (again.code, again.out) == (1, "")
    assert f"there is no token {token_id}" in again.err
    kinds = [event.kind for event in shell.store(lambda store: store.events())]
    assert kinds == [EventKind.INITIAL_ACCESS_TOKEN_REVOKED, EventKind.INITIAL_ACCESS_TOKEN_CREATED]


def test_a_revocation_is_told_to_programs(shell: Shell) -> None:
    token_id = shell.run("registration", "token", "create", "--json").json["token_id"]

    assert shell.run("registration", "token", "revoke", token_id, "--json").json == {"token_id": token_id}


def test_a_client_registers_with_a_token_that_was_made_here(shell: Shell) -> None:
    made = shell.run("registration", "token", "create", "--json").json

    told = register(shell, token=made["token"])

    assert stored(shell, told["client_id"]).registration.authorized_by == made["token_id"]


# Clients


def test_a_client_that_registered_itself_is_listed_and_shown_as_such_without_its_token(shell: Shell) -> None:
    told = register(shell)

    listed = shell.run("client", "list").out
    shown = shell.run("client", "show", told["client_id"]).out
    as_json = shell.run("client", "show", told["client_id"], "--json").json

    assert "registered itself" in listed
    assert "ada@calendar.example" in shown
    assert as_json["registration"]["scope"] == "openid profile email offline_access read"
    assert "access_token_hash" not in json.dumps(as_json)
    assert token_hash(told["registration_access_token"]) not in shown + json.dumps(as_json)


def test_who_is_verified_is_told_as_what(shell: Shell) -> None:
    told = register(shell)

    said = shell.run("registration", "verify", told["client_id"])

    assert said.out == f"{told['client_id']} is verified as Calendar, at https://calendar.example/cb.\n"
    assert stored(shell, told["client_id"]).registration.verified_at is not None
    assert shell.run("registration", "verify", told["client_id"], "--json").json["registration"]["verified_at"]


def manage(shell: Shell, told: Any, token: str) -> int:
    async def work(store: SQLiteStore) -> int:
        registrar = new_registrar(await new_world(store))
        return (await registrar.manage("GET", told, token=token)).status

    return shell.store(work)


def test_a_token_that_is_issued_anew_takes_the_place_of_the_one_before(shell: Shell) -> None:
    told = register(shell)

    said = shell.run("registration", "reissue", told["client_id"], "--json").json

    assert said["registration_client_uri"].endswith(f"/oauth2/register?client_id={told['client_id']}")
    assert manage(shell, told, said["registration_access_token"]) == 200
    assert manage(shell, told, told["registration_access_token"]) == 401
    assert "cannot be shown again" in shell.run("registration", "reissue", told["client_id"]).out


@pytest.mark.parametrize("command", ["verify", "reissue"])
def test_only_clients_that_registered_themselves_are_verified_or_get_a_token(shell: Shell, command: str) -> None:
    shell.run("client", "create", "--id", "ours", "--type", "spa", "--redirect-uri", "https://a.example/cb")

    for client_id, sentence in (("ours", "ours did not register itself"), ("nobody", "there is no client nobody")):
        result = shell.run("registration", command, client_id)
        assert (result.code, result.out) == (1, "")
        assert sentence in result.err


def test_a_change_by_an_operator_leaves_it_a_client_that_registered_itself(shell: Shell) -> None:
    told = register(shell)
    before = stored(shell, told["client_id"])

    changed: Result = shell.run("client", "change", told["client_id"], "--set", "scope=openid")

    after = stored(shell, told["client_id"])
    assert changed.code == 0, changed.err
    assert after == replace(before, scope=("openid",), registration=replace(before.registration, scope=("openid",)))


def test_a_client_that_registered_itself_is_not_made_first_party(shell: Shell) -> None:
    told = register(shell)

    result = shell.run("client", "change", told["client_id"], "--set", "first_party=true")

    assert result.code == 2
    assert "first_party is not for a client that registered itself" in result.err
