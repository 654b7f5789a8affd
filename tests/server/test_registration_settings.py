"""The settings of client registration: what is refused, what is called weak, and what the server makes of them."""

from __future__ import annotations

import pytest

from asserting import jwks_of
from everbearer.oauth.client import AuthMethod
from everbearer.oauth.client_registration import ClientRegistration, StatementIssuer, no_document
from everbearer.oauth.models import DAY, HOUR
from everbearer.server.config import Config
from everbearer.server.config.reading import ConfigError
from everbearer.server.config.reference import reference, settings
from everbearer.server.config.weakenings import weakenings
from everbearer.server.declared.clients import KeptSecrets, declared_client
from everbearer.server.self_registration import client_registration_of
from everbearer.storage.memory import MemoryStore
from server.loading import Load
from server.shell import Shell
from world import Clock, key_of


def registration(config: Config) -> ClientRegistration:
    found = client_registration_of(config, MemoryStore(), fetch=no_document, now=Clock())
    assert found is not None
    return found


def test_nobody_registers_unless_it_is_asked_for(load: Load) -> None:
    config = load("")

    assert client_registration_of(config, MemoryStore(), fetch=no_document, now=Clock()) is None
    assert config.registration.unused_after == 30 * DAY
    assert weakenings(config) == ()


def test_what_a_client_may_be_is_narrow_until_it_is_widened(load: Load) -> None:
    found = registration(
        load(
            """name = "Example ID"
[scopes]
orders = "See your orders"
[registration]
mode = "token"
[[clients]]
client_id = "notes"
type = "spa"
client_name = "My Notes"
redirect_uris = ["https://notes.example/"]
"""
        )
    )

    assert not found.anybody
    assert set(found.scope) == {"openid", "offline_access", "profile", "email", "address", "phone"}
    assert found.grant_types == ("authorization_code", "refresh_token")
    assert found.token_endpoint_auth_methods == (
        AuthMethod.BASIC,
        AuthMethod.POST,
        AuthMethod.SECRET_JWT,
        AuthMethod.PRIVATE_KEY_JWT,
        AuthMethod.NONE,
    )
    assert found.require_pkce is None
    assert not found.remember_consent
    assert found.reserved_names == {"exampleid", "mynotes"}
    assert found.most_clients == 10_000


def test_every_setting_reaches_the_protocol(load: Load) -> None:
    jwks = jwks_of(key_of("ES256"))
    found = registration(
        load(
            f"""[lifetimes]
access_token = "20m"
[rotation]
late_after = "5s"
[scopes]
orders = "See your orders"
[registration]
mode = "open"
scope = "openid orders"
grant_types = ["authorization_code"]
token_endpoint_auth_methods = ["none"]
redirect_hosts = ["*.example.com", "app.example"]
loopback = false
app_schemes = false
require_pkce = false
remember_consent = true
most_clients = "none"
require_software_statement = true
lifetimes.refresh_token = "40d"
rotation.retry_window = "10s"
[[registration.statement_issuers]]
issuer = "https://directory.example"
jwks = '{jwks}'
[[registration.statement_issuers]]
issuer = "https://other.example"
jwks_uri = "https://other.example/jwks"
"""
        )
    )

    assert found.anybody
    assert found.scope == ("openid", "orders")
    assert (found.grant_types, found.token_endpoint_auth_methods) == (("authorization_code",), (AuthMethod.NONE,))
    assert found.redirect_hosts == ("*.example.com", "app.example")
    assert (found.loopback, found.app_schemes, found.require_pkce, found.remember_consent) == (
        False,
        False,
        False,
        True,
    )
    assert found.most_clients is None
    assert (found.lifetimes.access_token, found.lifetimes.refresh_token) == (20 * 60, 40 * DAY)
    assert (found.rotation.late_after, found.rotation.retry_window) == (5, 10)
    assert found.require_software_statement
    assert found.statement_issuers == (
        StatementIssuer(issuer="https://directory.example", jwks=jwks),
        StatementIssuer(issuer="https://other.example", jwks_uri="https://other.example/jwks"),
    )


