"""RFC 8414 and OpenID Connect Discovery: the server's metadata says what is there, and nothing that is not."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast

import pytest

from everbearer.oauth.authorization_server import LogoutNotice, no_salt
from everbearer.oauth.client import DEVICE_CODE, REFRESH_TOKEN
from everbearer.oauth.crypto.keys import KeySet
from everbearer.oauth.endpoints.metadata import metadata, metadata_paths
from everbearer.oauth.grants import GRANTS
from everbearer.oauth.profile import OPENID_CERTIFICATION
from registering import new_registrar
from world import ACR, ANY_STORE, ISSUER, World, key_of, signing_keys

pytestmark = ANY_STORE


def _document(world: World) -> dict[str, Any]:
    return dict(metadata(world.server))


@pytest.mark.spec("OpenID Connect Discovery", "3")
@pytest.mark.spec("RFC 8414", "2")
async def test_everything_that_is_required_is_there(world: World) -> None:
    assert _document(world).keys() >= {
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    }


@pytest.mark.spec("RFC 8414", "2")
async def test_every_endpoint_is_below_the_issuer(world: World) -> None:
    document = _document(world)

    uris = [document[name] for name in document if name.endswith("_endpoint") or name == "jwks_uri"]
    assert len(uris) == 7
    assert all(uri.startswith(ISSUER + "/oauth2/") for uri in uris)
    assert document["issuer"] == ISSUER


@pytest.mark.spec("RFC 8414", "2")
@pytest.mark.spec("OpenID Connect Discovery", "3")
async def test_where_clients_register_themselves_the_document_says_where(world: World) -> None:
    assert "registration_endpoint" not in _document(world)
    assert _document(new_registrar(world).world)["registration_endpoint"] == f"{ISSUER}/oauth2/register"


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2.1")
async def test_the_document_says_where_to_sign_out_where_the_application_does_that(world: World) -> None:
    answering = replace(world.server, end_session=True)

    assert "end_session_endpoint" not in _document(world)
    assert metadata(answering)["end_session_endpoint"] == f"{ISSUER}/oauth2/end_session"


@pytest.mark.spec("RFC 8414", "2")
async def test_without_somewhere_to_keep_devices_nothing_says_that_there_is_their_grant(world: World) -> None:
    document = metadata(replace(world.server, devices=None))

    assert "device_authorization_endpoint" not in document
    assert DEVICE_CODE not in cast("list[str]", document["grant_types_supported"])


@pytest.mark.spec(
    "RFC 8414",
    "2",
    'authorization_endpoint "is REQUIRED unless no grant types are supported that use the authorization',
)
async def test_a_server_for_devices_alone_has_no_authorization_endpoint(world: World) -> None:
    grants = {name: GRANTS[name] for name in (DEVICE_CODE, REFRESH_TOKEN)}
    document = metadata(replace(world.server, grants=grants))

    assert "authorization_endpoint" not in document
    assert "device_authorization_endpoint" in document
    assert document["grant_types_supported"] == [REFRESH_TOKEN, DEVICE_CODE]


@pytest.mark.spec("OpenID Connect Core", "15.1")
async def test_rs256_is_among_the_algorithms_where_the_server_has_a_key_for_it(world: World) -> None:
    only = KeySet(signing=MappingProxyType({"ES256": key_of("ES256")}), published=signing_keys().published)
    without = replace(world, server=replace(world.server, keys=lambda: only))

    assert _document(world)["id_token_signing_alg_values_supported"] == ["ES256", "RS256", "PS256", "EdDSA"]
    assert _document(without)["id_token_signing_alg_values_supported"] == ["ES256"]


@pytest.mark.spec("OpenID Connect Discovery", "3")
@pytest.mark.spec("RFC 9701", "7")
@pytest.mark.parametrize("answer", ["id_token", "userinfo", "introspection"])
async def test_how_answers_can_be_signed_and_encrypted_is_announced(world: World, answer: str) -> None:
    document = _document(world)

    assert document[f"{answer}_signing_alg_values_supported"] == ["ES256", "RS256", "PS256", "EdDSA"]
    assert set(document[f"{answer}_encryption_alg_values_supported"]) >= {"RSA-OAEP", "RSA-OAEP-256", "ECDH-ES"}
    assert "RSA1_5" not in document[f"{answer}_encryption_alg_values_supported"]
    assert set(document[f"{answer}_encryption_enc_values_supported"]) >= {"A128CBC-HS256", "A256GCM"}


@pytest.mark.spec("RFC 8414", "2")
async def test_what_is_announced_is_offered(world: World) -> None:
    document = _document(world)

    for mode in document["response_modes_supported"]:
        assert "code" in (await world.authorization_response(response_mode=mode)).members
    for prompt in document["prompt_values_supported"]:
        assert (await world.ask(prompt=prompt)).prompt == {prompt}
    for grant_type in document["grant_types_supported"]:
        assert (await world.refresh("x", grant_type=grant_type)).error != "unsupported_grant_type"
    for scope in document["scopes_supported"]:
        await world.change_client("spa", scope=(scope, "read"))
        assert (await world.ask(scope=f"{scope} read")).scope == tuple(dict.fromkeys([scope, "read"]))


@pytest.mark.spec("RFC 8414", "2")
@pytest.mark.parametrize("endpoint", ["token", "revocation", "introspection"])
async def test_it_says_how_clients_authenticate_and_sign(world: World, endpoint: str) -> None:
    document = _document(world)

    methods = document[f"{endpoint}_endpoint_auth_methods_supported"]
    algs = document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
    assert methods[:4] == ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"]
    assert methods[4:] == ([] if endpoint == "introspection" else ["none"])
    assert algs == ["ES256", "RS256", "PS256", "EdDSA", "Ed25519", "HS256"]


@pytest.mark.spec("RFC 9207", "3")
async def test_it_says_that_responses_name_their_issuer(world: World) -> None:
    assert _document(world)["authorization_response_iss_parameter_supported"] is True


@pytest.mark.spec("RFC 7636", "6.2")
async def test_it_offers_s256_alone(world: World) -> None:
    assert _document(world)["code_challenge_methods_supported"] == ["S256"]


@pytest.mark.spec("OpenID Connect Discovery", "3")
async def test_it_denies_what_is_not_there(world: World) -> None:
    document = _document(world)

    assert document["request_uri_parameter_supported"] is False
    assert "none" not in document["id_token_signing_alg_values_supported"]
    assert "none" not in document["request_object_signing_alg_values_supported"]


@pytest.mark.spec("OpenID Connect Discovery", "3")
@pytest.mark.spec("RFC 9101", "10.5")
async def test_request_objects_are_announced_and_more_of_them_where_the_profile_allows_more(world: World) -> None:
    strict = _document(world)
    lenient = _document(replace(world, server=replace(world.server, profile=OPENID_CERTIFICATION)))

    signed = ["ES256", "RS256", "PS256", "EdDSA", "Ed25519", "HS256"]
    assert strict["request_parameter_supported"] is True
    assert strict["require_request_uri_registration"] is True
    assert strict["request_object_signing_alg_values_supported"] == signed
    assert lenient["request_object_signing_alg_values_supported"] == [*signed, "none"]
    assert lenient["request_uri_parameter_supported"] is True


@pytest.mark.spec("OpenID Connect Discovery", "3")
async def test_it_says_which_acr_values_and_subjects_there_are_where_there_are_any(world: World) -> None:
    document = _document(world)
    plain = replace(world, server=replace(world.server, acr_values=(), pairwise_salt=no_salt))

    assert document["acr_values_supported"] == [ACR]
    assert document["subject_types_supported"] == ["public", "pairwise"]
    assert "acr_values_supported" not in _document(plain)
    assert _document(plain)["subject_types_supported"] == ["public"]


@pytest.mark.spec("RFC 8414", "3.1")
@pytest.mark.spec("OpenID Connect Discovery", "4")
async def test_it_is_found_with_and_without_a_path_in_the_issuer(world: World) -> None:
    assert metadata_paths(world.server.issuer) == (
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    )
    assert set(metadata_paths("https://example.com/tenant/1")) == {
        "/tenant/1/.well-known/openid-configuration",
        "/tenant/1/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration/tenant/1",
        "/.well-known/oauth-authorization-server/tenant/1",
    }


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.1")
@pytest.mark.spec("OpenID Connect Front-Channel Logout", "3")
@pytest.mark.parametrize("channel", [LogoutNotice.BACK_CHANNEL, LogoutNotice.FRONT_CHANNEL])
async def test_it_says_by_which_channel_clients_learn_of_a_logout(world: World, channel: LogoutNotice) -> None:
    telling = replace(world, server=replace(world.server, logout_notices=frozenset({channel})))

    said = {name: value for name, value in _document(telling).items() if "channel_logout" in name}
    assert said == {f"{channel}_logout_supported": True, f"{channel}_logout_session_supported": True}


@pytest.mark.spec("OpenID Connect Session Management", "3.3")
async def test_it_names_the_frame_that_can_be_asked_where_there_is_one(world: World) -> None:
    notices = frozenset({LogoutNotice.SESSION_MANAGEMENT})
    asked = replace(world, server=replace(world.server, logout_notices=notices))

    assert _document(asked)["check_session_iframe"] == f"{ISSUER}/oauth2/check_session"
    assert "check_session_iframe" not in _document(world)
