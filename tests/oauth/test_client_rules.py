"""Contradictory settings of clients are refused, each with a sentence that says what to change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from asserting import jwks_of
from encrypting import key_of_kind, published
from everbearer.oauth.client import (
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    IMPLICIT,
    PASSWORD,
    TOKEN_EXCHANGE,
    AccessTokenFormat,
    AuthMethod,
    Client,
    Lifetimes,
    RotationPolicy,
    SelfRegistration,
    SubjectType,
    TokenExchangePolicy,
)
from everbearer.oauth.client_rules.client import client_problems
from everbearer.oauth.lifetime_rules import lifetime_problems, rotation_problems
from everbearer.oauth.uris import is_loopback
from world import key_of

SPA = Client(client_id="spa", redirect_uris=("https://app.example.com/cb",), scope=("openid", "offline_access"))
OWN = replace(SPA, client_id="own", first_party=True)
WEB = replace(SPA, client_id="web", secrets=("hash",))
PAIRWISE = replace(SPA, client_id="pairwise", subject_type=SubjectType.PAIRWISE)
ITSELF = SelfRegistration(access_token_hash="hash")
SEVERAL_HOSTS = ("https://app.example.com/cb", "https://www.example.com/cb")
KEYED = replace(SPA, token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, jwks_uri="https://app.example.com/jwks")
SEALED = replace(WEB, token_endpoint_auth_method=AuthMethod.SECRET_JWT, sealed_secrets=("sealed",))
RSA = key_of_kind("RSA")
ENCRYPTED = replace(
    WEB,
    client_id="encrypted",
    resources=("https://api.example/", "urn:example:api"),
    jwks=published(RSA),
    id_token_encrypted_response_alg="RSA-OAEP-256",
    id_token_encrypted_response_enc="A256GCM",
    userinfo_encrypted_response_alg="RSA-OAEP",
    userinfo_signed_response_alg="RS256",
)
DEVICE = replace(SPA, client_id="device", redirect_uris=(), grant_types=(DEVICE_CODE, "refresh_token"))
HYBRID = replace(WEB, response_types=("code token", "token id_token"), grant_types=(*WEB.grant_types, IMPLICIT))
IMPLICIT_ONLY = replace(SPA, response_types=("id_token",), grant_types=(IMPLICIT,), scope=("openid",))
SIGNS = replace(WEB, jwks_uri="https://app.example.com/jwks", require_signed_request_object=True)
UNSIGNED = replace(
    WEB, default_acr_values=("urn:x",), request_object_signing_alg="none", request_uris=("https://app.example.com/r#1",)
)
EXCHANGER = Client(
    client_id="exchanger",
    secrets=("hash",),
    grant_types=(TOKEN_EXCHANGE,),
    token_exchange=TokenExchangePolicy(audiences=("billing", "https://stock.example")),
)
MACHINE = Client(client_id="machine", secrets=("hash",), grant_types=("client_credentials",))
USUAL = [SPA, OWN, WEB, MACHINE, PAIRWISE, KEYED, SEALED, ENCRYPTED, HYBRID, IMPLICIT_ONLY, SIGNS, UNSIGNED]


@pytest.mark.parametrize("name", ["redirect_uris", "scope", "grant_types", "secrets", "resources"])
def test_a_text_in_place_of_several_is_told_and_not_taken_apart(name: str) -> None:
    taken: Any = {name: "open sesame"}

    with pytest.raises(ValueError, match=rf'^{name} must be a tuple of str, not a str: write {name}=\("...",\)$'):
        replace(SPA, **taken)


@pytest.mark.parametrize("client", USUAL, ids=lambda client: client.client_id)
def test_a_usual_client_has_no_problems(client: Client) -> None:
    assert client_problems(client) == ()


@pytest.mark.parametrize(
    ("client", "sentence"),
    [
        (replace(SPA, client_id=""), "client_id must be"),
        (replace(SPA, client_id="my app"), "client_id must be"),
        (replace(SPA, access_token_signing_alg="none"), "access_token_signing_alg 'none' is not one of ES256"),
        (replace(SPA, id_token_signed_response_alg="HS256"), "id_token_signed_response_alg 'HS256' is not one of"),
        (replace(WEB, token_endpoint_auth_method=AuthMethod.NONE), "remove the secret or the method"),
        (replace(SPA, token_endpoint_auth_method=AuthMethod.BASIC), "but the client has no secret"),
        (replace(SPA, token_endpoint_auth_method=AuthMethod.POST), "but the client has no secret"),
        (replace(MACHINE, grant_types=()), "grant_types is empty"),
        (replace(MACHINE, secrets=()), "client_credentials is for clients with a secret"),
        (replace(KEYED, secrets=("hash",)), "remove the secret or the method"),
        (replace(KEYED, jwks_uri=""), "private_key_jwt needs the client's public keys: set jwks_uri, or jwks"),
        (replace(KEYED, jwks=jwks_of(key_of("ES256"))), "jwks and jwks_uri are both set: keep one of them"),
        (replace(KEYED, jwks_uri="", jwks="x"), "jwks is not JSON"),
        (replace(KEYED, jwks_uri="", jwks='{"keys": []}'), "jwks holds no key"),
        (replace(KEYED, token_endpoint_auth_signing_alg="HS256"), "set one of ES256, RS256, PS256, EdDSA"),
        (replace(KEYED, token_endpoint_auth_signing_alg="none"), "'none' does not go with this"),
        (replace(SEALED, token_endpoint_auth_signing_alg="ES256"), "set one of HS256"),
        (replace(WEB, token_endpoint_auth_signing_alg="ES256"), "remove it, for it says how assertions are signed"),
        (replace(SEALED, sealed_secrets=()), "needs each secret sealed in sealed_secrets too"),
        (replace(SEALED, secrets=(), sealed_secrets=()), "but the client has no secret"),
        (replace(WEB, sealed_secrets=("sealed",)), "sealed_secrets are for client_secret_jwt alone"),
        (replace(WEB, jwks=published(RSA)), "jwks holds no key that verifies"),
        (replace(WEB, userinfo_signed_response_alg="none"), "userinfo_signed_response_alg 'none' is not one of ES256"),
        (replace(WEB, introspection_signed_response_alg="HS256"), "introspection_signed_response_alg 'HS256' is not"),
        (
            replace(ENCRYPTED, id_token_encrypted_response_alg="RSA1_5"),
            "id_token_encrypted_response_alg 'RSA1_5' is not one of RSA-OAEP-256, RSA-OAEP, ECDH-ES",
        ),
        (
            replace(ENCRYPTED, id_token_encrypted_response_enc="A128KW"),
            "id_token_encrypted_response_enc 'A128KW' is not one of A128CBC-HS256",
        ),
        (
            replace(WEB, userinfo_encrypted_response_enc="A256GCM"),
            "nothing is encrypted without userinfo_encrypted_response_alg: set that too",
        ),
        (replace(ENCRYPTED, jwks=""), "RSA-OAEP-256, RSA-OAEP needs the client's public keys: set jwks_uri, or jwks"),
        (replace(ENCRYPTED, jwks="", jwks_uri="http://app.example.com/jwks"), "must be an https URL"),
        (replace(ENCRYPTED, jwks="x"), "jwks is not JSON"),
        (
            replace(ENCRYPTED, userinfo_encrypted_response_alg="ECDH-ES"),
            "jwks has no key to encrypt to with ECDH-ES: add one of the kind EC",
        ),
        (
            replace(ENCRYPTED, token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT, secrets=(), jwks=published(RSA)),
            "jwks holds no key that verifies",
        ),
        (replace(WEB, request_object_signing_alg="RS1"), "'RS1' is not one of ES256, RS256, PS256, EdDSA, HS256, none"),
        (replace(WEB, request_object_signing_alg="HS256"), 'is for token_endpoint_auth_method "client_secret_jwt"'),
        (replace(WEB, request_object_signing_alg="ES256"), "needs the client's public keys: set jwks_uri, or jwks"),
        (replace(WEB, require_signed_request_object=True), "needs something to sign with: set jwks_uri, or jwks"),
        (replace(SIGNS, request_object_signing_alg="none"), "and no algorithm none"),
        (replace(WEB, request_uris=("http://app.example.com/r",)), "request_uris: 'http://app.example.com/r' must be"),
        (replace(WEB, request_uris=("https://u@app.example.com/r",)), "must be an https URL without user name"),
        (replace(WEB, request_uris=("https://app.example.com/" + "r" * 512,)), "at most 512 characters"),
        (
            replace(
                KEYED,
                grant_types=(CLIENT_CREDENTIALS, "authorization_code"),
                scope=(),
                access_token_format=AccessTokenFormat.OPAQUE,
            ),
            'access_token_format "opaque" with client_credentials needs a secret',
        ),
        (replace(WEB, grant_types=("refresh_token",)), "add authorization_code to grant_types"),
        (replace(SPA, grant_types=("authorization_code",)), "add refresh_token to grant_types"),
        (replace(SPA, default_max_age=-1), "default_max_age is negative"),
        (replace(SPA, default_acr_values=("one two",)), "'one two' must be one value"),
        (replace(SPA, default_acr_values=("",)), "'' must be one value"),
        (replace(SPA, grant_types=(PASSWORD, "refresh_token")), "password is for first-party clients alone"),
        (replace(EXCHANGER, secrets=()), "token exchange is for clients with a secret or keys"),
        (replace(EXCHANGER, grant_types=(CLIENT_CREDENTIALS,)), "token_exchange says what may be exchanged"),
        (replace(EXCHANGER, token_exchange=TokenExchangePolicy(audiences=("a b",))), "must be a name or an absolute"),
        (replace(EXCHANGER, token_exchange=TokenExchangePolicy(audiences=("",))), "must be a name or an absolute"),
        (replace(SPA, redirect_uris=()), "add at least one URI to redirect_uris"),
        (replace(SPA, response_types=("code", "token")), "response_types: 'token' is not one of: code, none, id_token"),
        (replace(SPA, response_types=("code", "id_token")), "add implicit to grant_types, or take them out"),
        (replace(HYBRID, response_types=("code",)), "response_types no id_token or token: take implicit out"),
        (replace(HYBRID, response_types=("id_token",)), "add code, or take authorization_code out"),
        (replace(IMPLICIT_ONLY, response_types=("code id_token",)), "add authorization_code to grant_types"),
        (replace(IMPLICIT_ONLY, redirect_uris=()), "add at least one URI to redirect_uris"),
        (replace(SPA, client_uri="example.com"), "client_uri: 'example.com' must be an absolute https or http URL"),
        (replace(SPA, logo_uri="javascript:alert(1)"), "logo_uri"),
        (replace(SPA, policy_uri="https:///path"), "policy_uri"),
        (replace(SPA, tos_uri="https://exa mple.com"), "tos_uri"),
        (replace(SPA, initiate_login_uri="http://app.example.com/"), "initiate_login_uri"),
        (replace(SPA, initiate_login_uri="https://app.example.com/#x"), "initiate_login_uri"),
        (replace(SPA, first_party=True, registration=ITSELF), "first_party is not for a client that registered itself"),
        (replace(PAIRWISE, redirect_uris=SEVERAL_HOSTS, registration=ITSELF), "set sector_identifier_uri"),
        (replace(SPA, sector_identifier="example.com"), "sector_identifier is for pairwise subjects"),
        (replace(PAIRWISE, sector_identifier="https://example.com"), "must be a host alone"),
        (replace(PAIRWISE, redirect_uris=SEVERAL_HOSTS), "set sector_identifier"),
        (replace(PAIRWISE, redirect_uris=("http://127.0.0.1/cb",)), "set sector_identifier"),
        (replace(PAIRWISE, redirect_uris=("com.example.app:/cb",)), "set sector_identifier"),
        (replace(SPA, claims={"email": ("email",)}), "claims: email is no scope value of this client"),
        (replace(OWN, claims={"openid": ("name",)}), "a first_party client sees all claims"),
        (replace(SPA, claims={"openid": ("nonce",)}), "claims: nonce is the protocol's own"),
        (replace(SPA, claims={"openid": ("",)}), "claims: '' is no name of a claim"),
        (replace(SPA, id_token_claims=("a\x00",)), "id_token_claims: 'a\\x00' is no name of a claim"),
        (replace(SPA, id_token_claims=("name#fr",)), "id_token_claims: name#fr has a language"),
        (
            replace(SPA, resources=("https://api.example/#x",)),
            "resources: 'https://api.example/#x' must be an absolute",
        ),
        (replace(WEB, introspects=("api",)), "introspects: 'api' must be an absolute URI without a fragment"),
        (replace(SPA, post_logout_redirect_uris=("/bye",)), "post_logout_redirect_uris: '/bye' is not absolute"),
    ],
)
def test_a_contradiction_is_told_in_a_sentence(client: Client, sentence: str) -> None:
    problems = client_problems(client)

    assert len(problems) == 1
    assert sentence in problems[0]


def test_a_sector_may_stand_for_clients_on_several_hosts() -> None:
    client = replace(PAIRWISE, redirect_uris=SEVERAL_HOSTS, sector_identifier="example.com")

    assert client_problems(client) == ()


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("/callback", "is not absolute"),
        ("app.example.com/callback", "is not absolute"),
        ("https://app.example.com/cb#part", "has a fragment"),
        ("https://app.example.com/cb#", "has a fragment"),
        ("https://app.example.com/c b", "is not a URI"),
        ("https://app.example.com\\@evil.example/", "is not a URI"),
        ("https://app.example.com/ü", "is not a URI"),
        ("https://app.example.com:port/", "is not a URI"),
        ("https://[::1/", "is not a URI"),
        ("", "is not a URI"),
        ("https:///callback", "has no host"),
        ("https://user@app.example.com/", "has a user name"),
        ("https://*.example.com/", "has a wildcard"),
        ("https://app.example.com/*", "has a wildcard"),
        ("http://app.example.com/cb", "would send the code in clear"),
        ("http://localhost.example.com/cb", "would send the code in clear"),
        ("javascript:alert(1)", "would run or read something in the browser"),
        ("data:text/html,x", "would run or read something in the browser"),
        ("file:///etc/passwd", "would run or read something in the browser"),
        ("myapp://callback", "has a scheme that other apps can claim too"),
        ("localhost:3000/callback", "has no scheme before its host and port"),
        ("app.example.com:8443/callback", "has no scheme before its host and port"),
    ],
)
@pytest.mark.spec("RFC 6749", "3.1.2")
@pytest.mark.spec("RFC 8252", "7.1")
def test_an_unsafe_redirect_uri_is_refused(uri: str, why: str) -> None:
    problems = client_problems(replace(SPA, redirect_uris=(uri,)))

    assert len(problems) == 1
    assert f"redirect_uris: {uri!r} {why}" in problems[0]


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.parametrize(
    ("uri", "safe"),
    [
        ("https://app.example.com/jwks?version=2", True),
        ("https://app.example.com:8443", True),
        ("http://localhost:3000/jwks", True),
        ("http://[::1]/jwks", True),
        ("http://app.example.com/jwks", False),
        ("https://user@app.example.com/jwks", False),
        ("https://app.example.com/jwks#part", False),
        ("https://app.example.com/jw ks", False),
        ("https:///jwks", False),
        ("file:///etc/passwd", False),
        ("/jwks", False),
    ],
)
def test_the_url_of_a_jwk_set_must_be_https_but_for_loopback(uri: str, safe: bool) -> None:
    problems = client_problems(replace(KEYED, jwks_uri=uri))

    assert problems == (() if safe else (f"jwks_uri: {uri!r} must be an https URL without a fragment or user name",))


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com/cb?tenant=1",
        "http://localhost:8081/",
        "http://127.0.0.1/cb",
        "http://[::1]:3000/cb",
        "com.example.app:/callback",
        "com.example.app://callback",
    ],
)
def test_a_safe_redirect_uri_is_accepted(uri: str) -> None:
    assert client_problems(replace(SPA, redirect_uris=(uri,))) == ()


@pytest.mark.parametrize(
    ("lifetimes", "sentence"),
    [
        (Lifetimes(access_token=0), "lifetimes.access_token is 0: it must be at least 1 second"),
        (Lifetimes(id_token=-1), "lifetimes.id_token is -1"),
        (Lifetimes(access_token_jitter=-0.1), "lifetimes.access_token_jitter is -0.1: it must be from 0 to 0.5"),
        (Lifetimes(access_token_jitter=0.51), "lifetimes.access_token_jitter is 0.51: it must be from 0 to 0.5"),
        (Lifetimes(access_token_jitter=float("nan")), "lifetimes.access_token_jitter is nan: it must be from 0"),
        (Lifetimes(authorization_code=601), "at most 600 are allowed"),
        (Lifetimes(device_code=1801), "at most 1800 are allowed"),
        (Lifetimes(device_code=0), "lifetimes.device_code is 0"),
        (Lifetimes(access_token_by_grant={"client_credentials": 0}), "access_token_by_grant.client_credentials is 0"),
        (
            Lifetimes(access_token_by_grant={"refresh_token": 3600}, refresh_token=1800, refresh_token_idle=None),
            "lifetimes.access_token (3600 s) is longer than lifetimes.refresh_token",
        ),
        (Lifetimes(access_token=7200, refresh_token=3600, refresh_token_idle=None), "is longer than lifetimes.refresh"),
        (Lifetimes(refresh_token=7200, refresh_token_idle=7201), "and would never count"),
        (Lifetimes(access_token=3600, refresh_token_idle=600), "signed out between two refreshes"),
    ],
)
def test_lifetimes_that_contradict_each_other_are_told(lifetimes: Lifetimes, sentence: str) -> None:
    problems = lifetime_problems(lifetimes)

    assert len(problems) == 1
    assert sentence in problems[0]


def test_lifetimes_of_refresh_tokens_do_not_matter_to_a_machine() -> None:
    lifetimes = Lifetimes(access_token=7200, refresh_token=3600, refresh_token_idle=60)

    assert client_problems(replace(MACHINE, lifetimes=lifetimes)) == ()


def test_no_idle_limit_is_no_problem() -> None:
    assert lifetime_problems(Lifetimes(refresh_token_idle=None)) == ()


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (RotationPolicy(retry_window=-1), "rotation.retry_window is -1: it must be at least 0"),
        (RotationPolicy(late_after=-1), "rotation.late_after is -1: it must be at least 0"),
        (RotationPolicy(late_limit=0), "rotation.late_limit is 0: it must be at least 1"),
        (RotationPolicy(retry_limit=0), "rotation.retry_limit is 0: it must be at least 1"),
        (RotationPolicy(arrival_after=-1), "rotation.arrival_after is -1: it must be at least 0"),
        (RotationPolicy(rotate=False, retry_window=60), "but rotation.rotate is false"),
        (RotationPolicy(retry_window=5, late_after=10), "no retry could ever be late"),
    ],
)
def test_a_rotation_policy_that_contradicts_itself_is_told(policy: RotationPolicy, sentence: str) -> None:
    problems = rotation_problems(policy)

    assert len(problems) == 1
    assert sentence in problems[0]


@pytest.mark.parametrize(
    "policy",
    [
        RotationPolicy(retry_window=0),
        RotationPolicy(retry_window=5, late_limit=None),
        RotationPolicy(retry_window=600),
        RotationPolicy(rotate=False),
        RotationPolicy(rotate=True, late_limit=None),
        RotationPolicy(arrival_after=0),
        RotationPolicy(retry_window=60, arrival_after=60),
    ],
)
def test_a_rotation_policy_that_makes_sense_is_accepted(policy: RotationPolicy) -> None:
    assert rotation_problems(policy) == ()


@pytest.mark.spec("RFC 9700", "2.2.2")
def test_a_public_client_must_rotate() -> None:
    problems = client_problems(replace(SPA, rotation=RotationPolicy(rotate=False)))

    assert len(problems) == 1
    assert "a client without a secret must rotate" in problems[0]


def test_a_confidential_client_need_not_rotate() -> None:
    assert client_problems(replace(WEB, rotation=RotationPolicy(rotate=False))) == ()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("10.0.0.1", False), (None, False)],
)
def test_loopback_is_this_machine_only(host: str | None, loopback: bool) -> None:
    assert is_loopback(host) is loopback
