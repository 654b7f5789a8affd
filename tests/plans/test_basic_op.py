"""The modules of the OpenID Foundation's plan for a Basic OP, and once more for a Form Post OP: one test each.

Written from OpenID Connect Core; each is named after its module.
"""

from __future__ import annotations

import re

import pytest

from everbearer.oauth.users.claims import CLAIMS_OF_SCOPE
from plans.relying_party import DISCOVERY, RelyingParty, entropy, has, userinfo_of
from server.app_world import Browser, location
from world import VERIFIER, jwt_part, s256


@pytest.mark.module("oidcc-server")
async def test_oidcc_server_gives_a_code_tokens_and_userinfo(rp: RelyingParty) -> None:
    tokens = await rp.tokens()

    assert await rp.userinfo(tokens) == {"sub": "certification-user"}


@pytest.mark.module("oidcc-response-type-missing")
async def test_oidcc_response_type_missing_is_an_invalid_request(rp: RelyingParty) -> None:
    assert await rp.error(response_type=None) == "invalid_request"


@pytest.mark.module("oidcc-idtoken-signature")
async def test_oidcc_idtoken_signature_is_rs256_by_a_published_key(rp: RelyingParty) -> None:
    tokens = await rp.tokens()

    header = jwt_part(tokens.members["id_token"], 0)
    published = {key["kid"]: key for key in (await rp.document("/oauth2/jwks"))["keys"]}
    assert header["alg"] == "RS256"
    assert published[header["kid"]]["kty"] == "RSA"


@pytest.mark.module("oidcc-idtoken-unsigned")
async def test_oidcc_idtoken_unsigned_is_not_offered(rp: RelyingParty) -> None:
    assert "none" not in (await rp.document(DISCOVERY))["id_token_signing_alg_values_supported"]


@pytest.mark.module("oidcc-userinfo-get", "oidcc-userinfo-post-header", "oidcc-userinfo-post-body")
@pytest.mark.parametrize(("method", "in_body"), [("GET", False), ("POST", False), ("POST", True)])
async def test_oidcc_userinfo_is_served_by_get_and_by_post_with_the_token_in_header_or_body(
    rp: RelyingParty, method: str, in_body: bool
) -> None:
    tokens = await rp.tokens(scope="openid email")
    headers = {} if in_body else {"authorization": f"Bearer {tokens.access_token}"}
    form = {"access_token": tokens.access_token} if in_body else {}

    response = await Browser(rp.browser.endpoint).send(method, "/oauth2/userinfo", form, headers)

    assert userinfo_of(response, tokens)["email"] == rp.claims["email"]


@pytest.mark.module("oidcc-ensure-request-without-nonce-succeeds-for-code-flow")
async def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(rp: RelyingParty) -> None:
    assert "nonce" not in (await rp.tokens(nonce=None)).id_token


@pytest.mark.module(
    "oidcc-scope-profile", "oidcc-scope-email", "oidcc-scope-address", "oidcc-scope-phone", "oidcc-scope-all"
)
@pytest.mark.parametrize("scope", ["profile", "email", "address", "phone", "profile email address phone"])
async def test_oidcc_scope_gives_all_its_claims_at_userinfo_and_no_others(rp: RelyingParty, scope: str) -> None:
    asked = {name for value in scope.split() for name in CLAIMS_OF_SCOPE[value]}

    shown = await rp.userinfo(await rp.tokens(scope=f"openid {scope}"))

    assert shown == {"sub": "certification-user"} | {name: rp.claims[name] for name in asked}


@pytest.mark.module("oidcc-alternate-happy-flow")
async def test_oidcc_alternate_happy_flow_in_any_order_of_parameters_and_scopes(rp: RelyingParty) -> None:
    parameters = rp.request(scope="phone email openid profile")
    other_order = dict(sorted(parameters.items(), reverse=True))

    answer = rp.answer(await rp.go_on(await rp.open(other_order)))

    shown = await rp.userinfo(await rp.redeem({**answer, "nonce": parameters["nonce"]}))
    assert {"name", "email", "phone_number"} <= shown.keys()


@pytest.mark.module("oidcc-display-page", "oidcc-display-popup")
@pytest.mark.parametrize("display", ["page", "popup"])
async def test_oidcc_display_is_no_hindrance(rp: RelyingParty, display: str) -> None:
    assert (await rp.tokens(display=display)).id_token


@pytest.mark.module("oidcc-prompt-login")
async def test_oidcc_prompt_login_signs_in_again_at_a_later_time(rp: RelyingParty) -> None:
    first = await rp.tokens()
    rp.clock.advance(2)
    parameters = rp.request(prompt="login")
    page = await rp.open(parameters)
    assert has(page, "sign-in")

    second = await rp.redeem({**rp.answer(await rp.go_on(page)), "nonce": parameters["nonce"]})

    assert second.id_token["auth_time"] == first.id_token["auth_time"] + 2
    assert second.id_token["sub"] == first.id_token["sub"]


