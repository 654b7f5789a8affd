"""Access tokens that are JWTs, as a resource server must validate them (RFC 9068 §4)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from asserting import jwks_of, unsigned
from everbearer.oauth.crypto.keys import ALGORITHMS, KeySet, generate_signing_key
from everbearer.oauth.encoding import base64url
from everbearer.resource_server import InvalidToken, ResourceServer
from resource_server.issuer_world import API, JWKS, Issuer, refusal_of
from world import ADA, ISSUER, NOW, key_of

STATIC = ResourceServer(issuer=ISSUER, audience=API, jwks=jwks_of(key_of("ES256")), now=lambda: NOW)
"""One that has no need of an issuer."""


async def test_a_token_of_the_issuer_says_who_got_it_for_what(issuer: Issuer) -> None:
    token = issuer.api().validate(await issuer.user_token(scope="openid read"))

    assert (token.issuer, token.subject, token.client_id) == (ISSUER, ADA, "spa")
    assert (token.scope, token.audience) == (("openid", "read"), (API,))
    assert (token.issued_at, token.expires_at, token.auth_time) == (NOW, NOW + 1800, NOW)
    assert (token.token_id, token.claims["amr"]) == (token.claims["jti"], ["pwd"])


async def test_a_token_tells_of_its_scope(issuer: Issuer) -> None:
    token = issuer.api().validate(await issuer.token(scope="read write"))

    assert (token.has(), token.has("read"), token.has("read", "write"), token.has("read", "admin")) == (
        True,
        True,
        True,
        False,
    )


async def test_a_token_without_scope_reaches_nothing(issuer: Issuer) -> None:
    token = issuer.api().validate(issuer.forged(scope=None))

    assert token.scope == ()


async def test_its_claims_stand_in_no_repr(issuer: Issuer) -> None:
    token = issuer.api().validate(issuer.forged(email="ada@example.com"))

    assert "ada@example.com" not in repr(token)


@pytest.mark.spec("RFC 9068", "2.1", "4")
@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "AT+JWT"])
async def test_a_token_says_that_it_is_an_access_token(issuer: Issuer, typ: str) -> None:
    token = issuer.api().validate(issuer.forged(header={"typ": typ}))

    assert token.subject == ADA


@pytest.mark.spec("RFC 9068", "4")
@pytest.mark.parametrize("typ", [None, "", "JWT", "jwt", "id+jwt", "application/jwt", "at+jwt ", 1, ["at+jwt"]])
async def test_a_jwt_of_any_other_type_is_refused(issuer: Issuer, typ: object) -> None:
    assert refusal_of(issuer.api(), issuer.forged(header={"typ": typ})) == (
        "the JWT is no access token: its typ is not at+jwt"
    )


@pytest.mark.spec("RFC 9068", "5")
async def test_an_id_token_is_no_access_token(issuer: Issuer) -> None:
    id_token = (await issuer.world.sign_in("spa", scope="openid")).json["id_token"]

    assert "is no access token" in refusal_of(issuer.api(audience="spa"), id_token)


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_each_algorithm_of_the_server_is_verified(issuer: Issuer, alg: str) -> None:
    await issuer.world.change_client("machine", access_token_signing_alg=alg)

    assert issuer.api().validate(await issuer.token()).client_id == "machine"


async def test_the_newer_name_of_eddsa_is_understood(issuer: Issuer) -> None:
    token = issuer.forged(key=replace(key_of("EdDSA"), alg="Ed25519"), header={"kid": key_of("EdDSA").kid})

    assert issuer.api().validate(token).subject == ADA


@pytest.mark.spec("RFC 9068", "4")
@pytest.mark.spec("RFC 8725", "3.1")
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, ["ES256"], "HS256", "RS512", "ES256K"])
async def test_a_token_without_a_signature_that_is_accepted_is_refused(issuer: Issuer, alg: object) -> None:
    claims = issuer.api().validate(issuer.forged()).claims
    header = {"typ": "at+jwt", "kid": key_of("ES256").kid, "alg": alg}

    assert "with an algorithm that is not accepted here" in refusal_of(issuer.api(), unsigned(dict(claims), **header))


@pytest.mark.spec("RFC 8725", "2.1")
async def test_the_public_key_is_no_secret_to_sign_with(issuer: Issuer) -> None:
    public = key_of("RS256").private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    token = issuer.forged(key=base64url(public), header={"kid": key_of("RS256").kid})

    assert "with an algorithm that is not accepted here" in refusal_of(issuer.api(), token)


async def test_only_the_algorithms_that_are_listed_are_accepted(issuer: Issuer) -> None:
    api = issuer.api(algorithms=("RS256",))

    assert "with an algorithm that is not accepted here" in refusal_of(api, issuer.forged())


@pytest.mark.spec("RFC 8725", "3.1")
async def test_a_signature_by_an_algorithm_that_is_not_the_keys_is_refused(issuer: Issuer) -> None:
    token = issuer.forged(key=replace(key_of("RS256"), alg="PS256"))

    assert "is not signed with a key of its issuer" in refusal_of(issuer.api(), token)


@pytest.mark.spec("RFC 9068", "4")
async def test_a_key_of_somebody_else_is_none_of_the_issuers(issuer: Issuer) -> None:
    assert "is not signed with a key of its issuer" in refusal_of(
        issuer.api(), issuer.forged(key=generate_signing_key("ES256"))
    )


@pytest.mark.spec("RFC 9068", "4")
async def test_a_signature_of_somebody_else_under_the_issuers_kid_is_wrong(issuer: Issuer) -> None:
    token = issuer.forged(key=generate_signing_key("ES256"), header={"kid": key_of("ES256").kid})

    assert refusal_of(issuer.api(), token) == "the signature of the access token is wrong"


@pytest.mark.spec("RFC 9068", "4")
async def test_a_key_that_a_token_brings_along_is_not_used(issuer: Issuer) -> None:
    own = generate_signing_key("ES256")
    token = issuer.forged(key=own, header={"jwk": dict(own.public_jwk), "jku": "https://evil.example/jwks"})

    assert "is not signed with a key of its issuer" in refusal_of(issuer.api(), token)
    assert not [wanted.url for wanted in issuer.asked if "evil" in wanted.url]


async def test_a_changed_claim_spoils_the_signature(issuer: Issuer) -> None:
    header, _, signature = (await issuer.token()).split(".")
    _, payload, _ = issuer.forged(scope="admin").split(".")

    assert refusal_of(issuer.api(), f"{header}.{payload}.{signature}") == "the signature of the access token is wrong"


async def test_a_key_without_kid_will_do_where_the_token_names_none(issuer: Issuer) -> None:
    token = issuer.forged(header={"kid": None})

    assert issuer.api().validate(token).subject == ADA


@pytest.mark.spec("RFC 7515", "4.1.11")
async def test_a_header_that_must_be_understood_is_refused(issuer: Issuer) -> None:
    token = issuer.forged(header={"crit": ["b64"], "b64": False})

    assert "has a crit header" in refusal_of(issuer.api(), token)


@pytest.mark.spec("RFC 9068", "4")
@pytest.mark.parametrize("iss", ["https://evil.example", ISSUER + "/", ISSUER.upper(), "", 1, [ISSUER]])
async def test_a_token_of_another_issuer_is_refused(issuer: Issuer, iss: object) -> None:
    assert "not of the issuer" in refusal_of(issuer.api(), issuer.forged(iss=iss))


@pytest.mark.spec("RFC 9068", "4")
@pytest.mark.parametrize(
    "aud", ["https://other.example", API + "/", API[:-1], "", [], ["https://other.example"], [[API]], {API: 1}, 1]
)
async def test_a_token_for_another_resource_is_refused(issuer: Issuer, aud: object) -> None:
    assert "its audience is another" in refusal_of(issuer.api(), issuer.forged(aud=aud))


@pytest.mark.spec("RFC 9068", "4")
@pytest.mark.spec("RFC 7519", "4.1.3")
async def test_one_audience_of_several_will_do(issuer: Issuer) -> None:
    assert issuer.api().validate(issuer.forged(aud=["https://other.example", API])).audience[1] == API


async def test_a_resource_server_may_have_several_names(issuer: Issuer) -> None:
    assert issuer.api(audience=("new", API)).validate(issuer.forged()).audience == (API,)


@pytest.mark.spec("RFC 9068", "2.2")
@pytest.mark.parametrize("name", ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"])
async def test_a_token_that_lacks_a_required_claim_is_refused(issuer: Issuer, name: str) -> None:
    claims: dict[str, Any] = {name: None}

    assert refusal_of(issuer.api(), issuer.forged(**claims)) == f"the access token has no {name}"


@pytest.mark.parametrize("name", ["sub", "client_id", "jti", "scope", "acr"])
async def test_a_text_that_is_none_is_refused(issuer: Issuer, name: str) -> None:
    claims: dict[str, Any] = {name: ["read"]}

    assert refusal_of(issuer.api(), issuer.forged(**claims)).endswith(f"that is not a text: {name}")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "auth_time"])
@pytest.mark.parametrize("value", ["1800000060", True, float("nan"), float("inf"), [1]])
async def test_a_time_that_is_none_is_refused(issuer: Issuer, name: str, value: Any) -> None:
    assert refusal_of(issuer.api(), issuer.forged(**{name: value})).endswith(f"that is not a time: {name}")


@pytest.mark.spec("RFC 9068", "4")
@pytest.mark.parametrize(("ago", "good"), [(-1, True), (0, True), (29, True), (30, False), (31, False), (9999, False)])
async def test_a_token_expires_but_for_the_leeway(issuer: Issuer, ago: int, good: bool) -> None:
    token = issuer.forged(exp=NOW - ago)

    if good:
        assert issuer.api().validate(token).expires_at == NOW - ago
    else:
        assert refusal_of(issuer.api(), token) == "the access token has expired"


async def test_without_leeway_a_token_ends_in_its_second(issuer: Issuer) -> None:
    assert refusal_of(issuer.api(leeway=0), issuer.forged(exp=NOW)) == "the access token has expired"


async def test_times_may_have_fractions(issuer: Issuer) -> None:
    token = issuer.api().validate(issuer.forged(exp=NOW + 60.7, iat=NOW - 0.5))

    assert token.expires_at == NOW + 60


@pytest.mark.spec("RFC 7519", "4.1.5")
@pytest.mark.parametrize("name", ["nbf", "iat"])
async def test_a_token_of_the_future_is_refused_but_for_the_leeway(issuer: Issuer, name: str) -> None:
    soon: dict[str, Any] = {name: NOW + 30}
    later: dict[str, Any] = {name: NOW + 31}

    assert issuer.api().validate(issuer.forged(**soon)).subject == ADA
    assert f"its {name} is in the future" in refusal_of(issuer.api(), issuer.forged(**later))


@pytest.mark.spec("RFC 9449", "7.2")
@pytest.mark.parametrize("cnf", [{"jkt": "a-thumbprint"}, {"x5t#S256": "a-thumbprint"}, {}])
async def test_a_token_that_is_bound_to_a_key_does_not_pass_as_a_bearer_token(issuer: Issuer, cnf: Any) -> None:
    assert "is bound to a key" in refusal_of(issuer.api(), issuer.forged(cnf=cnf))


@pytest.mark.parametrize(
    "claims",
    [{"iss": "https://evil.example"}, {"aud": "another"}, {"exp": NOW - 999}, {"iat": NOW + 999}, {"sub": None}],
)
async def test_what_would_be_refused_anyway_makes_nobody_fetch_keys(issuer: Issuer, claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        issuer.api().validate(issuer.forged(**claims))

    assert issuer.asked == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b.c",
        "..",
        "era_AAAA",
        "Bearer",
        "ümläut",
        "a b",
        "a\nb",
        "x" * 16385,
        "." * 9999,
        ".".join([base64url(b'{"alg":"ES256","typ":"at+jwt"}'), base64url(b"[" * 5000), ""]),
        ".".join([base64url(b'{"alg":"ES256","typ":"at+jwt"}'), base64url(b"[]"), ""]),
    ],
)
async def test_garbage_is_refused(issuer: Issuer, text: str) -> None:
    assert refusal_of(issuer.api(), text) in {"the access token is malformed", "the access token is not a JWT"}


@given(text=st.text())
def test_no_text_makes_anything_but_a_refusal(text: str) -> None:
    with pytest.raises(InvalidToken):
        STATIC.validate(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_HEADERS = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "x"]), _JSON | st.just("ES256"))
_CLAIMS = st.dictionaries(st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub", "jti", "scope", "cnf"]), _JSON)


@given(header=_HEADERS, claims=_CLAIMS, signature=st.binary(max_size=70))
def test_no_jwt_of_a_stranger_makes_anything_but_a_refusal(
    header: dict[str, Any], claims: dict[str, Any], signature: bytes
) -> None:
    good = {"iss": ISSUER, "aud": API, "exp": NOW + 9, "iat": NOW, "sub": "a", "client_id": "b", "jti": "c"}
    parts = ({"typ": "at+jwt", "alg": "ES256", **header}, {**good, **claims})
    text = ".".join(base64url(json.dumps(part).encode()) for part in parts) + "." + base64url(signature)

    with pytest.raises(InvalidToken):
        STATIC.validate(text)


async def test_keys_of_a_document_need_no_issuer(issuer: Issuer) -> None:
    issuer.down = True

    assert issuer.api(jwks=jwks_of(key_of("ES256"))).validate(issuer.forged()).subject == ADA
    assert issuer.asked == []


async def test_a_key_that_is_not_in_the_document_is_not_looked_for(issuer: Issuer) -> None:
    api = issuer.api(jwks=jwks_of(key_of("RS256")))

    assert "is not signed with a key of its issuer" in refusal_of(api, issuer.forged())
    assert issuer.asked == []


async def test_a_withdrawn_key_is_good_no_more_once_the_keys_are_fetched_anew(issuer: Issuer) -> None:
    api, token = issuer.api(), issuer.forged(exp=NOW + 3600)
    assert api.validate(token).subject == ADA
    left = KeySet(signing={"RS256": key_of("RS256")}, published=(key_of("RS256"),))
    issuer.world.server = replace(issuer.world.server, keys=lambda: left)
    issuer.world.clock.advance(600)

    assert "is not signed with a key of its issuer" in refusal_of(api, token)
    assert issuer.asked_for(JWKS) == 2
