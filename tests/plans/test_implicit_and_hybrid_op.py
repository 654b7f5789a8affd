"""The modules that the OpenID Foundation's plans for an Implicit OP and a Hybrid OP have in common, one test each.

Each is tried with every response type of the two plans, and once more as the plan for a Form Post OP has it.
"""

from __future__ import annotations

from typing import Any

import pytest

from everbearer.oauth.response_types import HYBRID_RESPONSE_TYPES, IMPLICIT_RESPONSE_TYPES
from everbearer.oauth.users.claims import CLAIMS_OF_SCOPE
from plans.relying_party import DISCOVERY, RelyingParty, Tokens, has, new_relying_party, userinfo_of
from server.app_world import Browser, location
from world import jwt_part

EVERY = (*IMPLICIT_RESPONSE_TYPES, *HYBRID_RESPONSE_TYPES)
WITH_ID_TOKEN = tuple(each for each in EVERY if "id_token" in each.split())
WITH_USERINFO = tuple(each for each in EVERY if each != "id_token")


@pytest.fixture(params=[None, "form_post"], ids=["default", "form_post"])
async def rp(request: pytest.FixtureRequest, response_type: str) -> RelyingParty:
    return await new_relying_party(request.param, response_type)


@pytest.fixture(params=EVERY)
def response_type(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _only(*response_types: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("response_type", response_types)


async def _known(rp: RelyingParty, tokens: Tokens) -> dict[str, Any]:
    """Return the claims of the user, wherever the response type has them (OpenID Connect Core §5.4)."""
    if rp.response_type == "id_token":
        asked = {name for names in CLAIMS_OF_SCOPE.values() for name in names} | {"sub"}
        return {name: value for name, value in tokens.id_token.items() if name in asked}
    return await rp.userinfo(tokens)


async def _signs_in_again(rp: RelyingParty, **changes: str) -> tuple[Tokens, Tokens]:
    """Go through two flows, and through the sign-in page in both."""
    first = await rp.tokens()
    rp.clock.advance(2)
    parameters = rp.request(**changes)
    page = await rp.open(parameters)
    assert has(page, "sign-in")
    return first, await rp.given(rp.successful(rp.answer(await rp.go_on(page)), parameters))


async def _without_a_page(rp: RelyingParty, **changes: str) -> tuple[Tokens, Tokens]:
    """Go through two flows, the second without a page."""
    first = await rp.tokens()
    rp.clock.advance(2)
    parameters = rp.request(**changes)
    return first, await rp.given(rp.successful(rp.answer(await rp.open(parameters)), parameters))


@pytest.mark.module("oidcc-server")
async def test_oidcc_server_gives_what_the_response_type_says(rp: RelyingParty) -> None:
    tokens = await rp.tokens()

    assert await _known(rp, tokens) == {"sub": "certification-user"}
    both = [claims for claims in (tokens.front_id_token, tokens.id_token) if claims]
    same = ("iss", "sub", "aud", "auth_time", "nonce", "sid")
    assert len({tuple(claims[name] for name in same) for claims in both}) == 1


@pytest.mark.module("oidcc-response-type-missing")
async def test_oidcc_response_type_missing_is_an_invalid_request(rp: RelyingParty) -> None:
    parameters = rp.request(response_type=None)
    # Nobody knows that it should come in a fragment.
    rp.response_type = "code"

    assert rp.answer(await rp.open(parameters))["error"] == "invalid_request"


@_only(*WITH_ID_TOKEN)
@pytest.mark.module("oidcc-idtoken-signature")
async def test_oidcc_idtoken_signature_by_the_browser_is_rs256_by_a_published_key(rp: RelyingParty) -> None:
    header = jwt_part((await rp.tokens()).front["id_token"], 0)

    published = {key["kid"]: key for key in (await rp.document("/oauth2/jwks"))["keys"]}
    assert (header["alg"], published[header["kid"]]["kty"]) == ("RS256", "RSA")


@_only(*WITH_USERINFO)
@pytest.mark.module("oidcc-userinfo-get", "oidcc-userinfo-post-header", "oidcc-userinfo-post-body")
@pytest.mark.parametrize(("method", "in_body"), [("GET", False), ("POST", False), ("POST", True)])
async def test_oidcc_userinfo_is_served_to_every_access_token(rp: RelyingParty, method: str, in_body: bool) -> None:
    tokens = await rp.tokens(scope="openid email")

    given = {tokens.front.get("access_token"), tokens.members.get("access_token")} - {None}
    assert len(given) == len([value for value in rp.response_type.split() if value != "id_token"])
    for token in given:
        headers = {} if in_body else {"authorization": f"Bearer {token}"}
        form = {"access_token": str(token)} if in_body else {}
        response = await Browser(rp.browser.endpoint).send(method, "/oauth2/userinfo", form, headers)
        assert userinfo_of(response, tokens)["email"] == rp.claims["email"]


@_only(*WITH_ID_TOKEN)
@pytest.mark.module("oidcc-ensure-request-without-nonce-fails")
async def test_oidcc_ensure_request_without_nonce_fails_as_an_invalid_request(rp: RelyingParty) -> None:
    assert await rp.error(nonce=None) == "invalid_request"


@pytest.mark.module(
    "oidcc-scope-profile", "oidcc-scope-email", "oidcc-scope-address", "oidcc-scope-phone", "oidcc-scope-all"
)
@pytest.mark.parametrize("scope", ["profile", "email", "address", "phone", "profile email address phone"])
async def test_oidcc_scope_gives_all_its_claims_at_userinfo_or_in_the_id_token_that_comes_alone(
    rp: RelyingParty, scope: str
) -> None:
    asked = {name for value in scope.split() for name in CLAIMS_OF_SCOPE[value]}

    shown = await _known(rp, await rp.tokens(scope=f"openid {scope}"))

    assert shown == {"sub": "certification-user"} | {name: rp.claims[name] for name in asked}


@pytest.mark.module("oidcc-alternate-happy-flow")
async def test_oidcc_alternate_happy_flow_in_any_order_of_parameters_scopes_and_response_types(
    rp: RelyingParty,
) -> None:
    other_order = " ".join(reversed(rp.response_type.split()))
    parameters = rp.request(scope="phone email openid profile", response_type=other_order)

    page = await rp.go_on(await rp.open(dict(sorted(parameters.items(), reverse=True))))

    shown = await _known(rp, await rp.given(rp.successful(rp.answer(page), parameters)))
    assert {"name", "email", "phone_number"} <= shown.keys()


@pytest.mark.module("oidcc-display-page", "oidcc-display-popup")
@pytest.mark.parametrize("display", ["page", "popup"])
async def test_oidcc_display_is_no_hindrance_to_tokens_by_the_browser(rp: RelyingParty, display: str) -> None:
    assert (await rp.tokens(display=display)).id_token


@pytest.mark.module("oidcc-prompt-login")
async def test_oidcc_prompt_login_signs_in_again_whatever_it_gives(rp: RelyingParty) -> None:
    first, second = await _signs_in_again(rp, prompt="login")

    assert second.id_token["auth_time"] == first.id_token["auth_time"] + 2


@pytest.mark.module("oidcc-prompt-none-not-logged-in")
async def test_oidcc_prompt_none_not_logged_in_is_login_required_in_the_fragment(rp: RelyingParty) -> None:
    assert await rp.error(prompt="none") == "login_required"


@pytest.mark.module("oidcc-prompt-none-logged-in")
async def test_oidcc_prompt_none_logged_in_gives_tokens_without_a_page(rp: RelyingParty) -> None:
    first, second = await _without_a_page(rp, prompt="none")

    same = ("sub", "auth_time")
    assert [second.id_token[name] for name in same] == [first.id_token[name] for name in same]


@pytest.mark.module("oidcc-max-age-1")
async def test_oidcc_max_age_1_signs_in_again_whatever_it_gives(rp: RelyingParty) -> None:
    first, second = await _signs_in_again(rp, max_age="1")

    assert second.id_token["auth_time"] > first.id_token["auth_time"]


@pytest.mark.module("oidcc-max-age-10000")
async def test_oidcc_max_age_10000_does_not_ask_again_whatever_it_gives(rp: RelyingParty) -> None:
    first, second = await _without_a_page(rp, max_age="10000")

    assert second.id_token["auth_time"] == first.id_token["auth_time"]


@pytest.mark.module("oidcc-ensure-request-with-unknown-parameter-succeeds")
async def test_oidcc_ensure_request_with_unknown_parameter_succeeds_whatever_it_gives(rp: RelyingParty) -> None:
    assert (await rp.tokens(extra="foobar")).id_token


@pytest.mark.module("oidcc-id-token-hint")
async def test_oidcc_id_token_hint_that_came_by_the_browser_succeeds_without_a_page(rp: RelyingParty) -> None:
    first = await rp.tokens()
    hint = first.front.get("id_token") or first.members["id_token"]
    parameters = rp.request(prompt="none", id_token_hint=hint)

    second = await rp.given(rp.successful(rp.answer(await rp.open(parameters)), parameters))

    assert second.id_token["sub"] == first.id_token["sub"]


@pytest.mark.module("oidcc-login-hint")
async def test_oidcc_login_hint_stands_in_the_form_whatever_it_gives(rp: RelyingParty) -> None:
    parameters = rp.request(login_hint="somebody@example.com")

    page = await rp.open(parameters)

    assert b'value="somebody@example.com"' in page.body
    assert rp.successful(rp.answer(await rp.go_on(page)), parameters)


@pytest.mark.module("oidcc-ui-locales", "oidcc-claims-locales")
@pytest.mark.parametrize("parameter", ["ui_locales", "claims_locales"])
async def test_oidcc_ui_locales_and_claims_locales_hinder_no_tokens_by_the_browser(
    rp: RelyingParty, parameter: str
) -> None:
    assert (await rp.tokens(**{parameter: "se x-unknown en"})).id_token


@pytest.mark.module("oidcc-ensure-request-with-acr-values-succeeds")
async def test_oidcc_ensure_request_with_acr_values_succeeds_whatever_it_gives(rp: RelyingParty) -> None:
    offered = (await rp.document(DISCOVERY))["acr_values_supported"]

    assert (await rp.tokens(acr_values=" ".join(offered))).id_token["acr"] in offered


@pytest.mark.module("oidcc-ensure-registered-redirect-uri")
async def test_oidcc_ensure_registered_redirect_uri_or_show_an_error_page_whatever_it_gives(rp: RelyingParty) -> None:
    page = await rp.open(rp.request(redirect_uri=f"{rp.redirect_uri}/unregistered"))

    assert (page.status, location(page)) == (400, "")
    assert b"We cannot continue" in page.body


@pytest.mark.module("oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported")
async def test_oidcc_request_uri_unsigned_is_rejected_as_unsupported_in_the_fragment(rp: RelyingParty) -> None:
    assert await rp.error(request_uri="https://localhost.emobix.co.uk:8443/request") == "request_uri_not_supported"


@pytest.mark.module(
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
    "oidcc-ensure-request-object-with-redirect-uri",
)
@pytest.mark.parametrize("redirect_uri", [None, "https://elsewhere.example/callback"])
async def test_oidcc_unsigned_request_object_is_used_and_its_redirect_uri_too(
    rp: RelyingParty, redirect_uri: str | None
) -> None:
    parameters = rp.request(scope="openid email")
    beside = rp.beside(parameters) | {"scope": "openid"} | ({"redirect_uri": redirect_uri} if redirect_uri else {})

    page = await rp.go_on(await rp.open({**beside, "request": rp.request_object(parameters)}))

    tokens = await rp.given(rp.successful(rp.answer(page), parameters))
    assert (await _known(rp, tokens))["email"] == rp.claims["email"]


@pytest.mark.module("oidcc-claims-essential")
async def test_oidcc_claims_essential_gives_the_name_where_it_is_asked_for(rp: RelyingParty) -> None:
    place = "id_token" if rp.response_type == "id_token" else "userinfo"

    tokens = await rp.tokens(claims=f'{{"{place}": {{"name": {{"essential": true}}}}}}')

    assert await _known(rp, tokens) == {"sub": "certification-user", "name": rp.claims["name"]}