def test_the_environment_sets_them_too(load: Load) -> None:
    config = load(
        "",
        EVERBEARER_REGISTRATION__MODE="token",
        EVERBEARER_REGISTRATION__LIFETIMES='{ access_token = "5m" }',
        EVERBEARER_REGISTRATION__STATEMENT_ISSUERS='[{ issuer = "a", jwks_uri = "https://a.example/jwks" }]',
    )

    assert config.registration.mode == "token"
    assert config.registration.lifetimes.access_token == 300
    assert config.registration.statement_issuers[0].issuer == "a"


def test_devices_alone_may_register_themselves(load: Load) -> None:
    device = "urn:ietf:params:oauth:grant-type:device_code"
    config = load(f'[registration]\nmode = "open"\ngrant_types = ["{device}", "refresh_token"]')

    assert config.registration.grant_types == (device, "refresh_token")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('mode = "maybe"', 'registration.mode: is not what this setting takes; write one of "off", "open", "token"'),
        ('modes = "open"', "registration.modes: is not a known key; did you mean mode?"),
        ('scope = "emial"', "registration.scope: emial is not declared under [scopes]; did you mean email?"),
        ("scope = 'open\"id'", "registration.scope: scope holds characters"),
        ('scope = "https://authgear.com/scopes/full-access"', "is for first-party clients; take it out"),
        (
            'redirect_hosts = ["https://app.example"]',
            "'https://app.example' is not a host",
        ),
        ('redirect_hosts = ["app.*.example"]', "registration.redirect_hosts"),
        ('redirect_hosts = ["*"]', "registration.redirect_hosts"),
        ('grant_types = ["refresh_token"]', "registration.grant_types: refresh_token needs a grant to refresh"),
        ("grant_types = []", "registration.grant_types"),
        (
            'grant_types = ["authorization_code", "implicit"]',
            "registration.grant_types: implicit is no choice here, for the profile says who gets tokens by the browser",
        ),
        (
            'grant_types = ["urn:ietf:params:oauth:grant-type:jwt-bearer"]',
            "registration.grant_types: urn:ietf:params:oauth:grant-type:jwt-bearer needs somebody to trust",
        ),
        ('grant_types = ["password"]', "registration.grant_types: password is for first-party clients alone"),
        ('lifetimes.access_token_by_grant = { x = "1h" }', "registration.lifetimes.access_token_by_grant: x is no"),
        ('unused_after = "1h"', "registration.unused_after: must be at least a day"),
        ("most_clients = -1", "registration.most_clients: must be at least 0"),
        ('lifetimes.authorization_code = "1h"', "registration.lifetimes.authorization_code"),
        (
            'mode = "open"\nrotation.rotate = false',
            "registration.rotation.rotate: is false, but clients without a secret must rotate",
        ),
        ("rotation.retry_limit = 0", "registration.rotation.retry_limit"),
        ("require_software_statement = true", "nobody's statements are believed"),
        (
            'statement_issuers = [{ jwks_uri = "https://a.example/" }]',
            "issuer is empty: write the iss of what it signs",
        ),
        ('statement_issuers = [{ issuer = "a" }]', "'a': its public keys must be known by one of jwks_uri and jwks"),
        (
            'statement_issuers = [{ issuer = "a", jwks_uri = "https://a/", jwks = "x" }]',
            "'a': its public keys must be known by one of jwks_uri and jwks",
        ),
        (
            'statement_issuers = [{ issuer = "a", jwks_uri = "http://a.example/" }]',
            "'a': jwks_uri must be an https URL",
        ),
        ('statement_issuers = [{ issuer = "a", jwks = "x" }]', "'a': jwks is not JSON"),
        (
            'statement_issuers = [{ issuer = "a", jwks_uri = "https://a/" }, { issuer = "a" }]',
            "'a' is declared 2 times; keep one",
        ),
        ('statement_issuers = [{ isuer = "a" }]', "isuer: is not a known key; did you mean issuer?"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(load: Load, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(f"[registration]\n{text}\n")

    assert sentence in "\n".join(refused.value.problems)


def test_what_is_wrong_for_all_clients_is_told_once(load: Load) -> None:
    with pytest.raises(ConfigError) as refused:
        load('lifetimes.authorization_code = "1h"\nrotation.retry_limit = 0\n')

    assert len(refused.value.problems) == 2


def test_who_may_not_rotate_may_do_without_where_all_clients_have_a_secret(load: Load) -> None:
    text = '[registration]\nrotation.rotate = false\ntoken_endpoint_auth_methods = ["client_secret_basic"]\n'

    assert load(text).registration.rotation.rotate is False


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('mode = "open"', ['registration.mode = "open": anybody who reaches the server', "for any host"]),
        ('mode = "token"\nrequire_pkce = false', ["registration.require_pkce = false: a stolen code"]),
        (
            'mode = "token"\n[server]\nfetch_from_private_addresses = true',
            ["server.fetch_from_private_addresses = true: whoever registers a client"],
        ),
        ('mode = "token"\nremember_consent = true', ["registration.remember_consent = true", "nobody has checked"]),
    ],
)
def test_what_is_weaker_by_choice_is_told_in_words(load: Load, text: str, words: list[str]) -> None:
    (told,) = weakenings(load(f"[registration]\n{text}\n"))

    assert all(word in told for word in words)


