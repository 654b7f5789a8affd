"""What OpenID Connect Dynamic Client Registration adds: kinds of applications, sectors, defaults, where to begin."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import cast

import pytest

from asserting import jwks_of
from encrypting import key_of_kind, published
from everbearer.oauth.authorization_server import no_salt
from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.oauth.endpoints.metadata import metadata
from everbearer.oauth.profile import OPENID_CERTIFICATION
from everbearer.oauth.users.subjects import sector_of
from registering import BUSY, REDIRECT, Registrar, new_registrar
from world import ANY_STORE, World, key_of

pytestmark = ANY_STORE

SECTOR = "https://sector.example/redirect_uris.json"


@pytest.fixture
def registrar(world: World) -> Registrar:
    return new_registrar(world)


# Kinds of applications


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.parametrize("uri", ["http://localhost:8080/cb", "http://127.0.0.1/cb", "com.example.app:/cb"])
async def test_a_web_application_has_https_redirect_uris_alone(registrar: Registrar, uri: str) -> None:
    _, error, description = await registrar.error(redirect_uris=[REDIRECT, uri], application_type="web")

    assert error == "invalid_redirect_uri"
    assert "native" in description


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.spec("RFC 8252", "7")
@pytest.mark.parametrize("uri", ["http://localhost:8080/cb", "http://[::1]/cb", "com.example.app:/cb", REDIRECT])
async def test_a_native_application_has_a_scheme_of_its_own_loopback_or_an_https_uri_that_it_claims(
    registrar: Registrar, uri: str
) -> None:
    told = await registrar.registered(redirect_uris=[uri], application_type="native")

    assert told["application_type"] == "native"


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.parametrize(
    ("uris", "kind"),
    [([REDIRECT], "web"), (["http://127.0.0.1/cb"], "native"), ([REDIRECT, "http://localhost:1/"], "native")],
)
async def test_an_application_that_does_not_say_what_it_is_is_what_its_redirect_uris_are(
    registrar: Registrar, uris: list[str], kind: str
) -> None:
    assert (await registrar.registered(redirect_uris=uris))["application_type"] == kind


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.parametrize(
    ("kind", "response_types", "status"),
    [
        (None, ["id_token"], 400),
        ("web", ["id_token"], 400),
        ("web", ["code id_token"], 400),
        ("web", ["code"], 201),
        ("native", ["id_token"], 201),
    ],
)
async def test_an_application_of_the_web_that_gets_tokens_by_the_browser_is_not_at_localhost(
    registrar: Registrar, kind: str | None, response_types: list[str], status: int
) -> None:
    answer = await registrar.under(OPENID_CERTIFICATION).register(
        redirect_uris=["https://localhost:8443/cb"],
        application_type=kind,
        grant_types=["authorization_code", "implicit"],
        response_types=["code", *response_types],
    )

    assert (answer.status, answer.error) == (status, "" if status == 201 else "invalid_redirect_uri")


# Signatures


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA", "RS256"])
async def test_id_tokens_are_signed_as_the_client_registers(registrar: Registrar, alg: str) -> None:
    client = await registrar.client(id_token_signed_response_alg=alg)

    assert client.id_token_signed_response_alg == alg


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.parametrize("alg", ["none", "HS256", "ES512", "x"])
async def test_an_algorithm_that_is_not_offered_is_refused(registrar: Registrar, alg: str) -> None:
    assert "id_token_signed_response_alg may be" in await registrar.refused(id_token_signed_response_alg=alg)


@pytest.mark.spec("OpenID Connect Discovery", "3")
@pytest.mark.spec("RFC 9864", "2.2")
@pytest.mark.parametrize("use", ["token_endpoint_auth", "request_object"])
async def test_every_algorithm_that_clients_are_told_to_sign_with_can_be_registered(
    registrar: Registrar, use: str
) -> None:
    announced = metadata(registrar.world.server)[f"{use}_signing_alg_values_supported"]
    keys = json.loads(jwks_of(*map(key_of, ALGORITHMS)))

    told = [
        await registrar.registered(
            token_endpoint_auth_method="client_secret_jwt" if alg == "HS256" else "private_key_jwt",
            jwks=keys,
            **{f"{use}_signing_alg": alg},
        )
        for alg in cast("list[str]", announced)
    ]

    assert [each[f"{use}_signing_alg"] for each in told] == announced


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.spec("RFC 7591", "3.2.1")
@pytest.mark.parametrize("answer", ["id_token", "userinfo", "introspection"])
async def test_how_the_content_is_encrypted_is_told_to_a_client_that_did_not_say(
    registrar: Registrar, answer: str
) -> None:
    keys = json.loads(published(key_of_kind("RSA")))

    told = await registrar.registered(jwks=keys, **{f"{answer}_encrypted_response_alg": "RSA-OAEP-256"})

    assert told[f"{answer}_encrypted_response_enc"] == "A128CBC-HS256"


# Sectors


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "5")
@pytest.mark.spec("OpenID Connect Core", "8.1")
async def test_a_sector_is_the_host_of_a_document_that_names_all_redirect_uris(registrar: Registrar) -> None:
    uris = [REDIRECT, "https://other.example/cb"]
    registrar.documents[SECTOR] = json.dumps([*uris, "https://third.example/cb"])

    told = await registrar.registered(redirect_uris=uris, subject_type="pairwise", sector_identifier_uri=SECTOR)

    assert (told["sector_identifier_uri"], told["subject_type"]) == (SECTOR, "pairwise")
    assert sector_of(await registrar.world.client(told["client_id"])) == "sector.example"


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "5")
@pytest.mark.parametrize("subject_type", ["pairwise", "public"])
@pytest.mark.parametrize(
    "document",
    [json.dumps(["https://other.example/cb"]), "[]", "{}", "not JSON", "null", json.dumps(REDIRECT), "[" * 20_000],
)
async def test_a_document_that_does_not_name_all_redirect_uris_is_refused(
    registrar: Registrar, document: str, subject_type: str
) -> None:
    registrar.documents[SECTOR] = document

    refused = await registrar.refused(subject_type=subject_type, sector_identifier_uri=SECTOR)

    assert refused.startswith("sector_identifier_uri")


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "5")
async def test_a_document_that_is_not_there_is_refused_and_one_that_may_be_there_soon_is_waited_for(
    registrar: Registrar,
) -> None:
    assert "answers 404" in await registrar.refused(sector_identifier_uri=SECTOR)
    assert (await registrar.error(sector_identifier_uri=BUSY))[:2] == (503, "temporarily_unavailable")


@pytest.mark.spec("OpenID Connect Core", "8.1")
@pytest.mark.parametrize("uri", ["http://sector.example/x", "https://sector.example/x#y", "sector.example"])
async def test_a_sector_is_named_by_an_https_uri(registrar: Registrar, uri: str) -> None:
    assert (await registrar.refused(sector_identifier_uri=uri)).startswith("sector_identifier_uri")


@pytest.mark.spec("OpenID Connect Core", "8.1")
async def test_redirect_uris_of_several_hosts_need_a_sector(registrar: Registrar) -> None:
    refused = await registrar.refused(redirect_uris=[REDIRECT, "https://other.example/cb"], subject_type="pairwise")

    assert "sector_identifier_uri" in refused


async def test_a_document_says_nothing_of_subjects_that_are_the_same_for_all(registrar: Registrar) -> None:
    registrar.documents[SECTOR] = json.dumps([REDIRECT])

    client = await registrar.client(sector_identifier_uri=SECTOR)

    assert client.sector_identifier == ""


async def test_a_server_without_pairwise_subjects_registers_no_client_with_them(registrar: Registrar) -> None:
    world = replace(registrar.world, server=replace(registrar.world.server, pairwise_salt=no_salt))

    assert "may be: public" in await replace(registrar, world=world).refused(subject_type="pairwise")


# Defaults of its requests


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.parametrize(("sent", "max_age"), [(None, 600), ("5", 5)])
async def test_a_default_max_age_stands_in_for_one_that_is_not_sent(
    registrar: Registrar, sent: str | None, max_age: int
) -> None:
    told = await registrar.registered(default_max_age=600)

    request = await registrar.world.ask(told["client_id"], scope="openid", max_age=sent)

    assert request.max_age == max_age
    assert told["default_max_age"] == 600


@pytest.mark.spec("RFC 7592", "3")
async def test_a_default_max_age_of_no_time_is_told_again(registrar: Registrar) -> None:
    assert (await registrar.registered(default_max_age=0))["default_max_age"] == 0


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.parametrize(("sent", "values"), [(None, ("urn:a", "urn:b")), ("urn:c", ("urn:c",))])
async def test_default_acr_values_stand_in_for_those_that_are_not_sent(
    registrar: Registrar, sent: str | None, values: tuple[str, ...]
) -> None:
    told = await registrar.registered(default_acr_values=["urn:a", "urn:b"])

    request = await registrar.world.ask(told["client_id"], scope="openid", acr_values=sent)

    assert request.acr_values == values


# Where others begin a sign-in


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.spec("OpenID Connect Core", "4")
async def test_an_initiate_login_uri_is_registered_and_told_again(registrar: Registrar) -> None:
    told = await registrar.registered(initiate_login_uri="https://app.example/login?a=1")

    assert told["initiate_login_uri"] == "https://app.example/login?a=1"
    assert (await registrar.manage("GET", told)).json["initiate_login_uri"] == "https://app.example/login?a=1"


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.parametrize("uri", ["http://app.example/login", "http://localhost/login", "https://app.example/#x", "x:y"])
async def test_an_initiate_login_uri_is_https(registrar: Registrar, uri: str) -> None:
    assert (await registrar.refused(initiate_login_uri=uri)).startswith("initiate_login_uri")


async def test_an_initiate_login_uri_is_of_the_hosts_that_are_allowed(registrar: Registrar) -> None:
    strict = registrar.allowing(redirect_hosts=("app.example",))

    refused = await strict.refused(initiate_login_uri="https://evil.example/login")

    assert refused == "initiate_login_uri: https://evil.example/login is of a host that is not allowed"


# Where it is told of a logout


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.2")
async def test_clients_register_where_they_are_told_of_a_logout(registrar: Registrar) -> None:
    uri = "https://app.example/logout"
    told = await registrar.registered(backchannel_logout_uri=uri, backchannel_logout_session_required=True)

    assert (told["backchannel_logout_uri"], told["backchannel_logout_session_required"]) == (uri, True)


@pytest.mark.spec("OpenID Connect Front-Channel Logout", "2")
async def test_clients_register_what_browsers_load_at_a_logout_beside_their_redirect_uris(registrar: Registrar) -> None:
    told = await registrar.registered(
        frontchannel_logout_uri="https://app.example/logout", frontchannel_logout_session_required=True
    )
    refused = await registrar.refused(frontchannel_logout_uri="https://other.example/logout")

    assert told["frontchannel_logout_uri"] == "https://app.example/logout"
    assert told["frontchannel_logout_session_required"] is True
    assert refused.startswith("frontchannel_logout_uri: 'https://other.example/logout' is of another origin")


# Request objects


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.parametrize("name", ["request_object_encryption_alg", "request_object_encryption_enc"])
@pytest.mark.parametrize("value", ["RSA-OAEP-256", "A128GCM", 1])
async def test_a_client_that_would_encrypt_its_request_objects_is_told_that_it_cannot(
    registrar: Registrar, name: str, value: object
) -> None:
    _, error, description = await registrar.error(**{name: value})

    assert error == "invalid_client_metadata"
    assert description.startswith(f"{name} is not offered: request objects are signed")
