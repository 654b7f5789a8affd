"""RFC 7515: our compact JWS says the same as a JOSE library, in both directions and for every algorithm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from everbearer.oauth.crypto import jws
from everbearer.oauth.crypto.keys import (
    ALGORITHMS,
    KeySet,
    SigningKey,
    generate_signing_key,
    jwks_response,
    signing_key_from_jwk,
    signing_key_to_jwk,
)
from everbearer.oauth.encoding import base64url, from_base64url
from everbearer.oauth.messages import Request
from world import key_of, signing_keys

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")

CLAIMS = {"iss": "https://id.example", "name": "Ada \u00e9\U0001f36a", "exp": 1_800_000_000, "amr": ["pwd"]}
EVERY_ALG = pytest.mark.parametrize("alg", ALGORITHMS)


def _library_key(key: SigningKey) -> ECKey | RSAKey | OKPKey:
    members: Any = json.loads(signing_key_to_jwk(key))
    if members["kty"] == "EC":
        return ECKey.import_key(members)
    return RSAKey.import_key(members) if members["kty"] == "RSA" else OKPKey.import_key(members)


def _changed(token: str, **header: object) -> str:
    """Return a token with another header and the signature it had."""
    first, rest = token.split(".", 1)
    members = {**json.loads(from_base64url(first) or b""), **header}
    return f"{base64url(json.dumps(members).encode())}.{rest}"


@EVERY_ALG
@pytest.mark.spec("RFC 7515", "7.1")
@pytest.mark.spec("RFC 7518", "3.1")
def test_what_we_sign_a_library_verifies(alg: str) -> None:
    token = jws.sign(CLAIMS, key_of(alg), typ="at+jwt")

    verified = joserfc_jws.deserialize_compact(token, _library_key(key_of(alg)), algorithms=[alg])

    assert json.loads(verified.payload) == CLAIMS
    assert verified.headers() == {"typ": "at+jwt", "alg": alg, "kid": key_of(alg).kid}


@EVERY_ALG
@pytest.mark.spec("RFC 7515", "5.2")
def test_what_a_library_signs_we_verify(alg: str) -> None:
    header: Any = {"kid": key_of(alg).kid, "alg": alg, "typ": "at+jwt"}
    payload = json.dumps(CLAIMS).encode()

    token = joserfc_jws.serialize_compact(header, payload, _library_key(key_of(alg)), algorithms=[alg])

    assert jws.verify(token, signing_keys(), typ="at+jwt") == CLAIMS


@EVERY_ALG
@pytest.mark.spec("RFC 7515", "5.2")
def test_a_signature_that_was_changed_in_any_byte_is_refused(alg: str) -> None:
    head, _, text = jws.sign(CLAIMS, key_of(alg), typ="JWT").rpartition(".")
    signature = from_base64url(text)
    assert signature is not None

    for place in range(len(signature)):
        changed = signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :]
        assert jws.verify(f"{head}.{base64url(changed)}", signing_keys(), typ="JWT") is None


@EVERY_ALG
@pytest.mark.spec("RFC 7515", "5.2")
def test_a_signature_of_another_length_is_refused(alg: str) -> None:
    head, _, text = jws.sign(CLAIMS, key_of(alg), typ="JWT").rpartition(".")
    signature = from_base64url(text)
    assert signature is not None

    for other in (b"", signature[:-1], signature + b"\x00", bytes(64), bytes(256), signature[:32]):
        assert jws.verify(f"{head}.{base64url(other)}", signing_keys(), typ="JWT") is None


@EVERY_ALG
@pytest.mark.spec("RFC 7515", "5.2")
def test_other_claims_under_the_same_signature_are_refused(alg: str) -> None:
    header, _, signature = jws.sign(CLAIMS, key_of(alg), typ="JWT").split(".")
    claims = base64url(json.dumps({**CLAIMS, "sub": "eve"}).encode())

    assert jws.verify(f"{header}.{claims}.{signature}", signing_keys(), typ="JWT") is None


@EVERY_ALG
@pytest.mark.spec("RFC 8725", "3.1", "3.11")
def test_the_header_has_no_say(alg: str) -> None:
    token = jws.sign(CLAIMS, key_of(alg), typ="JWT")
    other = next(one for one in ALGORITHMS if one != alg)

    for header in (
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": other},
        {"kid": key_of(other).kid},
        {"kid": ["x"]},
        {"kid": None},
        {"typ": "at+jwt"},
        {"typ": None},
    ):
        assert jws.verify(_changed(token, **header), signing_keys(), typ="JWT") is None


@pytest.mark.spec("RFC 8725", "3.11")
def test_a_token_of_one_type_is_never_taken_for_another() -> None:
    token = jws.sign(CLAIMS, key_of("ES256"), typ="JWT")

    assert jws.verify(token, signing_keys(), typ="JWT") == CLAIMS
    assert jws.verify(token, signing_keys(), typ="at+jwt") is None


@pytest.mark.spec("RFC 7515", "4.1.4")
def test_a_key_that_is_published_no_more_verifies_nothing() -> None:
    token = jws.sign(CLAIMS, key_of("ES256"), typ="JWT")
    others = tuple(key for key in signing_keys().published if key.alg != "ES256")

    assert jws.verify(token, KeySet(signing={}, published=others), typ="JWT") is None


@settings(max_examples=300)
@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{0,20}(\.[A-Za-z0-9_-]{0,20}){0,4}", fullmatch=True))
def test_no_text_that_nobody_signed_is_verified(text: str) -> None:
    assert jws.verify(text, signing_keys(), typ="JWT") is None


@pytest.mark.parametrize("payload", [b"[]", b'"text"', b"not JSON", b"[" * 100_000, b"\xff", b""])
@pytest.mark.spec("RFC 7519", "7.2")
def test_a_payload_that_is_no_object_is_refused(payload: bytes) -> None:
    key = key_of("EdDSA")
    header = base64url(json.dumps({"typ": "JWT", "alg": "EdDSA", "kid": key.kid}).encode())
    signing_input = f"{header}.{base64url(payload)}"
    signed: Any = key.private

    token = f"{signing_input}.{base64url(signed.sign(signing_input.encode()))}"

    assert jws.verify(token, signing_keys(), typ="JWT") is None


@EVERY_ALG
@pytest.mark.spec("RFC 7517", "4")
def test_a_key_written_down_reads_back_as_itself(alg: str) -> None:
    read = signing_key_from_jwk(signing_key_to_jwk(key_of(alg)))

    assert (read.kid, read.alg, read.public_jwk) == (key_of(alg).kid, alg, key_of(alg).public_jwk)
    token = jws.sign(CLAIMS, read, typ="JWT")
    assert jws.verify(token, signing_keys(), typ="JWT") == CLAIMS


@EVERY_ALG
@pytest.mark.spec("RFC 7638", "3")
def test_a_keys_id_is_its_thumbprint(alg: str) -> None:
    key = key_of(alg)

    assert key.kid == _library_key(key).thumbprint()
    assert (key.public_jwk["kid"], key.public_jwk["alg"], key.public_jwk["use"]) == (key.kid, alg, "sig")


@pytest.mark.spec("RFC 7518", "3.1")
def test_an_algorithm_that_is_not_offered_has_no_keys() -> None:
    with pytest.raises(ValueError, match="HS256 is not one of"):
        generate_signing_key("HS256")


@pytest.mark.spec("RFC 7517", "4")
def test_a_public_key_signs_nothing() -> None:
    with pytest.raises(ValueError, match="no private part"):
        signing_key_from_jwk(json.dumps(dict(key_of("ES256").public_jwk)).encode())


@pytest.mark.rt("RT-73")
@pytest.mark.spec("RFC 7517", "5", "9.2")
def test_the_published_set_has_public_parts_alone() -> None:
    response = jwks_response(Request(method="GET", path="/oauth2/jwks"), signing_keys())

    keys = json.loads(response.body)["keys"]
    assert [key["alg"] for key in keys] == list(ALGORITHMS)
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & {name for key in keys for name in key}
    assert ("Cache-Control", "public, max-age=300") in response.headers
    assert "private" not in repr(signing_keys())
