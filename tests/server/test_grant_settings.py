"""What the settings say of single grants: declared in the file, and changed by command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from everbearer.oauth.client import Client, TokenExchangePolicy
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.messages import Response
from everbearer.server.config import SignInSection
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.file import load_config
from everbearer.server.config.reading import ConfigError
from everbearer.server.config.weakenings import weakenings
from everbearer.server.declared import apply_declared
from everbearer.server.tables import Parts, build
from everbearer.storage.memory import MemoryStore
from server.app_world import LOGIN, PASSWORD, Browser, at_once, members, new_endpoint
from server.shell import SECRET as SERVER_SECRET
from server.shell import Shell
from server_process import running_server
from world import claims_of

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


# Passwords

MIGRATING = "[sign_in]\nallow_password_grant = true\nper_account = 2\nacr = 'urn:example:password'\n"
LEGACY = 'first_party = true\ngrant_types = ["password", "refresh_token"]'


async def test_passwords_are_refused_as_grants_unless_they_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="client m: grant_types: password is not offered, for RFC 9700 §2"):
        await declared(tmp_path, LEGACY, kind="native")


async def test_they_are_for_first_party_clients(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="client m: password is for first-party clients alone"):
        await declared(tmp_path, LEGACY.replace("true", "false"), kind="native", top=MIGRATING)


async def test_they_can_be_asked_for(tmp_path: Path) -> None:
    assert "password" in (await declared(tmp_path, LEGACY, kind="native", top=MIGRATING)).grant_types


def test_a_client_that_sends_passwords_is_not_made_by_command_where_that_is_off(shell: Shell) -> None:
    create = ("client", "create", "--type", "native", "--id", "m", "--first-party")
    made = shell.run(*create, "--set", 'grant_types=["password", "refresh_token"]')

    assert made.code != 0
    assert "password is not offered" in made.err


def test_the_check_and_the_start_say_what_it_costs(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "migrating.toml"
    client = f'[[clients]]\nclient_id = "legacy"\ntype = "native"\n{LEGACY}\n'
    file.write_text(f'issuer = "http://127.0.0.1:1"\n{MIGRATING}{client}')
    (words,) = weakenings(load_config(file, {}))

    assert words.startswith("sign_in.allow_password_grant = true (legacy): the application sees users' passwords")
    assert words in shell.run("config", "check", "--config", str(file)).out


def test_a_server_that_starts_says_it(tmp_path: Path) -> None:
    with running_server(tmp_path, "[sign_in]\nallow_password_grant = true\n") as server:
        assert "weaker by choice: sign_in.allow_password_grant = true" in server.told()


def test_it_is_said_of_clients_that_are_made_by_command_too(tmp_path: Path) -> None:
    file = tmp_path / "migrating.toml"
    file.write_text(MIGRATING)

    assert "(no client that is declared here)" in weakenings(load_config(file, {}))[0]


async def migrating() -> tuple[Browser, Parts]:
    """Return a server that takes passwords, and a client that sends them."""
    _, parts = await new_endpoint()
    sign_in = SignInSection(allow_password_grant=True, per_account=2, acr="urn:example:password")
    client = ClientSection(client_id="legacy", type="native", first_party=True, grant_types=("password",))
    parts = replace(parts, config=structs.replace(parts.config, sign_in=sign_in, clients=(client,)))
    await apply_declared(parts.config, parts.store, parts.sealer, run=at_once, now=parts.now())
    return Browser(endpoint=build(parts)), parts


async def bring(browser: Browser, **changes: str) -> Response:
    form = {"grant_type": "password", "client_id": "legacy", "username": LOGIN, "password": PASSWORD}
    return await browser.send("POST", "/oauth2/token", {**form, "scope": "openid", **changes})


async def test_the_password_of_a_user_is_a_grant_while_one_migrates() -> None:
    browser, parts = await migrating()
    answer = await bring(browser, username="ADA@example.com")
    claims = claims_of(members(answer)["id_token"])
    user = await parts.store.user_by_login(LOGIN)
    assert user is not None

    assert (claims["sub"], claims["amr"], claims["acr"]) == (user.subject, ["pwd"], "urn:example:password")


async def test_the_limits_are_those_of_the_sign_in_page_and_shared_with_it() -> None:
    browser, _ = await migrating()
    wrong = [await bring(browser, password="wrong") for _ in range(2)]
    limited = await bring(browser)
    page = await browser.sign_in()

    assert [answer.status for answer in wrong] == [400, 400]
    assert (limited.status, limited.error) == (429, "temporarily_unavailable")
    assert 0 < int(dict(limited.headers)["Retry-After"]) <= 900
    assert page.status == 429


async def test_each_try_is_told_to_those_who_count() -> None:
    browser, parts = await migrating()
    heard: list[Event] = []
    browser.endpoint = build(replace(parts, notify=heard.append))
    await bring(browser)
    await bring(browser, password="wrong")
    await bring(browser, password="wrong")
    await bring(browser, password="wrong")
    told = [(event.kind, event.details) for event in heard if event.kind is not EventKind.INVALID_GRANT]

    assert told == [
        (EventKind.SIGNED_IN, {}),
        (EventKind.SIGN_IN_FAILED, {"reason": "wrong credentials"}),
        (EventKind.SIGN_IN_FAILED, {"reason": "wrong credentials"}),
        (EventKind.SIGN_IN_FAILED, {"reason": "too many attempts"}),
    ]


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
