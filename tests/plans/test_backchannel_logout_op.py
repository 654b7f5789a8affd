"""The modules of the OpenID Foundation's plan for back-channel logout: one test each, named after its module."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from playwright.async_api import Page

from plans.logging_out import LoggingOut
from world import claims_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.module("oidcc-backchannel-logout-discovery-endpoint-verification")
async def test_oidcc_backchannel_logout_discovery_endpoint_verification_announces_it_with_sessions(
    op: LoggingOut,
) -> None:
    document = op.document()

    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True
    assert urlsplit(document["end_session_endpoint"]).scheme == "https"
    assert "sid" in document["claims_supported"]


@pytest.mark.module("oidcc-backchannel-rp-initiated-logout")
async def test_oidcc_backchannel_rp_initiated_logout_posts_a_logout_token_of_this_session(
    op: LoggingOut, tab: Page
) -> None:
    client = op.as_client("backchannel")
    id_token = claims_of((tokens := await client.sign_in(tab))["id_token"])
    back = await client.sign_out(tab, tokens["id_token"])
    (visit,) = op.site.wait_for("/backchannel_logout")

    assert (visit.method, visit.query, list(visit.form)) == ("POST", {}, ["logout_token"])
    keys: Any = KeySet.import_key_set(op.keys())
    logout = jwt.decode(visit.form["logout_token"], keys, ["ES256"])
    assert logout.header["typ"] == "logout+jwt"
    claims = logout.claims
    assert (claims["iss"], claims["aud"]) == (op.server.issuer, "backchannel")
    assert (claims["sub"], claims["sid"]) == (id_token["sub"], id_token["sid"])
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert claims["iat"] < claims["exp"] <= claims["iat"] + 120
    assert "nonce" not in claims
    assert back == {"state": "a state"}
    assert (await client.authorize(tab, prompt="none"))["error"] == "login_required"
