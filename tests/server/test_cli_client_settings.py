"""Clients by command, complete: every setting of the file by --set, read, refused and told as the file is."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from everbearer.oauth.client import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    REFRESH_TOKEN,
    AccessTokenFormat,
    AuthMethod,
    Client,
    Lifetimes,
    RotationPolicy,
)
from everbearer.oauth.clients.authentication import CLIENT_SECRET
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.events import EventKind
from everbearer.server.config import Config
from everbearer.server.config.client_settings import changed_section, read_settings, settings_of
from everbearer.server.config.file import load_config
from everbearer.server.config.reading import Reading
from everbearer.server.config.words import toml_text
from everbearer.server.declared.clients import KeptSecrets, declared_client
from server.shell import SECRET, Shell
from server_process import running_server

CALLBACK = "https://a.example/cb"

positive = st.integers(min_value=1, max_value=10**9)
words = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=20)
clients = st.builds(
    Client,
    client_id=st.just("web"),
    client_name=words.filter(bool),
    secrets=st.just(("hash",)),
    token_endpoint_auth_method=st.sampled_from([None, AuthMethod.BASIC, AuthMethod.POST]),
    token_endpoint_auth_signing_alg=st.sampled_from([None, "ES256", "HS256"]),
    jwks=words,
    jwks_uri=words,
    redirect_uris=st.lists(words, max_size=3).map(tuple),
    grant_types=st.sampled_from([(CLIENT_CREDENTIALS,), (AUTHORIZATION_CODE,), (AUTHORIZATION_CODE, REFRESH_TOKEN)]),
    scope=st.sampled_from([(), ("openid",), ("openid", "email")]),
    first_party=st.booleans(),
    response_types=st.sampled_from([("code",), ("code", "id_token"), ("code id_token token",)]),
    require_pkce=st.none() | st.booleans(),
    default_max_age=st.none() | st.integers(min_value=0, max_value=10**9),
    require_auth_time=st.booleans(),
    request_object_signing_alg=st.sampled_from(["", "ES256", "HS256", "none"]),
    require_signed_request_object=st.booleans(),
    request_uris=st.lists(words, max_size=2).map(tuple),
    default_acr_values=st.lists(words, max_size=2).map(tuple),
    access_token_format=st.sampled_from(AccessTokenFormat),
    access_token_signing_alg=st.sampled_from(["ES256", "EdDSA"]),
    userinfo_signed_response_alg=st.sampled_from([None, "RS256"]),
    id_token_encrypted_response_alg=st.sampled_from([None, "ECDH-ES+A256KW"]),
    id_token_encrypted_response_enc=st.sampled_from([None, "A256GCM"]),
    claims=st.dictionaries(words, st.lists(words, max_size=2).map(tuple), max_size=2),
    id_token_claims=st.lists(words, max_size=2).map(tuple),
    audience=words,
    resources=st.lists(words, max_size=2).map(tuple),
    introspects=st.lists(words, max_size=2).map(tuple),
    introspects_all=st.booleans(),
    lifetimes=st.builds(
        Lifetimes,
        access_token=positive,
        access_token_jitter=st.floats(0, 0.5),
        refresh_token_idle=st.none() | positive,
    ),
    rotation=st.builds(
        RotationPolicy,
        rotate=st.none() | st.booleans(),
        retry_window=st.none() | st.just(0) | positive,
        late_limit=st.none() | positive,
    ),
    logo_uri=words,
)


@pytest.fixture
def with_clients(shell: Shell) -> Shell:
    for client_id, type_ in (("web", "web"), ("spa", "spa"), ("machine", "machine")):
        uris = () if type_ == "machine" else ("--redirect-uri", CALLBACK)
        assert shell.run("client", "create", "--id", client_id, "--type", type_, *uris).code == 0
    return shell


def stored(shell: Shell, client_id: str) -> Client:
    client = shell.store(lambda store: store.client(client_id))
    assert client is not None
    return client


def settings(*texts: str) -> list[str]:
    return [word for text in texts for word in ("--set", text)]


@settings_of_hypothesis(max_examples=25)
@given(clients)
def test_what_is_shown_of_a_client_makes_the_same_client(client: Client) -> None:
    texts = [f"{key}={setting.text}" for key, setting in settings_of(client).items()]
    blank = Client(client_id="web", secrets=("hash",))

    section = changed_section(blank, texts)

    assert declared_client(section, KeptSecrets(hashes=client.secrets), Config()) == client


@pytest.mark.parametrize(
    ("text", "in_file"),
    [
        ("lifetimes.access_token=10m", 'lifetimes.access_token = "10m"'),
        ("lifetimes.refresh_token_idle=none", 'lifetimes.refresh_token_idle = "none"'),
        ("lifetimes.access_token_jitter=0.2", "lifetimes.access_token_jitter = 0.2"),
        ("lifetimes.access_token_jitter=0", "lifetimes.access_token_jitter = 0"),
        ("rotation.retry_window=0", "rotation.retry_window = 0"),
        ('lifetimes={id_token="1h", access_token=60}', 'lifetimes = {id_token="1h", access_token=60}'),
        ("require_pkce=false", "require_pkce = false"),
        ("grant_types=none", 'grant_types = "none"'),
        ('post_logout_redirect_uris=["https://b.example/"]', 'post_logout_redirect_uris = ["https://b.example/"]'),
        ("client_name=A = B", 'client_name = "A = B"'),
        ("audience=", 'audience = ""'),
        ("scope=openid email", 'scope = "openid email"'),
        ('claims={ profile = ["name"] }', 'claims = { profile = ["name"] }'),
        ("userinfo_signed_response_alg=RS256", 'userinfo_signed_response_alg = "RS256"'),
    ],
)
def test_a_setting_by_command_is_what_it_is_in_the_file(shell: Shell, text: str, in_file: str) -> None:
    by_command = shell.run(
        "client", "create", "--type", "web", "--id", "web", "--redirect-uri", CALLBACK, *settings(text)
    )
    file = shell.folder / "declared.toml"
    file.write_text(
        f'[[clients]]\nclient_id = "web"\ntype = "web"\nredirect_uris = ["{CALLBACK}"]\n'
        f'client_secret = "{SECRET}"\n{in_file}\n'
    )
    config = load_config(file, {})

    assert by_command.code == 0
    client = stored(shell, "web")
    assert replace(client, created_at=0) == declared_client(
        config.clients[0], KeptSecrets(hashes=client.secrets), config
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lifetimes.acess_token=10m", "lifetimes.acess_token: is not a known key; did you mean access_token?"),
        ("clientname=x", "clientname: is not a known key; did you mean client_name?"),
        ("client_name.x=y", "client_name: is not what this setting takes; write text in quotes"),
        ("lifetimes.access_token=soon", "lifetimes.access_token: is not what this setting takes; write seconds, or"),
        (
            "lifetimes.access_token_jitter=1",
            "lifetimes.access_token_jitter: is not what this setting takes; write a number",
        ),
        ("redirect_uris=https://a.example/", "redirect_uris: is not what this setting takes; write a list in brackets"),
        ("require_pkce=maybe", 'require_pkce: is not what this setting takes; write true or false, or "none"'),
        ("require_pkce", "require_pkce: has no value; write it as KEY=VALUE"),
        ("client_secret=x", "client_secret: "),
        ("claims=name", "claims: is not what this setting takes; write a table, each key with a list in brackets"),
        (
            "userinfo_encrypted_response_alg=RSA1_5",
            'userinfo_encrypted_response_alg: is not what this setting takes; write one of "ECDH-ES"',
        ),
    ],
)
def test_what_the_file_would_be_refused_for_is_refused(with_clients: Shell, text: str, told: str) -> None:
    before = stored(with_clients, "web")

    created = with_clients.run("client", "create", "--type", "web", "--redirect-uri", CALLBACK, *settings(text))
    changed = with_clients.run("client", "change", "web", *settings(text))

    for result in (created, changed):
        assert result.code == 2
        assert f"--set: {told}" in result.err
    assert stored(with_clients, "web") == before
    assert len(with_clients.run("client", "list", "--json").json) == 3


def test_all_that_is_wrong_is_told_at_once(with_clients: Shell) -> None:
    result = with_clients.run("client", "change", "web", *settings("a=1", "first_party=2", "audience=x", "audience=y"))

    assert result.err.splitlines() == [
        "--set: a: is not a known key; " + result.err.splitlines()[0].partition("known key; ")[2],
        "--set: first_party: is not what this setting takes; write true or false",
        "--set: audience: is given twice; keep one",
    ]


@pytest.mark.parametrize(
    ("client_id", "text", "told"),
    [
        ("spa", "rotation.rotate=false", "a client without a secret must rotate (RFC 9700 §2.2.2)"),
        ("spa", "token_endpoint_auth_method=client_secret_basic", "but the client has no secret"),
        ("web", 'redirect_uris=["http://a.example/"]', "would send the code in clear"),
        ("web", "scope=ordrs", "scope: ordrs is not declared under [scopes]"),
        ("web", "lifetimes.access_token=8d", "keys.keep_after: must be at least 691200 seconds"),
        ("web", "lifetimes.refresh_token_idle=1m", "users at work would be signed out between two refreshes"),
        ("web", "client_id=other", "--set: client_id: never changes; create another client"),
        ("web", "type=spa", "--set: type: never changes"),
        ("web", "client_secret_file=x", "run: everbearer client rotate-secret"),
    ],
)
def test_a_change_that_contradicts_something_is_refused(
    with_clients: Shell, client_id: str, text: str, told: str
) -> None:
    before = stored(with_clients, client_id)

    result = with_clients.run("client", "change", client_id, *settings(text))

    assert (result.code, told in result.err) == (2, True), result.err
    assert stored(with_clients, client_id) == before


def test_a_setting_is_given_by_its_short_option_or_by_set(shell: Shell) -> None:
    result = shell.run(
        "client", "create", "--type", "spa", "--name", "A", "--redirect-uri", CALLBACK, *settings("client_name=B")
    )

    assert (result.code, result.err) == (2, "--set: client_name: is given by its short option too; keep one\n")


def test_a_secret_may_come_from_a_file(shell: Shell) -> None:
    (shell.folder / "secret").write_text(SECRET)

    created = shell.run("client", "create", "--type", "machine", "--id", "m", *settings("client_secret_file=secret"))

    assert created.out == "client_id  m\n"
    assert Sealer([SECRET.encode()]).keyed_hash_matches(CLIENT_SECRET, SECRET.encode(), stored(shell, "m").secrets[0])


def test_a_public_client_takes_no_secret_from_a_file(shell: Shell) -> None:
    arguments = ("--type", "spa", "--redirect-uri", CALLBACK, *settings("client_secret_file=secret"))
    result = shell.run("client", "create", *arguments)

    assert result.code == 2
    assert 'client_secret_file: a client of type "spa" cannot keep a secret' in result.err


def test_settings_that_are_not_given_are_those_made_for_all(shell: Shell) -> None:
    (shell.folder / "everbearer.toml").write_text('lifetimes.access_token = "5m"\nlifetimes.id_token = "1m"\n')
    arguments = ("--type", "spa", "--id", "spa", "--redirect-uri", CALLBACK)

    shell.run("client", "create", *arguments, *settings("lifetimes.id_token=2m"))

    lifetimes = stored(shell, "spa").lifetimes
    assert (lifetimes.access_token, lifetimes.id_token) == (300, 120)


@pytest.mark.parametrize(
    ("algorithms", "chosen"), [('["RS256", "EdDSA"]', "RS256"), ('["EdDSA", "ES256"]', "ES256"), ('["PS256"]', "PS256")]
)
def test_a_client_signs_with_what_the_server_has_a_key_for(shell: Shell, algorithms: str, chosen: str) -> None:
    (shell.folder / "everbearer.toml").write_text(f"keys.algorithms = {algorithms}\n")

    created = shell.run("client", "create", "--type", "spa", "--redirect-uri", CALLBACK, "--json").json

    assert (created["access_token_signing_alg"], created["id_token_signed_response_alg"]) == (chosen, chosen)


def test_an_algorithm_that_the_server_has_no_key_for_is_refused(shell: Shell) -> None:
    (shell.folder / "everbearer.toml").write_text('keys.algorithms = ["RS256"]\n')
    arguments = ("--type", "spa", "--id", "spa", "--redirect-uri", CALLBACK)

    result = shell.run("client", "create", *arguments, *settings("access_token_signing_alg=EdDSA"))

    assert result.code == 2
    assert "keys.algorithms: has no EdDSA, which client spa has as its access_token_signing_alg" in result.err


def test_a_change_is_told_and_stands_in_the_audit_trail(with_clients: Shell) -> None:
    result = with_clients.run(
        "client", "change", "web", *settings("lifetimes.access_token=10m", "require_pkce=true", "client_name=web")
    )

    assert [line.split() for line in result.out.splitlines()] == [
        ["SETTING", "BEFORE", "NOW"],
        ["require_pkce", "none", "true"],
        ["lifetimes.access_token", "30m", "10m"],
    ]
    event = with_clients.store(lambda store: store.events(client_id="web"))[0]
    assert (event.kind, event.details) == (
        EventKind.CLIENT_CHANGED,
        {"change": "require_pkce lifetimes.access_token"},
    )
    assert event.actor.startswith("admin:")


def test_programs_are_told_what_changed(with_clients: Shell) -> None:
    told = with_clients.run("client", "change", "web", *settings("lifetimes.refresh_token_idle=none"), "--json").json

    assert told["changed"] == {"lifetimes.refresh_token_idle": {"before": 2592000, "now": None}}
    assert told["lifetimes"]["refresh_token_idle"] is None


def test_what_scopes_give_a_client_is_told_as_a_whole(with_clients: Shell) -> None:
    with_clients.run("client", "change", "web", *settings('claims={ profile = ["name"], email = [] }'))
    before = stored(with_clients, "web").claims

    changed = with_clients.run("client", "change", "web", *settings('claims={ profile = ["name"] }'))

    assert before == {"profile": ("name",), "email": ()}
    assert changed.code == 0
    assert stored(with_clients, "web").claims == {"profile": ("name",)}
    assert settings_of(stored(with_clients, "web"))["claims"].text == '{"profile" = ["name"]}'


def test_a_change_to_what_is_so_already_changes_nothing(with_clients: Shell) -> None:
    result = with_clients.run("client", "change", "web", *settings("lifetimes.access_token=1800"))

    assert result.out == "Nothing changed: all of it was so before.\n"
    assert [event.kind for event in with_clients.store(lambda store: store.events(client_id="web"))] == [
        EventKind.CLIENT_CREATED
    ]


def test_a_change_keeps_secrets_grants_and_a_disabled_client_disabled(with_clients: Shell) -> None:
    with_clients.run("client", "disable", "web")
    before = stored(with_clients, "web")

    with_clients.run("client", "change", "web", *settings("first_party=true"))

    assert stored(with_clients, "web") == replace(before, first_party=True)


def test_a_change_of_nothing_or_of_nobody_is_told(with_clients: Shell) -> None:
    nothing = with_clients.run("client", "change", "web")
    nobody = with_clients.run("client", "change", "wbe", *settings("first_party=true"))

    assert (nothing.code, nothing.err) == (2, "nothing to change was given; write --set KEY=VALUE\n")
    assert (nobody.code, nobody.err) == (1, "there is no client wbe; everbearer client list shows all\n")


def test_a_client_that_the_file_declares_is_warned_of(with_clients: Shell) -> None:
    declared = '[[clients]]\nclient_id = "spa"\ntype = "spa"\nredirect_uris = ["https://a.example/cb"]\n'
    (with_clients.folder / "everbearer.toml").write_text(declared)

    result = with_clients.run("client", "change", "spa", *settings("first_party=true"))
    other = with_clients.run("client", "change", "web", *settings("first_party=true"))

    assert result.code == 0
    assert result.err.startswith("warning: spa is declared in the configuration, and the next start makes it as it")
    assert other.err == ""


def test_what_an_application_stored_that_has_no_words_here_is_shown_and_told(with_clients: Shell) -> None:
    odd = replace(stored(with_clients, "web"), grant_types=(AUTHORIZATION_CODE, "urn:example:swap"))
    event = with_clients.store(lambda store: store.events(client_id="web"))[0]
    with_clients.store(lambda store: store.put_client(odd, event))

    result = with_clients.run("client", "change", "web", *settings("first_party=true"))

    assert "urn:example:swap" in with_clients.run("client", "show", "web").out
    assert (result.code, "--set: grant_types[1]: is not what this setting takes" in result.err) == (2, True)


def test_all_settings_in_force_are_shown_as_set_takes_them(with_clients: Shell) -> None:
    out = with_clients.run("client", "show", "spa").out
    shown = dict(line.split(maxsplit=1) for line in out.splitlines() if len(line.split()) > 1)

    assert (shown["kind"], shown["secrets"]) == ("public", "0")
    assert shown["lifetimes.access_token"] == "30m"
    assert shown["rotation.retry_window"] == "none"
    assert shown["require_pkce"] == "none"
    assert shown["redirect_uris"] == '["https://a.example/cb"]'
    reading = Reading(source="shown", folder=Path())
    read_settings(
        [f"{key}={setting.text}" for key, setting in settings_of(stored(with_clients, "spa")).items()], reading
    )
    assert reading.problems == []


def test_a_running_server_goes_by_a_change_from_the_next_request_on(tmp_path: Path) -> None:
    with running_server(tmp_path, "") as server:
        machine = server.command("client", "create", "--type", "machine")
        web = server.command("client", "create", "--type", "web", "--redirect-uri", CALLBACK)["client_id"]

        def expires_in() -> int:
            auth = (machine["client_id"], machine["client_secret"])
            answer = httpx.post(
                f"{server.issuer}/oauth2/token", data={"grant_type": "client_credentials"}, auth=auth, timeout=120
            )
            seconds: int = answer.json()["expires_in"]
            return seconds

        def authorize() -> int:
            query = {"client_id": web, "response_type": "code", "scope": "openid", "redirect_uri": "https://b.example/"}
            return httpx.get(f"{server.issuer}/oauth2/authorize", params=query, timeout=120).status_code

        before = (expires_in(), authorize())
        server.command("client", "change", machine["client_id"], "--set", "lifetimes.access_token=10m")
        server.command("client", "change", web, "--set", 'redirect_uris=["https://b.example/"]')

        assert (before, (expires_in(), authorize())) == ((1800, 400), (600, 303))


def test_the_one_character_that_json_keeps_and_toml_refuses_is_escaped() -> None:
    texts = ["a\x7fb"]

    assert tomllib.loads(f"x = {toml_text(texts)}") == {"x": texts}
