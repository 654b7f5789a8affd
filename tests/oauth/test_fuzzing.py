"""Nothing a client sends makes a server error, and nothing made up is given anything."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asserting import claims_for, sent, sign, with_another_name, with_keys
from everbearer.oauth.authorization.endpoint import AuthorizationRefused, validate_authorization_request
from everbearer.oauth.endpoints.introspection import introspection_endpoint
from everbearer.oauth.endpoints.revocation import revocation_endpoint
from everbearer.oauth.endpoints.token import token_endpoint
from everbearer.oauth.endpoints.userinfo import userinfo_endpoint
from everbearer.oauth.errors import OAuthError
from everbearer.oauth.parameters import parse
from everbearer.oauth.sessions.end_session import validate_end_session_request
from everbearer.storage.memory import MemoryStore
from world import FORM, ISSUER, SECRET, EndpointFunction, World, key_of, new_world

NAMES = st.sampled_from(
    [
        *("grant_type", "refresh_token", "client_id", "client_secret", "scope", "code", "code_verifier", "token"),
        *("redirect_uri", "response_type", "response_mode", "state", "prompt", "max_age", "id_token_hint", "nonce"),
        *("code_challenge", "code_challenge_method", "client_assertion", "access_token", "ui_locales", "resource"),
        *("post_logout_redirect_uri", "logout_hint", "token_type_hint", "", "x"),
    ]
)
VALUES = st.text(max_size=30) | st.sampled_from(
    [
        *("refresh_token", "authorization_code", "client_credentials", "spa", "web", "machine", "api", SECRET),
        *("openid", "openid offline_access", "code", "none", "S256", "fragment", "form_post", "x" * 43),
        *("https://spa.example/cb", "http://127.0.0.1:1/cb", "https://id.example/", "http://[", "erb_AAAA", "era_AAAA"),
        *("e30.e30.e30", "..", "eyJ0eXAiOiJKV1QiLCJraWQiOltdfQ.e30."),
    ]
)
FORMS = st.lists(st.tuples(NAMES, VALUES), max_size=8).map(
    lambda pairs: "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs).encode()
)
BODIES = FORMS | st.binary(max_size=80) | st.binary(max_size=40).map(lambda rest: b"{" + rest)
HEADERS = st.fixed_dictionaries(
    {"content-type": st.just(FORM) | st.text(max_size=10)},
    optional={
        "authorization": st.sampled_from(["Basic ", "Bearer ", "basic", "DPoP x"]).flatmap(
            lambda scheme: st.text(alphabet=st.characters(max_codepoint=255), max_size=30).map(scheme.__add__)
        ),
        "idempotency-key": st.text(alphabet=st.characters(max_codepoint=255), max_size=20),
        "user-agent": st.text(alphabet=st.characters(max_codepoint=255), max_size=20),
    },
)


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=10)
    | st.sampled_from(["keyed", ISSUER, "JWT", "ES256"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
"""Whatever JSON can hold, and what Python's reader takes for it besides."""


@cache
def _world() -> World:
    return asyncio.run(_made())


async def _made() -> World:
    world = await new_world(MemoryStore())
    await with_another_name(world, "machine", "keyed")
    await with_keys(world, "keyed")
    return world


@pytest.mark.rt("RT-74")
@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize("endpoint", [token_endpoint, revocation_endpoint, introspection_endpoint, userinfo_endpoint])
@settings(max_examples=150)
@given(body=BODIES, headers=HEADERS)
@example(body=b'{"token":"a.\\udc00.c","client_id":"\\ud800"}', headers={"content-type": FORM})
def test_no_request_is_a_server_error(endpoint: EndpointFunction, body: bytes, headers: dict[str, str]) -> None:
    answer = asyncio.run(_world().send(endpoint, body, headers=headers))

    assert answer.status in (200, 400, 401, 403)
    assert answer.status == 200 or answer.json["error_description"]


@pytest.mark.spec("RFC 7523", "3.2")
@settings(max_examples=300)
@given(
    claims=st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]), ODD, max_size=3),
    header=st.dictionaries(st.sampled_from(["kid", "typ", "crit"]), ODD, max_size=2),
)
def test_no_assertion_that_a_client_signs_is_a_server_error(claims: dict[str, Any], header: dict[str, Any]) -> None:
    form = sent(sign(claims_for(_world(), "keyed") | claims, key_of("ES256"), header))

    answer = asyncio.run(_world().token({"grant_type": "client_credentials", **form}))

    assert (answer.status, answer.error) in {(200, ""), (401, "invalid_client")}


@pytest.mark.spec("RFC 6749", "4.1.2.1")
@settings(max_examples=200)
@given(query=FORMS)
def test_no_authorization_request_is_a_server_error_or_leads_astray(query: bytes) -> None:
    try:
        request = asyncio.run(validate_authorization_request(parse(query.decode()), _world().server))
    except (AuthorizationRefused, OAuthError):
        return

    assert request.redirect_uri.startswith((*request.client.redirect_uris, "http://127.0.0.1:", "https://id.example/"))


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
@settings(max_examples=150)
@given(query=FORMS)
def test_no_logout_request_is_a_server_error_or_leads_astray(query: bytes) -> None:
    try:
        request = asyncio.run(validate_end_session_request(parse(query.decode()), _world().server))
    except OAuthError:
        return

    assert request.post_logout_redirect_uri == ""