@pytest.mark.module("oidcc-prompt-none-not-logged-in")
async def test_oidcc_prompt_none_not_logged_in_is_login_required(rp: RelyingParty) -> None:
    assert await rp.error(prompt="none") == "login_required"


@pytest.mark.module("oidcc-prompt-none-logged-in")
async def test_oidcc_prompt_none_logged_in_succeeds_without_a_page(rp: RelyingParty) -> None:
    first = await rp.tokens()
    rp.clock.advance(2)
    parameters = rp.request(prompt="none")

    answer = rp.answer(await rp.open(parameters))

    second = await rp.redeem({**answer, "nonce": parameters["nonce"]})
    assert {name: second.id_token[name] for name in ("sub", "auth_time")} == {
        name: first.id_token[name] for name in ("sub", "auth_time")
    }


@pytest.mark.module("oidcc-max-age-1")
async def test_oidcc_max_age_1_signs_in_again_after_more_than_a_second(rp: RelyingParty) -> None:
    first = await rp.tokens()
    rp.clock.advance(2)
    parameters = rp.request(max_age="1")
    page = await rp.open(parameters)
    assert has(page, "sign-in")

    second = await rp.redeem({**rp.answer(await rp.go_on(page)), "nonce": parameters["nonce"]})

    assert second.id_token["auth_time"] > first.id_token["auth_time"]


@pytest.mark.module("oidcc-max-age-10000")
async def test_oidcc_max_age_10000_does_not_ask_again(rp: RelyingParty) -> None:
    first = await rp.tokens()
    rp.clock.advance(2)
    parameters = rp.request(max_age="10000")

    answer = rp.answer(await rp.open(parameters))

    second = await rp.redeem({**answer, "nonce": parameters["nonce"]})
    assert second.id_token["auth_time"] == first.id_token["auth_time"]


@pytest.mark.module("oidcc-ensure-request-with-unknown-parameter-succeeds")
async def test_oidcc_ensure_request_with_unknown_parameter_succeeds(rp: RelyingParty) -> None:
    assert (await rp.tokens(extra="foobar")).id_token


@pytest.mark.module("oidcc-id-token-hint")
async def test_oidcc_id_token_hint_succeeds_without_a_page(rp: RelyingParty) -> None:
    first = await rp.tokens()
    parameters = rp.request(prompt="none", id_token_hint=first.members["id_token"])

    answer = rp.answer(await rp.open(parameters))

    second = await rp.redeem({**answer, "nonce": parameters["nonce"]})
    assert second.id_token["sub"] == first.id_token["sub"]


@pytest.mark.module("oidcc-login-hint")
async def test_oidcc_login_hint_stands_in_the_form(rp: RelyingParty) -> None:
    page = await rp.open(rp.request(login_hint="somebody@example.com"))

    assert b'value="somebody@example.com"' in page.body
    assert "code" in rp.answer(await rp.go_on(page))


@pytest.mark.module("oidcc-ui-locales", "oidcc-claims-locales")
@pytest.mark.parametrize("parameter", ["ui_locales", "claims_locales"])
async def test_oidcc_ui_locales_and_claims_locales_are_no_hindrance(rp: RelyingParty, parameter: str) -> None:
    assert (await rp.tokens(**{parameter: "se x-unknown en"})).id_token


@pytest.mark.module("oidcc-ensure-request-with-acr-values-succeeds")
async def test_oidcc_ensure_request_with_acr_values_succeeds_with_one_of_them(rp: RelyingParty) -> None:
    offered = (await rp.document(DISCOVERY))["acr_values_supported"]

    assert (await rp.tokens(acr_values=" ".join(offered))).id_token["acr"] in offered


@pytest.mark.module("oidcc-codereuse", "oidcc-codereuse-30seconds")
@pytest.mark.parametrize("seconds", [0, 30])
async def test_oidcc_codereuse_is_refused_and_ends_what_the_first_use_gave(rp: RelyingParty, seconds: int) -> None:
    answer = await rp.authorize()
    tokens = await rp.redeem(answer)
    rp.clock.advance(seconds)

    again = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": rp.redirect_uri}
    assert await rp.error_of(**again) == (400, "invalid_grant")
    headers = {"authorization": f"Bearer {tokens.access_token}"}
    assert (await Browser(rp.browser.endpoint).send("GET", "/oauth2/userinfo", headers=headers)).status == 401


@pytest.mark.module("oidcc-ensure-registered-redirect-uri")
async def test_oidcc_ensure_registered_redirect_uri_or_show_an_error_page(rp: RelyingParty) -> None:
    page = await rp.open(rp.request(redirect_uri=f"{rp.redirect_uri}/unregistered"))

    assert (page.status, location(page)) == (400, "")
    assert b"We cannot continue" in page.body


