"""One file and the environment make the configuration; whatever is wrong is told with its place and what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from everbearer.oauth.models import DAY, MINUTE
from everbearer.server.config import FULL_ACCESS
from everbearer.server.config.file import find_config, load_config
from everbearer.server.config.reading import ConfigError
from everbearer.server.config.rules import serving_problems
from everbearer.server.declared.clients import KeptSecrets, declared_client
from server.loading import Load

SECRET = "Zr8-q1ZbT0vXn4kPq7Lw2aYc5eHd9sJu"


def refusal(load: Load, text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as refused:
        load(text, **environ)
    return "\n".join(refused.value.problems)


def test_every_setting_has_a_default() -> None:
    config = load_config(None, {})

    assert (config.server.host, config.server.port, config.server.workers) == ("127.0.0.1", 8000, 1)
    assert config.lifetimes.access_token == 30 * MINUTE
    assert config.keys.algorithms == ("ES256", "RS256", "PS256", "EdDSA")


def test_the_default_database_is_beside_the_file(load: Load, tmp_path: Path) -> None:
    assert load("").server.database == str(tmp_path / "everbearer.db")


@pytest.mark.parametrize("written", ["data/e.db", "sqlite:///data/e.db"])
def test_a_path_is_relative_to_the_folder_of_the_file(load: Load, tmp_path: Path, written: str) -> None:
    assert load(f'server.database = "{written}"').server.database == str(tmp_path / "data/e.db")


def test_an_absolute_path_stays(load: Load) -> None:
    assert load('server.database = "sqlite:////var/lib/e.db"').server.database == "/var/lib/e.db"


def test_a_path_in_the_environment_is_relative_to_the_current_folder(load: Load) -> None:
    config = load('server.database = "a.db"', EVERBEARER_SERVER__DATABASE="b.db")

    assert config.server.database == str(Path("b.db").absolute())


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90", 90),
        ('"90"', 90),
        ('"90s"', 90),
        ('"15m"', 900),
        ('"12 h"', 43200),
        ('"30d"', 30 * DAY),
        ('"1w"', 7 * DAY),
    ],
)
def test_a_duration_is_a_number_of_seconds_or_text(load: Load, written: str, seconds: int) -> None:
    assert load(f"sessions.idle = {written}").sessions.idle == seconds


def test_none_is_a_word(load: Load) -> None:
    config = load('lifetimes.refresh_token_idle = "none"\nrotation.late_limit = "none"')

    assert (config.lifetimes.refresh_token_idle, config.rotation.late_limit) == (None, None)


def test_the_environment_overrides_the_file(load: Load) -> None:
    config = load(
        'issuer = "https://a.example"\n[server]\nport = 1\nhost = "::1"\n[lifetimes]\naccess_token = 60',
        EVERBEARER_ISSUER="https://b.example",
        EVERBEARER_SERVER__PORT="2",
        EVERBEARER_SERVER__TRUSTED_PROXIES='["10.0.0.0/8"]',
        EVERBEARER_LIFETIMES__ACCESS_TOKEN="15m",
        EVERBEARER_LIFETIMES__REFRESH_TOKEN_IDLE="none",
        EVERBEARER_SCOPES__ORDERS="See your orders",
        EVERBEARER_KEYS__ALGORITHMS='["ES256", "RS256"]',
    )

    assert config.issuer == "https://b.example"
    assert (config.server.port, config.server.host) == (2, "::1")
    assert config.server.trusted_proxies == ("10.0.0.0/8",)
    assert (config.lifetimes.access_token, config.lifetimes.refresh_token_idle) == (900, None)
    assert config.scopes == {"orders": "See your orders"}
    assert config.keys.algorithms == ("ES256", "RS256")


def test_clients_can_be_declared_in_the_environment(load: Load) -> None:
    config = load("", EVERBEARER_CLIENTS='[{client_id = "a", type = "spa", redirect_uris = ["https://a.example/cb"]}]')

    assert [client.client_id for client in config.clients] == ["a"]


def test_variables_of_container_platforms_are_left_alone(load: Load) -> None:
    theirs = {
        "EVERBEARER_SERVICE_HOST": "10.0.0.1",
        "EVERBEARER_PORT": "tcp://10.0.0.1:80",
        "EVERBEARER_SERVER_PORT": "tcp://10.0.0.2:80",
        "HOME": "/",
    }

    assert load("", **theirs) == load("")


def test_all_problems_are_told_at_once(load: Load) -> None:
    problems = refusal(load, 'isuer = "x"\n[server]\nport = "a"\nworkers = 0\n[[clients]]\ntype = "spa"')

    assert problems.count("\n") == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('isuer = "x"', "isuer: is not a known key; did you mean issuer?"),
        ("[server]\nprot = 1", "server.prot: is not a known key; did you mean port?"),
        (
            "[sessions]\nzzz = 1",
            "sessions.zzz: is not a known key; known here are absolute, check_session_iframe, idle",
        ),
        ('[server]\nport = "x"', "server.port: is not what this setting takes; write a whole number from 0 to 65535"),
        (
            "[server]\nmax_body = 1",
            "server.max_body: is not what this setting takes; write a whole number, at least 1024",
        ),
        ("[server]\nhost = 1", "server.host: is not what this setting takes; write text in quotes"),
        ('[server]\ntrusted_proxies = "x"', "write a list in brackets of texts in quotes"),
        ("[traces]\nsample = 2", "traces.sample: is not what this setting takes; write a number from 0 to 1"),
        (
            "[lifetimes]\naccess_token_jitter = nan",
            "lifetimes.access_token_jitter: is not what this setting takes; write a number from 0 to 0.5",
        ),
        ("server = 1", "server: is not what this setting takes; write a table"),
        ("[scopes]\na = 1", "scopes"),
        ('[claims]\nprofile = "name"', "write a table, each key with a list in brackets of texts in quotes"),
        ('lifetimes.id_token = "5 minutes"', 'write seconds, or text such as "15m", "12h", "30d" or "52w"'),
        ("lifetimes.id_token = true", "lifetimes.id_token: is not what this setting takes"),
        ('lifetimes.id_token = "none"', "lifetimes.id_token: is not what this setting takes"),
        ('rotation.rotate = "yes"', 'rotation.rotate: is not what this setting takes; write true or false, or "none"'),
        ('keys.algorithms = ["HS256"]', 'write a list in brackets of one of "ES256", "EdDSA", "PS256", "RS256"'),
        ("clients = 1", "clients: is not what this setting takes; write tables, each under its own [[heading]]"),
        ('[[clients]]\ntype = "spa"', "clients[0]: client_id is missing; write client_id = text in quotes"),
        (
            (
                '[[clients]]\nclient_id = "a"\ntype = "spa"\nredirect_uris = ["https://a.example/"]\n'
                '[[clients]]\nclient_id = "b"\ntype = "app"'
            ),
            'clients[1].type: is not what this setting takes; write one of "machine", "native", "spa", "web"',
        ),
        ("issuer = x", "is not TOML: Invalid value (at line 1, column 10); text values need quotes"),
    ],
)
def test_a_problem_of_form_says_where_and_what_to_write(load: Load, tmp_path: Path, text: str, told: str) -> None:
    problem = refusal(load, text)

    assert told in problem
    assert problem.startswith(str(tmp_path / "everbearer.toml"))


def test_a_refused_value_is_not_shown_for_it_may_be_a_secret(load: Load) -> None:
    assert SECRET not in refusal(load, f'[[clients]]\nclient_id = "a"\ntype = "web"\nclient_secrets = "{SECRET}"')


def test_a_declared_secret_is_in_no_repr(load: Load) -> None:
    config = load(
        f'[[clients]]\nclient_id = "a"\ntype = "machine"\nclient_secret = "{SECRET}"\n'
        f'[[users]]\nlogin = "u"\npassword = "{SECRET}"'
    )

    assert SECRET not in repr(config)
    assert "client_id='a'" in repr(config)
    assert "login='u'" in repr(config)


@pytest.mark.parametrize(
    ("variable", "text", "told"),
    [
        (
            "EVERBEARER_SERVER__PORT",
            "x",
            "EVERBEARER_SERVER__PORT: is not what this setting takes; write a whole number",
        ),
        (
            "EVERBEARER_SERVER__PROT",
            "1",
            "EVERBEARER_SERVER__PROT: prot is not a known key of server; did you mean port?",
        ),
        ("EVERBEARER_SEVER__PORT", "1", "sever is not a section with keys; did you mean server?"),
        ("EVERBEARER_SERVER_PORT", "9000", "is not read; write EVERBEARER_SERVER__PORT, with two underscores"),
        ("EVERBEARER_ISSUER__X", "1", "issuer is not a section with keys"),
        ("EVERBEARER_CLIENTS", '[{client_idd = "a"}]', "EVERBEARER_CLIENTS[0].client_idd: is not a known key"),
    ],
)
def test_a_problem_in_the_environment_names_the_variable(load: Load, variable: str, text: str, told: str) -> None:
    problem = refusal(load, "", **{variable: text})

    assert told in problem
    assert problem.startswith("environment: ")


WEB = (
    f'[[clients]]\nclient_id = "a"\ntype = "web"\nclient_secret = "{SECRET}"\nredirect_uris = ["https://a.example/"]\n'
)
SPA = '[[clients]]\nclient_id = "a"\ntype = "spa"\nredirect_uris = ["https://a.example/"]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('issuer = "https://id example.com"', "issuer: 'https://id example.com' is not an absolute URL; write it as"),
        ('issuer = "id.example.com"', "issuer: 'id.example.com' is not an absolute URL; write it as https://"),
        ('issuer = "https://a.example/?x=1"', "issuer: must have no query, fragment or user name"),
        ('issuer = "https://a.example/"', "issuer: leave out the slash at its end; write https://a.example"),
        ('server.database = "mysql://x"', "server.database: mysql is not a database that is known"),
        ('server.trusted_proxies = ["proxy"]', "server.trusted_proxies: 'proxy' is not an address or network"),
        ('sessions.idle = "53w"', "sessions.idle: is longer than sessions.absolute"),
        ('lifetimes.refresh_token_idle = "53w"', "lifetimes.refresh_token_idle"),
        ("rotation.retry_window = 5", "rotation.late_after"),
        ('keys.rotate_after = "1h"', "keys.rotate_after: must be longer than keys.publish_before"),
        ('keys.keep_after = "1m"', "keys.keep_after: must be at least 1800 seconds"),
        (SPA + 'lifetimes = { id_token = "8d" }', "keys.keep_after: must be at least 691200 seconds"),
        ('keys.algorithms = ["RS256"]\n' + SPA, "keys.algorithms: has no ES256, which client a has as its"),
        ('scopes."a b" = "x"', "scopes: 'a b' cannot be a scope value"),
        ('scopes."a\\"b" = "x"', "cannot be a scope value"),
        ('scopes.a = " "', "scopes.a: is empty; write what the consent page shall say"),
        (SPA + SPA, "clients: a is declared 2 times; keep one"),
        (SPA + f'client_secret = "{SECRET}"', 'client a: client_secret: a client of type "spa" cannot keep a secret'),
        (WEB.replace("client_secret =", "client_name ="), 'client a: client_secret_file: a client of type "web" needs'),
        (WEB + 'client_secret_file = "x"', "client a: client_secret and client_secret_file are both set; keep one"),
        (WEB.replace(SECRET, "short"), "client a: client_secret: is shorter than 16 characters; use 43 random"),
        (WEB.replace(SECRET, "ab" * 20), "client a: client_secret: repeats too few different characters"),
        ('claims.orders = ["shop"]', "claims: orders is not declared under [scopes]; "),
        ('claims.profile = ["sub"]', "claims: sub is the protocol's own"),
        (SPA + 'id_token_claims = ["shop"]', "client a: id_token_claims: shop is given by no scope of this client"),
        (SPA + 'scope = "openid"\nclaims = { email = ["email"] }', "client a: claims: email is no scope value of this"),
        (WEB + 'id_token_encrypted_response_alg = "ECDH-ES"', "ECDH-ES needs the client's public keys: set jwks_uri"),
        (
            'keys.algorithms = ["ES256"]\n' + WEB + 'userinfo_signed_response_alg = "RS256"',
            "keys.algorithms: has no RS256, which client a has as its userinfo_signed_response_alg",
        ),
        (SPA + 'scope = "openid emial"', "client a: scope: emial is not declared under [scopes]; did you mean email?"),
        (SPA + "scope = 'open\"id'", "client a: scope: scope holds characters"),
        (SPA + f'scope = "{FULL_ACCESS}"', "is for first-party clients"),
        (WEB + f'first_party = true\nscope = "{FULL_ACCESS}"', "is for first-party clients"),
        (SPA + "rotation = { rotate = false }", "client a: rotation.rotate is false, but a client without a secret"),
        (SPA.replace("https", "http"), "client a: redirect_uris: 'http://a.example/' would send the code in clear"),
        ('[[users]]\nlogin = "A"\n[[users]]\nlogin = "a"', "users: a is declared 2 times; keep one"),
        ('[[users]]\nlogin = "a"\npassword = "x"\npassword_file = "y"', "user a: password and password_file are both"),
        ('[[users]]\nlogin = "a"\npassword_hash = "x"', "user a: password_hash: is not an argon2id hash"),
        ('[[users]]\nlogin = "a"\nclaims = { sub = "x" }', "user a: claims.sub: is not a claim to declare"),
        ('[[users]]\nlogin = "a"\nclaims = { birthdate = 1990-01-01 }', "claims.birthdate: is a date or time"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(load: Load, text: str, told: str) -> None:
    assert told in refusal(load, text)


def test_a_web_client_defaults_to_what_its_type_needs(load: Load) -> None:
    config = load(WEB)
    client = declared_client(config.clients[0], KeptSecrets(hashes=("hash",)), config)

    assert not client.public
    assert client.require_pkce is None
    assert client.response_types == ("code",)
    assert client.rotation.rotate is None
    assert client.grant_types == ("authorization_code", "refresh_token")
    assert client.client_name == "a"
    assert FULL_ACCESS not in client.scope


@pytest.mark.parametrize(
    ("response_types", "grant_types"),
    [
        ('["id_token"]', ("implicit",)),
        ('["code", "code id_token"]', ("authorization_code", "refresh_token", "implicit")),
    ],
)
def test_a_client_has_the_grant_types_that_its_response_types_need(
    load: Load, response_types: str, grant_types: tuple[str, ...]
) -> None:
    config = load(WEB + f"response_types = {response_types}")
    client = declared_client(config.clients[0], KeptSecrets(hashes=("hash",)), config)

    assert client.grant_types == grant_types
    assert ("offline_access" in client.scope) == ("refresh_token" in grant_types)


def test_a_first_party_spa_may_ask_for_everything(load: Load) -> None:
    config = load('scopes.orders = "See your orders"\n' + SPA + "first_party = true")
    client = declared_client(config.clients[0], KeptSecrets(), config)

    assert client.public
    assert client.require_pkce is None
    assert client.token_endpoint_auth_method == "none"
    assert {FULL_ACCESS, "orders", "openid", "offline_access"} <= set(client.scope)


def test_a_machine_gets_client_credentials_and_no_scope(load: Load) -> None:
    config = load(f'[[clients]]\nclient_id = "m"\ntype = "machine"\nclient_secret = "{SECRET}"')
    client = declared_client(config.clients[0], KeptSecrets(hashes=("hash",)), config)

    assert client.grant_types == ("client_credentials",)
    assert client.scope == ()


def test_a_client_overrides_single_values_of_what_is_made_for_all(load: Load) -> None:
    config = load(
        'lifetimes.access_token = "10m"\nlifetimes.id_token = "1m"\n' + SPA + 'lifetimes = { access_token = "20m" }'
    )

    assert config.clients[0].lifetimes.access_token == 1200
    assert config.clients[0].lifetimes.id_token == 60


def test_the_method_of_a_web_client_can_be_fixed(load: Load) -> None:
    config = load(WEB + 'token_endpoint_auth_method = "client_secret_post"')

    client = declared_client(config.clients[0], KeptSecrets(hashes=("hash",)), config)
    assert client.token_endpoint_auth_method == "client_secret_post"


@pytest.mark.parametrize("issuer", ["https://id.example.com", "http://localhost:8000", "http://127.0.0.1:8000"])
def test_an_issuer_that_nobody_can_overhear_may_be_served(load: Load, issuer: str) -> None:
    assert serving_problems(load(f'issuer = "{issuer}"')) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "issuer: is missing"), ('issuer = "http://id.example.com"', "would send passwords and tokens in clear")],
)
def test_no_issuer_and_one_in_clear_are_not_served(load: Load, text: str, told: str) -> None:
    assert told in serving_problems(load(text))[0]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file; name one that exists with --config"):
        load_config(tmp_path / "nowhere.toml", {})


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path, {})


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "e.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_config(tmp_path / "e.toml", {})


def test_the_file_in_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    nothing = find_config(None)
    (tmp_path / "everbearer.toml").touch()

    assert (nothing, find_config(None), find_config(Path("x"))) == (None, Path("everbearer.toml"), Path("x"))
