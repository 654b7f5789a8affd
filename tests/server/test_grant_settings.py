"""What the settings say of single grants: declared in the file, and changed by command."""

from __future__ import annotations

from pathlib import Path

import pytest

from everbearer.oauth.client import Client, TokenExchangePolicy
from everbearer.oauth.sealing import Sealer
from everbearer.server.config.file import load_config
from everbearer.server.config.reading import ConfigError
from everbearer.server.declared import apply_declared
from everbearer.storage.memory import MemoryStore
from server.app_world import at_once
from server.shell import SECRET as SERVER_SECRET
from server.shell import Shell

SECRET = "Vw3-kTq9_ZyR7bNc0LmXs5Ud8PfHj2GaEo4"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


async def declared(folder: Path, client: str, *, kind: str = "machine", top: str = "") -> Client:
    """Declare a client with some settings and return it as it is stored."""
    file, store = folder / "declared.toml", MemoryStore()
    file.write_text(f'{top}\n[[clients]]\nclient_id = "m"\ntype = "{kind}"\n{client}\n')
    await apply_declared(load_config(file, {}), store, Sealer([SERVER_SECRET.encode()]), run=at_once, now=1)
    stored = await store.client("m")
    assert stored is not None
    return stored


async def test_which_tokens_a_client_may_exchange_is_declared(tmp_path: Path) -> None:
    settings = f"""
        client_secret = "{SECRET}"
        grant_types = ["client_credentials", "{EXCHANGE}"]
        [clients.token_exchange]
        subject_clients = ["spa"]
        audiences = ["https://stock.example"]
        impersonate = true
    """

    assert (await declared(tmp_path, settings)).token_exchange == TokenExchangePolicy(
        subject_clients=("spa",), audiences=("https://stock.example",), impersonate=True
    )


async def test_a_policy_without_its_grant_is_refused_before_anything_starts(tmp_path: Path) -> None:
    settings = f'client_secret = "{SECRET}"\ntoken_exchange = {{ audiences = ["x"] }}'

    with pytest.raises(ConfigError, match=f"client m: token_exchange says what may be exchanged: add {EXCHANGE}"):
        await declared(tmp_path, settings)


async def test_a_device_is_declared_without_a_redirect_uri(tmp_path: Path) -> None:
    settings = f'grant_types = ["{DEVICE}", "refresh_token"]\nlifetimes = {{ device_code = "5m" }}'
    client = await declared(tmp_path, settings, kind="native")

    assert client.grant_types == (DEVICE, "refresh_token")
    assert client.lifetimes.device_code == 300


def test_which_tokens_a_client_may_exchange_is_changed_by_command(shell: Shell) -> None:
    created = ("client", "create", "--type", "machine", "--id", "m")
    assert shell.run(*created, "--set", f'grant_types=["client_credentials", "{EXCHANGE}"]').code == 0
    changed = shell.run("client", "change", "m", "--set", 'token_exchange.audiences=["billing"]')

    assert changed.code == 0
    client = shell.store(lambda store: store.client("m"))
    assert client is not None
    assert client.token_exchange.audiences == ("billing",)
    assert "token_exchange.audiences" in shell.run("client", "show", "m").out


# Lives


async def test_grants_have_lives_of_access_tokens_of_their_own(tmp_path: Path) -> None:
    top = '[lifetimes]\naccess_token_by_grant = { client_credentials = "1h", refresh_token = "15m" }\n'
    client = await declared(tmp_path, f'client_secret = "{SECRET}"', top=top)

    assert client.lifetimes.access_token_by_grant == {"client_credentials": 3600, "refresh_token": 900}


async def test_a_client_says_its_own(tmp_path: Path) -> None:
    top = '[lifetimes]\naccess_token_by_grant = { client_credentials = "1h" }\n'
    own = f'client_secret = "{SECRET}"\nlifetimes = {{ access_token_by_grant = {{ refresh_token = 60 }} }}'

    assert (await declared(tmp_path, own, top=top)).lifetimes.access_token_by_grant == {"refresh_token": 60}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ('{ clientcredentials = "1h" }', "clientcredentials is no grant_type; did you mean client_credentials?"),
        ('{ client_credentials = "soon" }', "lifetimes.access_token_by_grant"),
        ("{ client_credentials = 0 }", "lifetimes.access_token_by_grant.client_credentials is 0"),
        ('"1h"', "lifetimes.access_token_by_grant: is not what this setting takes; write a table"),
        ('{ client_credentials = "8d" }', "keys.keep_after: must be at least 691200 seconds"),
    ],
)
@pytest.mark.parametrize("where", ["for all", "for one"])
async def test_what_no_grant_is_or_no_time_is_refused(tmp_path: Path, where: str, written: str, words: str) -> None:
    setting = f"access_token_by_grant = {written}"
    top = f"[lifetimes]\n{setting}\n" if where == "for all" else ""
    own = "" if where == "for all" else f"\nlifetimes = {{ {setting} }}"

    with pytest.raises(ConfigError) as refused:
        await declared(tmp_path, f'client_secret = "{SECRET}"{own}', top=top)
    assert words in str(refused.value)


def test_a_life_of_one_grant_is_set_and_shown_by_command(shell: Shell) -> None:
    setting = 'lifetimes.access_token_by_grant={client_credentials = "1h"}'
    assert shell.run("client", "create", "--type", "machine", "--id", "m", "--set", setting).code == 0
    client = shell.store(lambda store: store.client("m"))

    assert client is not None
    assert client.lifetimes.access_token_by_grant == {"client_credentials": 3600}
    assert '{"client_credentials" = 3600}' in shell.run("client", "show", "m").out