@pytest.mark.parametrize("mode", ["off", "token"])
def test_what_is_not_in_force_or_not_weaker_is_not_told(load: Load, mode: str) -> None:
    weaker = "require_pkce = false\nremember_consent = true\n" if mode == "off" else ""

    assert weakenings(load(f'[registration]\nmode = "{mode}"\n{weaker}')) == ()


def test_open_registration_by_statement_or_for_some_hosts_is_told_as_what_it_is(load: Load) -> None:
    hosts = load('[registration]\nmode = "open"\nredirect_hosts = ["app.example"]\n')
    issuers = 'statement_issuers = [{ issuer = "a", jwks_uri = "https://a.example/jwks" }]\n'
    vouched = load(f'[registration]\nmode = "open"\nrequire_software_statement = true\n{issuers}')

    assert "for any host" not in weakenings(hosts)[0]
    assert weakenings(vouched) == ()


async def test_who_registers_often_from_one_network_waits(load: Load) -> None:
    clock, config = Clock(), load('[registration]\nmode = "open"\nper_address = 2\nwindow = "1h"\n')
    found = client_registration_of(config, MemoryStore(), fetch=no_document, now=clock)
    assert found is not None
    waits = [await found.wait(f"2001:db8::{number}") for number in range(3)]
    elsewhere = await found.wait("2001:db8:0:1::1")
    clock.advance(HOUR)

    assert waits == [0, 0, HOUR]
    assert elsewhere == 0
    assert await found.wait("2001:db8::9") == 0


def test_the_reference_tells_of_the_tables_in_the_table() -> None:
    told = {setting["key"] for setting in settings()}

    assert {"registration.mode", "registration.lifetimes", "registration.statement_issuers[].issuer"} <= told
    assert "## [[registration.statement_issuers]]" in reference()
    assert "`EVERBEARER_REGISTRATION__STATEMENT_ISSUERS`, all of them as one TOML list" in reference()


# What of it a client that is declared may have


DECLARED = """[[clients]]
client_id = "notes"
type = "spa"
redirect_uris = ["https://notes.example/"]
"""


def test_a_declared_client_may_have_what_others_register(load: Load) -> None:
    settings = """remember_consent = false
default_max_age = "1h"
default_acr_values = ["urn:a", "urn:b"]
initiate_login_uri = "https://notes.example/login"
"""
    config = load(DECLARED + settings)

    client = declared_client(config.clients[0], KeptSecrets(), config)

    assert (client.remember_consent, client.default_max_age) == (False, HOUR)
    assert client.default_acr_values == ("urn:a", "urn:b")
    assert client.initiate_login_uri == "https://notes.example/login"
    assert client.registration is None


def test_a_login_is_not_initiated_in_clear(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"initiate_login_uri: .* must be an https URL"):
        load(DECLARED + 'initiate_login_uri = "http://notes.example/"\n')


def test_a_client_is_given_and_loses_a_place_to_be_opened_at_by_command(shell: Shell) -> None:
    created = ("client", "create", "--id", "notes", "--type", "spa", "--redirect-uri", "https://notes.example/")
    shell.run(*created, "--set", "initiate_login_uri=https://notes.example/login")
    shown = shell.run("client", "show", "notes").out
    changed = shell.run("client", "change", "notes", "--set", "initiate_login_uri=", "--set", "default_max_age=5m")

    assert "https://notes.example/login" in shown
    assert "https://notes.example/login" in changed.out
    assert "5m" in changed.out
