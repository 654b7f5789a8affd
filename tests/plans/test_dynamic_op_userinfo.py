"""The module of the OpenID Foundation's plan for a Dynamic OP that is about userinfo: a client registers for RS256."""

from __future__ import annotations

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from plans.relying_party import new_relying_party
from server.app_world import Browser
from world import bearer


@pytest.mark.module("oidcc-userinfo-rs256")
async def test_oidcc_userinfo_rs256_is_signed_by_a_published_key_for_the_client_that_registered_it() -> None:
    rp = await new_relying_party(None, userinfo_signed_response_alg="RS256")
    tokens = await rp.tokens(scope="openid email")

    response = await Browser(rp.browser.endpoint).send("GET", "/oauth2/userinfo", headers=bearer(tokens.access_token))

    assert dict(response.headers)["Content-Type"] == "application/jwt"
    signed = jwt.decode(response.body, KeySet.import_key_set(await rp.document("/oauth2/jwks")), ["RS256"])
    assert signed.claims == {
        "iss": rp.config.issuer,
        "aud": rp.client_id,
        "sub": tokens.id_token["sub"],
        "email": rp.claims["email"],
        "email_verified": rp.claims["email_verified"],
    }
