"""Client metadata (RFC 7591 §2): what may be registered, and what is put in its place."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from asserting import jwks_of, proof
from everbearer.oauth.client import AuthMethod, Lifetimes, RotationPolicy
from everbearer.oauth.crypto.keys import KeySet
from registering import REDIRECT, Registrar, new_registrar
from world import ANY_STORE, World, key_of

pytestmark = ANY_STORE


@pytest.fixture
def registrar(world: World) -> Registrar:
    return new_registrar(world)


# Texts and lists


@pytest.mark.spec("RFC 7591", "2")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_name", 7),
        ("client_name", ["Calendar"]),
        ("redirect_uris", REDIRECT),
        ("redirect_uris", [REDIRECT, 7]),
        ("redirect_uris", [REDIRECT, ""]),
        ("redirect_uris", [f"{REDIRECT}/{number}" for number in range(51)]),
        ("contacts", {"ada": 1}),
        ("grant_types", "authorization_code"),
        ("scope", ["openid"]),
        ("scope", 'open"id'),
        ("default_max_age", "60"),
        ("default_max_age", -1),
        ("default_max_age", 1.5),
        ("default_max_age", True),
        ("default_max_age", 10**12),
        ("require_auth_time", "yes"),
        ("token_endpoint_auth_method", "tls_client_auth_of_ours"),
        ("token_endpoint_auth_method", 1),
        ("subject_type", "secret"),
        ("application_type", "desktop"),
        ("software_id", "x" * 2001),
        ("software_id", "a\nb"),
        ("software_id", "a\u2028b"),
        ("software_id", "\ud800"),
        ("jwks", "https://app.example/jwks"),
        ("jwks", {"keys": "none"}),
        ("jwks", {"keys": [1]}),
        ("jwks", {"keys": [{"kty": "EC", "x": {"deep": 1}}]}),
        ("jwks", {"keys": [{"kty": "EC", "d": "private"}]}),
        ("jwks", {"keys": [{"kty": "oct", "k": "shared"}]}),
        ("jwks", {"keys": [{"kty": "EC", "x": "x" * 16_001}]}),
        ("jwks", {"keys": [{"kty": "EC", "x5c": [1]}]}),
        ("jwks", {"keys": [{"kty": "EC", "kid": "\ud800"}]}),
    ],
)
async def test_a_value_of_the_wrong_kind_is_refused_by_its_name(registrar: Registrar, name: str, value: object) -> None:
    assert (await registrar.refused(**{name: value})).startswith(name)


@pytest.mark.spec("RFC 7592", "2.2")
async def test_what_is_null_or_empty_is_as_if_it_were_not_there(registrar: Registrar) -> None:
    body = {"redirect_uris": [REDIRECT], "client_name": None, "scope": "", "grant_types": [], "contacts": []}

    told = (await registrar.send(json.dumps(body).encode())).json

    assert not told.keys() & {"client_name", "contacts"}
    assert told["grant_types"] == ["authorization_code"]


async def test_what_is_named_twice_in_a_list_is_there_once(registrar: Registrar) -> None:
    assert (await registrar.registered(redirect_uris=[REDIRECT, REDIRECT]))["redirect_uris"] == [REDIRECT]


async def test_what_has_no_effect_here_is_told_again(registrar: Registrar) -> None:
    metadata = {
        "contacts": ["ada@app.example", "bob@app.example"],
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.1",
        "require_auth_time": True,
    }

    assert metadata.items() <= (await registrar.registered(**metadata)).items()


# Names that people read


@pytest.mark.spec("RFC 7591", "2.2")
async def test_names_and_links_may_come_in_several_languages_and_are_told_again(registrar: Registrar) -> None:
    metadata = {
        "client_name": "My Application",
        "client_name#ja-Jpan-JP": "クライアント名",
        "tos_uri#fr": "https://app.example/fr/conditions",
    }

    told = await registrar.registered(**metadata)

    assert metadata.items() <= told.items()
    assert (await registrar.world.client(told["client_id"])).client_name == "My Application"


@pytest.mark.spec("RFC 7591", "2.2")
async def test_a_name_in_another_language_is_looked_at_as_closely(registrar: Registrar) -> None:
    assert (await registrar.refused(**{"client_name#fr": "a\u202eb"})).startswith("client_name#fr")
    assert (await registrar.refused(**{"logo_uri#fr": "http://app.example/logo"})).startswith("logo_uri#fr")


async def test_more_languages_than_there_are_pages_in_are_refused(registrar: Registrar) -> None:
    names = {f"client_name#x{letter}y{number}": "N" for letter in "abcdefg" for number in range(8)}
    tags = {name.replace("#x", "#aa-x"): value for name, value in names.items()}

    assert "language tags" in await registrar.refused(**tags)


@pytest.mark.spec("RFC 7591", "5")
@pytest.mark.parametrize(
    "name",
    [
        "Bank\u202eknaB",
        "Bank\u2066x",
        "Ba\u200bnk",
        "Ba\u00adnk",
        "Bank\nof Ada",
        "Bank\u0007",
        "Bank\ue000",
        "Bank\U000e0041",
        " Bank",
        "Bank\u00a0",
        "\u200d",
        "x" * 101,
    ],
)
async def test_a_name_that_is_not_what_it_looks_like_is_refused(registrar: Registrar, name: str) -> None:
    assert (await registrar.refused(client_name=name)).startswith("client_name")


@pytest.mark.parametrize("name", ["नमस्ते क\u200dष", "می\u200cخواهم", "Fröhliche Söhne & Co.", "👩\u200d💻 Code"])  # noqa: RUF001 - names as they are
async def test_a_name_of_any_language_is_registered_as_it_is(registrar: Registrar, name: str) -> None:
    assert (await registrar.registered(client_name=name))["client_name"] == name


@pytest.mark.spec("RFC 7591", "5")
@pytest.mark.parametrize("name", ["Notes", "NOTES", "N o t e s", "Ｎｏｔｅｓ", "notes!"])  # noqa: RUF001 - what looks alike
async def test_the_name_of_another_application_here_is_refused(registrar: Registrar, name: str) -> None:
    assert "another application" in await registrar.refused(client_name=name)


@pytest.mark.spec("RFC 7591", "2")
@pytest.mark.parametrize("name", ["client_uri", "logo_uri", "policy_uri", "tos_uri"])
@pytest.mark.parametrize(
    "uri", ["http://app.example/", "javascript:alert(1)", "data:image/png;base64,AA", "//app.example", "https://", "x"]
)
async def test_what_users_are_shown_is_a_page_of_the_web_by_https(registrar: Registrar, name: str, uri: str) -> None:
    assert (await registrar.refused(**{name: uri})).startswith(name)


async def test_a_page_has_no_user_name_in_its_address(registrar: Registrar) -> None:
    assert (await registrar.refused(client_uri="https://bank.example@app.example/")).startswith("client_uri")


async def test_pages_that_users_are_shown_are_told_again(registrar: Registrar) -> None:
    pages = {
        "client_uri": "https://app.example/#/about",
        "logo_uri": "https://app.example/logo.png",
        "policy_uri": "https://app.example/policy",
        "tos_uri": "http://localhost:8080/terms",
    }

    assert pages.items() <= (await registrar.registered(**pages)).items()


# Authentication


@pytest.mark.spec("RFC 7591", "2")
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
async def test_a_client_whose_method_needs_a_secret_gets_one(registrar: Registrar, method: str) -> None:
    told = await registrar.registered(token_endpoint_auth_method=method)

    client = await registrar.world.client(told["client_id"])
    assert len(told["client_secret"]) == 43
    assert told["client_secret_expires_at"] == 0
    assert client.token_endpoint_auth_method == method
    assert bool(client.sealed_secrets) == (method == "client_secret_jwt")


@pytest.mark.spec("RFC 7591", "3.2.1")
@pytest.mark.parametrize("method", ["none", "private_key_jwt"])
async def test_a_client_whose_method_needs_no_secret_gets_none(registrar: Registrar, method: str) -> None:
    jwks = json.loads(jwks_of(key_of("ES256"))) if method == "private_key_jwt" else None

    told = await registrar.registered(token_endpoint_auth_method=method, jwks=jwks)

    assert not told.keys() & {"client_secret", "client_secret_expires_at"}
    assert told.get("jwks") == jwks


async def test_a_client_registers_its_keys_and_signs_with_them(registrar: Registrar) -> None:
    machines = registrar.allowing(grant_types=("client_credentials",))
    told = await machines.registered(
        grant_types=["client_credentials"],
        redirect_uris=None,
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg="ES256",
        jwks=json.loads(jwks_of(key_of("ES256"))),
        scope="read",
    )

    world = machines.world
    answer = await world.client_credentials(told["client_id"], **proof(world, told["client_id"]))

    assert answer.status == 200
    assert told["token_endpoint_auth_signing_alg"] == "ES256"


@pytest.mark.spec("RFC 7591", "2")
async def test_keys_and_the_place_where_they_stand_do_not_come_together(registrar: Registrar) -> None:
    jwks = json.loads(jwks_of(key_of("ES256")))

    description = await registrar.refused(jwks=jwks, jwks_uri="https://app.example/jwks")

    assert "both" in description


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"jwks": {"keys": []}},
        {"jwks": {"keys": [{"kty": "RSA", "n": "AQ", "e": "AQAB"}]}},
        {"jwks_uri": "http://app.example/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://app.example/jwks", "token_endpoint_auth_signing_alg": "HS256"},
        {"jwks_uri": "https://app.example/jwks", "token_endpoint_auth_signing_alg": "none"},
    ],
)
async def test_keys_that_nothing_could_be_verified_with_are_refused(
    registrar: Registrar, metadata: dict[str, Any]
) -> None:
    assert await registrar.refused(token_endpoint_auth_method="private_key_jwt", **metadata)


async def test_a_client_may_register_keys_that_it_does_not_authenticate_with(registrar: Registrar) -> None:
    jwks = json.loads(jwks_of(key_of("RS256")))

    told = await registrar.registered(jwks=jwks, token_endpoint_auth_signing_alg="RS256")

    assert told["jwks"] == jwks
    # It says how assertions are signed, and this client makes none.
    assert "token_endpoint_auth_signing_alg" not in told


async def test_a_method_that_is_not_allowed_is_refused_and_never_the_default(registrar: Registrar) -> None:
    public = registrar.allowing(token_endpoint_auth_methods=(AuthMethod.NONE,))

    assert (await public.registered())["token_endpoint_auth_method"] == "none"
    assert "may be: none" in await public.refused(token_endpoint_auth_method="client_secret_basic")


# What the server decides


async def test_lifetimes_and_rotation_are_those_for_clients_that_register_themselves(registrar: Registrar) -> None:
    lifetimes, rotation = Lifetimes(access_token=60, refresh_token_idle=None), RotationPolicy(rotate=True)

    client = await registrar.allowing(lifetimes=lifetimes, rotation=rotation, require_pkce=False).client(
        grant_types=["authorization_code", "refresh_token"]
    )

    assert (client.lifetimes, client.rotation, client.require_pkce) == (lifetimes, rotation, False)


async def test_a_server_without_the_usual_keys_signs_with_what_it_has(registrar: Registrar) -> None:
    key = key_of("EdDSA")
    keys = KeySet(signing={"EdDSA": key}, published=(key,))
    world = replace(registrar.world, server=replace(registrar.world.server, keys=lambda: keys))
    registrar = replace(registrar, world=world)

    client = await registrar.client()

    assert (client.id_token_signed_response_alg, client.access_token_signing_alg) == ("EdDSA", "EdDSA")
    assert "may be: EdDSA" in await registrar.refused(id_token_signed_response_alg="RS256")
