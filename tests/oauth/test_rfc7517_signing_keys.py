"""RFC 7517: signing keys from text, and the set of them while one follows another."""

from __future__ import annotations

import json
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from everbearer.oauth.crypto.jws import sign, verify
from everbearer.oauth.crypto.keys import (
    PrivateKey,
    generate_signing_key,
    key_set,
    signing_key_from_jwk,
    signing_key_from_pem,
    signing_key_to_jwk,
)


@cache
def private_key(kind: str) -> PrivateKey:
    if kind == "RSA":
        return rsa.generate_private_key(65537, 2048)
    return ed25519.Ed25519PrivateKey.generate() if kind == "OKP" else ec.generate_private_key(ec.SECP256R1())


def pem(
    key: PrivateKey | dsa.DSAPrivateKey,
    form: PrivateFormat = PrivateFormat.PKCS8,
    encryption: KeySerializationEncryption | None = None,
) -> str:
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()).decode()


@pytest.mark.spec("RFC 7518", "3.1")
@pytest.mark.parametrize(("kind", "alg"), [("EC", "ES256"), ("RSA", "RS256"), ("OKP", "EdDSA")])
def test_a_private_key_in_pem_signs_with_the_algorithm_of_its_kind(kind: str, alg: str) -> None:
    key = signing_key_from_pem(pem(private_key(kind)))

    assert key.alg == alg
    assert verify(sign({"sub": "ada"}, key, typ="JWT"), key_set(key), typ="JWT") == {"sub": "ada"}


@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_the_older_form_of_pem_is_read_as_well(kind: str) -> None:
    older = pem(private_key(kind), PrivateFormat.TraditionalOpenSSL).encode()

    assert signing_key_from_pem(older).public_jwk == signing_key_from_pem(pem(private_key(kind))).public_jwk


def test_an_rsa_key_signs_with_ps256_where_that_is_asked_for() -> None:
    assert signing_key_from_pem(pem(private_key("RSA")), alg="PS256").alg == "PS256"


@pytest.mark.parametrize("passphrase", ["open sesame", b"open sesame"])
def test_a_passphrase_opens_an_encrypted_key(passphrase: str | bytes) -> None:
    encrypted = pem(private_key("EC"), encryption=BestAvailableEncryption(b"open sesame"))

    opened = signing_key_from_pem(encrypted, passphrase=passphrase)

    assert opened.public_jwk == signing_key_from_pem(pem(private_key("EC"))).public_jwk


@pytest.mark.parametrize(
    ("passphrase", "told"), [(None, "needs its passphrase"), (b"close sesame", "passphrase does not open")]
)
def test_an_encrypted_key_without_its_passphrase_is_refused(passphrase: bytes | None, told: str) -> None:
    encrypted = pem(private_key("EC"), encryption=BestAvailableEncryption(b"open sesame"))

    with pytest.raises(ValueError, match=told):
        signing_key_from_pem(encrypted, passphrase=passphrase)


@pytest.mark.parametrize("passphrase", [None, b"open sesame"])
def test_a_public_key_is_told_apart(passphrase: bytes | None) -> None:
    public = private_key("EC").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(ValueError, match="not a private key but a public one"):
        signing_key_from_pem(public, passphrase=passphrase)


def test_a_passphrase_for_a_key_that_is_not_encrypted_is_refused() -> None:
    with pytest.raises(ValueError, match="not encrypted"):
        signing_key_from_pem(pem(private_key("EC")), passphrase=b"open sesame")


@pytest.mark.spec("RFC 7518", "3.3")
def test_a_short_rsa_key_is_refused() -> None:
    with pytest.raises(ValueError, match="1024 bits"):
        signing_key_from_pem(pem(rsa.generate_private_key(65537, 1024)))  # noqa: S505 - it is refused


def test_a_key_on_another_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="secp384r1"):
        signing_key_from_pem(pem(ec.generate_private_key(ec.SECP384R1())))


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="RSA, EC and Ed25519"):
        signing_key_from_pem(pem(dsa.generate_private_key(2048)))


def test_an_algorithm_that_the_key_cannot_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot sign with RS256, only with ES256"):
        signing_key_from_pem(pem(private_key("EC")), alg="RS256")


@pytest.mark.spec("RFC 7517", "4.5")
def test_a_jwk_keeps_its_kid() -> None:
    jwk = json.loads(signing_key_to_jwk(generate_signing_key("ES256")))
    key = signing_key_from_jwk(json.dumps({**jwk, "kid": "2026"}))

    assert (key.kid, key.public_jwk["kid"]) == ("2026", "2026")
    assert signing_key_from_jwk(signing_key_to_jwk(key)).public_jwk == key.public_jwk


@pytest.mark.parametrize("changes", [{"alg": "RS256"}, {"alg": 1}, {"kty": "oct"}, {"x": 1}])
def test_a_jwk_that_cannot_sign_so_is_refused(changes: dict[str, object]) -> None:
    jwk = json.loads(signing_key_to_jwk(generate_signing_key("ES256")))

    with pytest.raises(ValueError, match=r"cannot sign with|not a private JWK"):
        signing_key_from_jwk(json.dumps({**jwk, **changes}))


def test_what_is_no_key_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="not a private key in PEM"):
        signing_key_from_pem("open sesame")


@pytest.mark.parametrize("text", ["[]", '{"kty": "EC"}', "null", '"text"', "", "open sesame", b"\xff"])
def test_what_is_no_jwk_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="not a private JWK"):
        signing_key_from_jwk(text)


def test_a_broken_jwk_is_in_no_exception() -> None:
    with pytest.raises(ValueError, match="not a private JWK") as told:
        signing_key_from_jwk('{"d": "open sesame", ')

    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


@pytest.mark.spec("RFC 7517", "5")
def test_the_first_key_of_each_algorithm_signs_and_all_are_published() -> None:
    new, old, other = (generate_signing_key(alg) for alg in ("ES256", "ES256", "EdDSA"))
    keys = key_set(new, old, other)

    assert keys.signing == {"ES256": new, "EdDSA": other}
    assert keys.published == (new, old, other)


def test_a_key_that_is_coming_is_published_and_does_not_sign() -> None:
    now, coming = generate_signing_key("ES256"), generate_signing_key("ES256")
    keys = key_set(now, coming=[coming])

    assert keys.signer("ES256") is now
    assert keys.by_kid(coming.kid) is coming


def test_a_key_set_without_a_key_that_signs_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a key"):
        key_set(coming=[generate_signing_key("ES256")])
