"""The modules of the OpenID Foundation's plan for a Hybrid OP that are about its codes, one test each.

Those that it has in common with the plan for an Implicit OP stand in `test_implicit_and_hybrid_op`.
"""

from __future__ import annotations

from itertools import product

import pytest

from everbearer.oauth.response_types import HYBRID_RESPONSE_TYPES
from plans.relying_party import RelyingParty, new_relying_party
from server.app_world import Browser
from world import VERIFIER, bearer, s256


@pytest.fixture(params=product(HYBRID_RESPONSE_TYPES, [None, "form_post"]), ids=str)
async def rp(request: pytest.FixtureRequest) -> RelyingParty:
    response_type, response_mode = request.param
    return await new_relying_party(response_mode, response_type)


@pytest.mark.module("oidcc-ensure-request-without-nonce-succeeds-for-code-flow")
@pytest.mark.parametrize("response_mode", [None, "form_post"])
async def test_oidcc_ensure_request_without_nonce_succeeds_for_code_token(response_mode: str | None) -> None:
    rp = await new_relying_party(response_mode, "code token")

    assert "nonce" not in (await rp.tokens(nonce=None)).id_token


@pytest.mark.module("oidcc-codereuse", "oidcc-codereuse-30seconds")
@pytest.mark.parametrize("seconds", [0, 30])
async def test_oidcc_codereuse_is_refused_and_ends_what_came_by_the_browser_too(rp: RelyingParty, seconds: int) -> None:
    answer = await rp.authorize()
    tokens = await rp.given(answer)
    rp.clock.advance(seconds)

    again = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": rp.redirect_uri}
    assert await rp.error_of(**again) == (400, "invalid_grant")
    for token in filter(None, (answer.get("access_token"), tokens.access_token)):
        response = await Browser(rp.browser.endpoint).send("GET", "/oauth2/userinfo", headers=bearer(token))
        assert response.status == 401


@pytest.mark.module("oidcc-server-client-secret-post")
async def test_oidcc_server_client_secret_post_redeems_the_code_of_a_hybrid_flow(rp: RelyingParty) -> None:
    assert (await rp.as_client("client_secret_post").tokens()).id_token


@pytest.mark.module("oidcc-refresh-token")
async def test_oidcc_refresh_token_comes_for_the_code_of_a_hybrid_flow(rp: RelyingParty) -> None:
    first = await rp.tokens(scope="openid offline_access", prompt="consent")
    rp.clock.advance(1)

    second = await rp.refresh(first.refresh_token, scope="openid offline_access")

    same = ("iss", "sub", "aud", "auth_time")
    assert {name: second.id_token[name] for name in same} == {name: first.id_token[name] for name in same}
    assert second.id_token["iat"] == first.id_token["iat"] + 1
    assert await rp.userinfo(second) == {"sub": "certification-user"}


@pytest.mark.module("oidcc-refresh-token")
async def test_oidcc_refresh_token_of_a_hybrid_flow_is_no_other_clients(rp: RelyingParty) -> None:
    first = await rp.as_client("client2").tokens(scope="openid offline_access", prompt="consent")

    refused = await rp.error_of(grant_type="refresh_token", refresh_token=first.refresh_token)

    assert refused == (400, "invalid_grant")


@pytest.mark.module("oidcc-ensure-request-with-valid-pkce-succeeds")
async def test_oidcc_ensure_request_with_valid_pkce_succeeds_in_a_hybrid_flow(rp: RelyingParty) -> None:
    answer = await rp.authorize(code_challenge=s256(VERIFIER), code_challenge_method="S256")

    assert (await rp.redeem(answer, code_verifier=VERIFIER)).id_token
