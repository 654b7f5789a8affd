"""The modules of the OpenID Foundation's plan for a Dynamic OP that concern registration: one test each.

Written from OpenID Connect Dynamic Client Registration; each is named after its module. What else there is about
request objects and signed userinfo stands in files of its own.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from asserting import jwks_of, sign, unsigned
from everbearer.server.upkeep.signing_keys import rotate_keys
from plans.dynamic_party import CALLBACK, SUITE, Suite, running_suite
from server.app_world import at_once
from world import key_of

KEY, NEW_KEY = key_of("RS256"), key_of("ES256")
REFRESHING: dict[str, Any] = {"grant_types": ["authorization_code", "refresh_token"]}


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[Suite]:
    async with running_suite(tmp_path) as running:
        yield running


@pytest.mark.module("oidcc-server")
async def test_oidcc_server_serves_a_client_that_registered_itself_and_signs_assertions(suite: Suite) -> None:
    client = await suite.register(key=KEY)

    tokens = await client.tokens()

    assert await client.userinfo(tokens) == {"sub": tokens["id_token"]["sub"]}
    assert tokens["id_token"]["nonce"] == "nonce"


@pytest.mark.module("oidcc-discovery-endpoint-verification")
async def test_oidcc_discovery_endpoint_verification_finds_where_to_register(suite: Suite) -> None:
    document = suite.provider.document

    assert urlsplit(document["registration_endpoint"])._replace(path="").geturl() == document["issuer"]
    assert {"private_key_jwt", "client_secret_basic"} <= set(document["token_endpoint_auth_methods_supported"])
    assert {"public", "pairwise"} == set(document["subject_types_supported"])
    # "Dynamic OpenID Providers MUST support the code, id_token, and the id_token token Response Type values", and "the
    # authorization_code and implicit Grant Type values" (OpenID Connect Discovery §3).
    assert {"code", "id_token", "id_token token"} <= set(document["response_types_supported"])
    assert {"authorization_code", "implicit"} <= set(document["grant_types_supported"])


@pytest.mark.module("oidcc-idtoken-unsigned")
async def test_oidcc_idtoken_unsigned_is_neither_offered_nor_registered(suite: Suite) -> None:
    answer = await suite.send(id_token_signed_response_alg="none")

    assert "none" not in suite.provider.document["id_token_signing_alg_values_supported"]
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


@pytest.mark.module("oidcc-idtoken-rs256")
@pytest.mark.parametrize("asked", [None, "RS256"])
async def test_oidcc_idtoken_rs256_is_what_is_registered_and_what_is_without_that(
    suite: Suite, asked: str | None
) -> None:
    metadata: dict[str, Any] = {"id_token_signed_response_alg": asked} if asked else {}
    client = await suite.register(**metadata)

    tokens = await client.tokens()

    assert tokens["header"]["alg"] == client.registered["id_token_signed_response_alg"] == "RS256"


@pytest.mark.module("oidcc-ensure-redirect-uri-in-authorization-request")
async def test_oidcc_ensure_redirect_uri_in_authorization_request_shows_an_error_to_who_leaves_it_out(
    suite: Suite,
) -> None:
    client = await suite.register(redirect_uris=[CALLBACK, f"{CALLBACK}?second=1"])

    page = await client.open(redirect_uri=None)

    assert page.status_code == 400
    assert 'id="error"' in page.text


@pytest.mark.module("oidcc-redirect-uri-query-OK")
async def test_oidcc_redirect_uri_query_ok_keeps_the_query_that_is_registered(suite: Suite) -> None:
    uri = f"{CALLBACK}?dummy1=lorem&dummy2=ipsum"
    client = await suite.register(redirect_uris=[uri])

    answer = await client.answer()

    assert (answer["dummy1"], answer["dummy2"]) == ("lorem", "ipsum")
    assert (await client.redeem(answer))["id_token"]


@pytest.mark.module("oidcc-redirect-uri-query-mismatch", "oidcc-redirect-uri-query-added")
@pytest.mark.parametrize(
    ("registered", "sent"),
    [(f"{CALLBACK}?foo=bar", f"{CALLBACK}?foo=baz"), (CALLBACK, f"{CALLBACK}?foo=bar"), (f"{CALLBACK}?a=b", CALLBACK)],
)
async def test_oidcc_redirect_uri_query_that_is_another_or_added_shows_an_error(
    suite: Suite, registered: str, sent: str
) -> None:
    client = await suite.register(redirect_uris=[registered])

    page = await client.open(redirect_uri=sent)

    assert page.status_code == 400
    assert 'id="error"' in page.text


@pytest.mark.module("oidcc-redirect-uri-regfrag")
async def test_oidcc_redirect_uri_regfrag_is_not_registered(suite: Suite) -> None:
    answer = await suite.send(redirect_uris=[f"{CALLBACK}#fragment"])

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.module("oidcc-registration-logo-uri", "oidcc-registration-policy-uri", "oidcc-registration-tos-uri")
@pytest.mark.parametrize("name", ["logo_uri", "policy_uri", "tos_uri"])
async def test_oidcc_registration_uris_of_logo_policy_and_terms_stand_on_the_pages(suite: Suite, name: str) -> None:
    uri = f"{SUITE}/test/a/everbearer/{name}"
    metadata: dict[str, Any] = {name: uri}
    client = await suite.register(**metadata)

    sign_in = await client.open()

    attribute = "src" if name == "logo_uri" else "href"
    assert client.registered[name] == uri
    assert '<form id="sign-in"' in sign_in.text
    assert f'{attribute}="{uri}"' in sign_in.text


@pytest.mark.module("oidcc-registration-jwks-uri")
async def test_oidcc_registration_jwks_uri_is_where_the_keys_of_a_client_are_found(suite: Suite) -> None:
    uri = suite.provider.publish("/jwks", jwks_of(KEY))
    client = await suite.register(key=KEY, jwks_uri=uri)

    assert (await client.tokens())["id_token"]
    assert client.registered["jwks_uri"] == uri
    assert len(suite.provider.site.asked) == 1


@pytest.mark.module("oidcc-registration-sector-uri")
async def test_oidcc_registration_sector_uri_names_the_redirect_uri_and_makes_one_subject(suite: Suite) -> None:
    other = f"{SUITE}/test/a/other/callback"
    uri = suite.provider.publish("/sector", json.dumps([CALLBACK, other]))
    pairwise: dict[str, Any] = {"subject_type": "pairwise", "sector_identifier_uri": uri}

    subjects = [
        (await (await suite.register(redirect_uris=[each], **pairwise)).tokens())["id_token"]["sub"]
        for each in (CALLBACK, other)
    ]

    assert subjects[0] == subjects[1] != "certification-user"


@pytest.mark.module("oidcc-registration-sector-bad")
async def test_oidcc_registration_sector_bad_does_not_name_it_and_is_refused(suite: Suite) -> None:
    uri = suite.provider.publish("/sector", json.dumps(["https://somebody.example/callback"]))

    answer = await suite.send(sector_identifier_uri=uri, subject_type="pairwise")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


@pytest.mark.module("oidcc-request-uri-signed-rs256", "oidcc-request-uri-unsigned")
@pytest.mark.parametrize("alg", ["RS256", "none"])
async def test_oidcc_request_uri_is_where_a_client_registers_that_its_request_objects_stand(
    suite: Suite, alg: str
) -> None:
    uri = suite.provider.site.url("/request")
    client = await suite.register(key=KEY, request_uris=[uri], request_object_signing_alg=alg)
    claims = {"iss": client.client_id, "aud": suite.provider.document["issuer"], "nonce": "of the object"}
    claims |= {"client_id": client.client_id, "response_type": "code", "scope": "openid", "redirect_uri": CALLBACK}
    suite.provider.publish("/request", sign(claims, KEY) if alg == "RS256" else unsigned(claims, alg="none"))

    tokens = await client.tokens(request_uri=uri)

    assert tokens["id_token"]["nonce"] == "of the object"
    assert client.registered["request_uris"] == [uri]


@pytest.mark.module("oidcc-server-rotate-keys")
async def test_oidcc_server_rotate_keys_publishes_a_new_key_and_keeps_the_old_one(suite: Suite) -> None:
    client, provider = await suite.register(), suite.provider
    first = await client.tokens()
    old = (await suite.http.get(provider.document["jwks_uri"])).json()["keys"]
    await rotate_keys(
        provider.store,
        provider.sealer,
        provider.config.keys,
        ["RS256"],
        at_once=True,
        now=provider.clock.now,
        run=at_once,
        actor="admin:test",
    )
    await provider.keys.refresh(at_once=True)

    second = await client.tokens()

    published = {key["kid"] for key in (await suite.http.get(provider.document["jwks_uri"])).json()["keys"]}
    assert first["header"]["kid"] != second["header"]["kid"]
    assert published == {key["kid"] for key in old} | {second["header"]["kid"]}


@pytest.mark.module("oidcc-refresh-token")
async def test_oidcc_refresh_token_of_a_client_that_registered_itself_is_its_alone(suite: Suite) -> None:
    client, other = await suite.register(key=KEY, **REFRESHING), await suite.register(key=KEY, **REFRESHING)
    tokens = await client.tokens(scope="openid offline_access", prompt="consent")
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    refreshed = await client.verified(await client.ask_for_tokens(**form))
    refused = await other.ask_for_tokens(**form)

    assert refreshed["id_token"]["sub"] == tokens["id_token"]["sub"]
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


@pytest.mark.rt("RT-15")
@pytest.mark.module("oidcc-refresh-token-rp-key-rotation")
async def test_oidcc_refresh_token_rp_key_rotation_finds_the_new_key_of_the_client(suite: Suite) -> None:
    uri = suite.provider.publish("/jwks", jwks_of(KEY))
    client = await suite.register(key=KEY, jwks_uri=uri, **REFRESHING)
    tokens = await client.tokens(scope="openid offline_access", prompt="consent")
    suite.provider.publish("/jwks", jwks_of(NEW_KEY))
    suite.provider.clock.advance(60)
    client.key = NEW_KEY

    refreshed = await client.verified(
        await client.ask_for_tokens(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    )

    assert refreshed["access_token"]
    assert len(suite.provider.site.asked) == 2


@pytest.mark.module("oidcc-ensure-client-assertion-with-iss-aud-succeeds")
async def test_oidcc_ensure_client_assertion_with_iss_aud_succeeds(suite: Suite) -> None:
    client = await suite.register(key=KEY)
    client.changed = {"aud": suite.provider.document["issuer"]}

    assert (await client.tokens())["id_token"]
