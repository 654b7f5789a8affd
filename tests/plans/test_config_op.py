"""The one module of the OpenID Foundation's plan for a Config OP: discovery."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from plans.relying_party import DISCOVERY, RelyingParty
from server.app_world import Browser

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
"""The members of a private or symmetric key (RFC 7518 §6)."""


@pytest.mark.module("oidcc-discovery-endpoint-verification")
async def test_oidcc_discovery_endpoint_verification_finds_what_a_client_needs(rp: RelyingParty) -> None:
    document = await rp.document(DISCOVERY)

    assert document["issuer"] == rp.config.issuer
    uris = [document[name] for name in document if name.endswith("_endpoint") or name == "jwks_uri"]
    assert all(urlsplit(uri).scheme == "https" for uri in uris)
    assert "code" in document["response_types_supported"]
    assert "authorization_code" in document["grant_types_supported"]
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert set(document["subject_types_supported"]) <= {"public", "pairwise"}
    assert {"openid", "profile", "email", "address", "phone", "offline_access"} == set(document["scopes_supported"]) - {
        "https://authgear.com/scopes/full-access"
    }
    assert {"sub", "iss", "auth_time", "acr", *rp.claims} <= set(document["claims_supported"])
    assert "client_secret_basic" in document["token_endpoint_auth_methods_supported"]
    assert document["claims_parameter_supported"] is True
    assert document["request_uri_parameter_supported"] is True


@pytest.mark.module("oidcc-discovery-endpoint-verification")
async def test_oidcc_discovery_endpoint_verification_finds_public_keys_alone(rp: RelyingParty) -> None:
    keys = (await rp.document(urlsplit((await rp.document(DISCOVERY))["jwks_uri"]).path))["keys"]

    assert "RSA" in {key["kty"] for key in keys}
    assert {key["use"] for key in keys} == {"sig"}
    assert len({key["kid"] for key in keys}) == len(keys)
    assert not {name for key in keys for name in key} & PRIVATE


@pytest.mark.module("oidcc-discovery-endpoint-verification")
async def test_oidcc_discovery_endpoint_verification_answers_scripts_of_any_origin(rp: RelyingParty) -> None:
    browser = Browser(rp.browser.endpoint)
    response = await browser.send("GET", DISCOVERY, headers={"origin": "https://anywhere.example"})

    assert dict(response.headers)["Access-Control-Allow-Origin"] == "*"
