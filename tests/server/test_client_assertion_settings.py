"""Clients that authenticate by assertion, declared in the file and made and changed by command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from asserting import jwks_of
from everbearer.oauth.client import AuthMethod, Client
from everbearer.oauth.clients.assertions import seal_client_secret
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.server.config.file import load_config
from everbearer.server.config.reading import ConfigError
from everbearer.server.declared import apply_declared
from everbearer.server.running.dev import prepare_folder
from everbearer.storage.store import AdminStore
from server.shell import SECRET as SERVER_SECRET
from server.shell import Shell
from world import key_of

T = TypeVar("T")

SECRET = "Vw3-kTq9_ZyR7bNc0LmXs5Ud8PfHj2GaEo4"
OLDER = "Ab3-kTq9_ZyR7bNc0LmXs5Ud8PfHj2GaEo4"
SEALER = Sealer([SERVER_SECRET.encode()])
JWKS = jwks_of(key_of("ES256"))
URI = "https://app.example.com/jwks.json"
MACHINE = ("client", "create", "--type", "machine", "--id", "m")
BY_SECRET = ("--set", "token_endpoint_auth_method=client_secret_jwt")
BY_KEY = ("--set", "token_endpoint_auth_method=private_key_jwt")


async def at_once(work: Callable[[], T]) -> T:
    return work()


async def declare(folder: Path, store: AdminStore, settings: str) -> Client:
    """Declare a machine with some settings and return it as it is stored."""
    file = folder / "declared.toml"
    file.write_text(f'[[clients]]\nclient_id = "m"\ntype = "machine"\n{settings}\n')
    await apply_declared(load_config(file, {}), store, SEALER, run=at_once, now=1)
    client = await store.client("m")
    assert client is not None
    return client


def stored(shell: Shell) -> Client:
    client = shell.store(lambda store: store.client("m"))
    assert client is not None
    return client


def sealed(*secrets: str) -> tuple[str, ...]:
    return tuple(seal_client_secret("m", secret, SEALER) for secret in secrets)


# In the file


async def test_a_declared_client_may_have_keys_instead_of_a_secret(tmp_path: Path, store: AdminStore) -> None:
    method = 'token_endpoint_auth_method = "private_key_jwt"\ntoken_endpoint_auth_signing_alg = "ES256"'

    client = await declare(tmp_path, store, f"{method}\njwks = '{JWKS}'")

    assert client.token_endpoint_auth_method is AuthMethod.PRIVATE_KEY_JWT
    assert (client.jwks, client.jwks_uri, client.token_endpoint_auth_signing_alg) == (JWKS, "", "ES256")
    assert (client.secrets, client.sealed_secrets) == ((), ())
    assert not client.public


async def test_the_secrets_of_a_declared_client_are_sealed_for_one_method_alone(
    tmp_path: Path, store: AdminStore
) -> None:
    secrets = f'client_secrets = ["{SECRET}", "{OLDER}"]\n'

    by_assertion = await declare(tmp_path, store, secrets + 'token_endpoint_auth_method = "client_secret_jwt"')
    otherwise = await declare(tmp_path, store, secrets)

    assert by_assertion.sealed_secrets == sealed(SECRET, OLDER)
    assert otherwise.sealed_secrets == ()
    assert by_assertion.secrets == otherwise.secrets


async def test_a_sealed_secret_is_sealed_anew_with_a_newer_secret_of_the_server(
    tmp_path: Path, store: AdminStore
) -> None:
    settings = f'client_secret = "{SECRET}"\ntoken_endpoint_auth_method = "client_secret_jwt"'
    await declare(tmp_path, store, settings)
    newer = Sealer([b"a secret that is newer than the other", SERVER_SECRET.encode()])
    await apply_declared(load_config(tmp_path / "declared.toml", {}), store, newer, run=at_once, now=2)

    client = await store.client("m")

    assert client is not None
    assert client.sealed_secrets == (seal_client_secret("m", SECRET, newer),)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            f'type = "web"\nclient_secret = "{SECRET}"\ntoken_endpoint_auth_method = "private_key_jwt"',
            "client_secret: a client that authenticates by private_key_jwt has no secret; take one of the two out",
        ),
        (
            'type = "spa"\ntoken_endpoint_auth_method = "private_key_jwt"',
            'token_endpoint_auth_method: a client of type "spa" cannot keep a key; take it out, or write type = "web"',
        ),
        (
            'type = "machine"\ntoken_endpoint_auth_method = "private_key_jwt"',
            "private_key_jwt needs the client's public keys: set jwks_uri, or jwks",
        ),
        (
            'type = "machine"\ntoken_endpoint_auth_method = "client_secret_jwt"',
            'client_secret_file: a client of type "machine" needs a secret; write the path of a file with it',
        ),
        (
            f'type = "machine"\nclient_secret = "{SECRET}"\ntoken_endpoint_auth_method = "tls_client_auth"',
            'write one of "client_secret_basic", "client_secret_jwt", "client_secret_post", "private_key_jwt"',
        ),
        (
            f'type = "machine"\nclient_secret = "{SECRET}"\ntoken_endpoint_auth_signing_alg = "ES256"',
            "token_endpoint_auth_signing_alg 'ES256' does not go",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, settings: str, told: str) -> None:
    file = tmp_path / "everbearer.toml"
    file.write_text(f'[[clients]]\nclient_id = "m"\nredirect_uris = ["https://a.example/cb"]\n{settings}\n')

    with pytest.raises(ConfigError) as refused:
        load_config(file, {})

    assert told in "\n".join(refused.value.problems)


# By command


def test_a_client_with_keys_is_made_without_a_secret(shell: Shell) -> None:
    made = shell.run(*MACHINE, *BY_KEY, "--set", f"jwks_uri={URI}")

    shown = shell.run("client", "show", "m")
    assert made.out == "client_id  m\n"
    assert stored(shell).jwks_uri == URI
    assert {"confidential", URI, "private_key_jwt"} <= set(shown.out.split())


def test_keys_may_be_given_and_changed_as_text(shell: Shell) -> None:
    shell.run(*MACHINE, *BY_KEY, "--set", f"jwks={JWKS}")
    newer = jwks_of(key_of("EdDSA"))

    changed = shell.run("client", "change", "m", "--set", f"jwks={newer}")

    assert changed.code == 0
    assert stored(shell).jwks == newer


def test_a_secret_that_must_be_known_is_stored_sealed_and_says_so(shell: Shell) -> None:
    made = shell.run(*MACHINE, *BY_SECRET)

    secret = made.out.split()[3]
    shown = [shell.run("client", "show", "m").out, shell.run("client", "show", "m", "--json").out]
    assert "The secret is stored sealed: keep it now" in made.out
    assert stored(shell).sealed_secrets == sealed(secret)
    assert [kept for kept in (secret, *sealed(secret), *stored(shell).secrets) if kept in "".join(shown)] == []


def test_a_sealed_secret_rotates_with_its_hash(shell: Shell) -> None:
    first = shell.run(*MACHINE, *BY_SECRET, "--json").json["client_secret"]
    second = shell.run("client", "rotate-secret", "m", "--json").json["client_secret"]
    both = stored(shell)
    third = shell.run("client", "rotate-secret", "m", "--now", "--json").json["client_secret"]

    alone = stored(shell)

    assert (both.sealed_secrets, len(both.secrets)) == (sealed(second, first), 2)
    assert (alone.sealed_secrets, len(alone.secrets)) == (sealed(third), 1)


def test_a_client_with_keys_has_no_secret_to_rotate(shell: Shell) -> None:
    shell.run(*MACHINE, *BY_KEY, "--set", f"jwks_uri={URI}")

    result = shell.run("client", "rotate-secret", "m")

    assert result.code == 1
    assert "m has keys of its own and no secret" in result.err


def test_a_client_may_go_over_from_its_secret_to_keys_and_not_back(shell: Shell) -> None:
    shell.run(*MACHINE)
    over = shell.run("client", "change", "m", *BY_KEY, "--set", f"jwks_uri={URI}")
    keyed = stored(shell)

    back = [
        shell.run("client", "change", "m", "--set", f"token_endpoint_auth_method={method}", "--set", "jwks_uri=")
        for method in ("none", "client_secret_basic", "client_secret_jwt")
    ]

    assert (over.code, keyed.secrets) == (0, ())
    assert [result.code for result in back] == [2, 2, 2]
    assert all("this client has keys and no secret" in result.err for result in back)
    assert stored(shell) == keyed


def test_a_hash_is_no_secret_to_authenticate_assertions_with(shell: Shell) -> None:
    shell.run(*MACHINE)

    result = shell.run("client", "change", "m", *BY_SECRET)

    assert result.code == 2
    assert "only a hash of this client's is stored" in result.err


def test_a_secret_that_need_not_be_known_any_more_is_forgotten(shell: Shell) -> None:
    shell.run(*MACHINE, *BY_SECRET)

    changed = shell.run("client", "change", "m", "--set", "token_endpoint_auth_method=client_secret_post")

    assert changed.code == 0
    assert (len(stored(shell).secrets), stored(shell).sealed_secrets) == (1, ())


def test_development_fetches_from_this_machine(tmp_path: Path) -> None:
    config = load_config(prepare_folder(tmp_path / "dev", host="127.0.0.1", port=8000), {})

    assert config.server.fetch_from_private_addresses
    assert not load_config(None, {}).server.fetch_from_private_addresses