@pytest.mark.module("oidcc-ensure-post-request-succeeds")
async def test_oidcc_ensure_post_request_succeeds(rp: RelyingParty) -> None:
    parameters = rp.request()
    posted = await rp.browser.send("POST", "/oauth2/authorize", parameters)

    answer = rp.answer(await rp.go_on(await rp.browser.get(location(posted))))

    assert (await rp.redeem({**answer, "nonce": parameters["nonce"]})).id_token


@pytest.mark.module("oidcc-server-client-secret-post")
async def test_oidcc_server_client_secret_post(rp: RelyingParty) -> None:
    assert (await rp.as_client("client_secret_post").tokens()).id_token


@pytest.mark.module("oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported")
async def test_oidcc_request_uri_unsigned_is_rejected_as_unsupported_of_a_client_that_registered_none(
    rp: RelyingParty,
) -> None:
    assert await rp.error(request_uri="https://localhost.emobix.co.uk:8443/request") == "request_uri_not_supported"


@pytest.mark.module("oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported")
async def test_oidcc_unsigned_request_object_is_used_and_the_metadata_says_so(rp: RelyingParty) -> None:
    assert "none" in (await rp.document(DISCOVERY))["request_object_signing_alg_values_supported"]
    parameters = rp.request(scope="openid email")
    beside = {**rp.beside(parameters), "scope": "openid"}

    page = await rp.go_on(await rp.open({**beside, "request": rp.request_object(parameters)}))

    tokens = await rp.given(rp.successful(rp.answer(page), parameters))
    assert (await rp.userinfo(tokens))["email"] == rp.claims["email"]


@pytest.mark.module("oidcc-claims-essential")
async def test_oidcc_claims_essential_gives_the_name_at_userinfo(rp: RelyingParty) -> None:
    tokens = await rp.tokens(claims='{"userinfo": {"name": {"essential": true}}}')

    assert await rp.userinfo(tokens) == {"sub": "certification-user", "name": rp.claims["name"]}


@pytest.mark.module("oidcc-ensure-request-object-with-redirect-uri")
async def test_oidcc_ensure_request_object_with_redirect_uri_is_taken_at_its_word(rp: RelyingParty) -> None:
    parameters = rp.request()
    beside = {**rp.beside(parameters), "redirect_uri": "https://elsewhere.example/callback"}

    page = await rp.go_on(await rp.open({**beside, "request": rp.request_object(parameters)}))

    assert (await rp.given(rp.successful(rp.answer(page), parameters))).id_token


@pytest.mark.module("oidcc-refresh-token")
async def test_oidcc_refresh_token_gives_tokens_for_the_same_sign_in(rp: RelyingParty) -> None:
    assert "refresh_token" in (await rp.document(DISCOVERY))["grant_types_supported"]
    first = await rp.tokens(scope="openid offline_access", prompt="consent")
    assert re.fullmatch(r"[\x20-\x7e]{22,}", first.refresh_token)
    assert entropy(first.refresh_token) >= 96
    rp.clock.advance(1)

    second = await rp.refresh(first.refresh_token, scope="openid offline_access")

    same = ("iss", "sub", "aud", "auth_time")
    assert {name: second.id_token[name] for name in same} == {name: first.id_token[name] for name in same}
    assert second.id_token["iat"] == first.id_token["iat"] + 1
    assert second.access_token != first.access_token
    assert await rp.userinfo(second) == {"sub": "certification-user"}


@pytest.mark.module("oidcc-refresh-token")
async def test_oidcc_refresh_token_of_another_client_is_an_invalid_grant(rp: RelyingParty) -> None:
    other = rp.as_client("client2")
    first = await other.tokens(scope="openid offline_access", prompt="consent")
    newest = (await other.refresh(first.refresh_token)).members.get("refresh_token", first.refresh_token)

    refused = await rp.error_of(grant_type="refresh_token", refresh_token=newest)

    assert refused == (400, "invalid_grant")
    assert (await other.refresh(newest)).id_token


@pytest.mark.module("oidcc-ensure-request-with-valid-pkce-succeeds")
async def test_oidcc_ensure_request_with_valid_pkce_succeeds(rp: RelyingParty) -> None:
    answer = await rp.authorize(code_challenge=s256(VERIFIER), code_challenge_method="S256")

    assert (await rp.redeem(answer, code_verifier=VERIFIER)).id_token


async def test_a_form_that_carries_the_answer_works_without_javascript(rp: RelyingParty) -> None:
    page = await rp.go_on(await rp.open(rp.request(response_mode="form_post")))

    assert re.search(rb'<noscript>.*<button id="continue"[^>]*>Continue</button></noscript></form>', page.body)


async def test_who_cancels_or_denies_comes_back_with_access_denied(rp: RelyingParty) -> None:
    parameters = rp.request()
    cancelled = await rp.browser.submit(await rp.open(parameters), decision="cancel")
    await rp.tokens()
    denied = await rp.browser.submit(await rp.open(rp.request(prompt="consent")), decision="deny")

    assert (rp.answer(cancelled)["error"], rp.answer(denied)["error"]) == ("access_denied", "access_denied")
