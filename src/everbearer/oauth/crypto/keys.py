"""Signing keys, and the set of them that is published (RFC 7517, RFC 7518 §3.1, RFC 8037 §3.1)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from everbearer.oauth.arguments import check_arguments, check_fields
from everbearer.oauth.crypto.signed_tokens import SignedTokens
from everbearer.oauth.errors import TemporarilyUnavailable
from everbearer.oauth.messages import Request, Response, json_response

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")
"""What tokens can be signed with. RS256 is there because OpenID Connect Core §15.1 demands it."""

RSA_BITS = 2048

_ADVICE: Mapping[str, str] = {
    "keys": "write key_set(key) or key_set(*keys), of keys that generate_signing_key or signing_key_from_pem made",
    "coming": "write coming=[key]",
    "private": "make the key by generate_signing_key or signing_key_from_pem",
}
_KINDS: Mapping[str, Callable[[dict[str, Any] | bytes], ECKey | RSAKey | OKPKey]] = {
    "EC": ECKey.import_key,
    "RSA": RSAKey.import_key,
    "OKP": OKPKey.import_key,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key that signs with one algorithm."""

    kid: str
    alg: str
    private: PrivateKey = field(repr=False)
    public_jwk: Mapping[str, object]
    """As it is published, with kid, alg and use."""
    signed: SignedTokens = field(default_factory=SignedTokens, init=False, repr=False, compare=False)
    """What it is known to have signed."""

    def __post_init__(self) -> None:
        check_fields(self, _ADVICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """The signing keys of one moment: one that signs for each algorithm, and all that are published."""

    signing: Mapping[str, SigningKey]
    published: tuple[SigningKey, ...]
    """Those to come, those that sign and those that signed what may still be in use."""

    def __post_init__(self) -> None:
        check_fields(self)

    def signer(self, alg: str) -> SigningKey:
        """Return the key that signs with an algorithm.

        Raises:
            TemporarilyUnavailable: there is none; an operator must add the algorithm to those configured.
        """
        key = self.signing.get(alg)
        if key is None:
            raise TemporarilyUnavailable(f"the server has no key to sign with {alg}", reason="no key", retry_after=60)
        return key

    def by_kid(self, kid: str) -> SigningKey | None:
        """Return the published key of this id."""
        return next((key for key in self.published if key.kid == kid), None)


def generate_signing_key(alg: str) -> SigningKey:
    """Return a new key for an algorithm; its kid is its RFC 7638 thumbprint.

    Raises:
        ValueError: the algorithm is none of `ALGORITHMS`.
    """
    if alg == "ES256":
        return _signing_key(ECKey.generate_key("P-256"), alg)
    if alg in ("RS256", "PS256"):
        return _signing_key(RSAKey.generate_key(RSA_BITS), alg)
    if alg == "EdDSA":
        return _signing_key(OKPKey.generate_key("Ed25519"), alg)
    raise ValueError(f"{alg} is not one of {', '.join(ALGORITHMS)}")


def key_set(*keys: SigningKey, coming: Sequence[SigningKey] = ()) -> KeySet:
    """Return the set in which the first key of each algorithm signs, newest first, and all are published.

    Those that are `coming` are published and do not sign yet. To change a key without a token that anybody refuses:
    publish the new one as coming, for as long as verifiers keep what they fetched; let it sign, the old one behind it;
    and take the old one out when its last token has expired.

    Raises:
        ValueError: there is none that signs, or one is no key.
    """
    check_arguments(key_set, _ADVICE, coming=coming)
    for each in keys:
        check_arguments(key_set, _ADVICE, keys=each)
    if not keys:
        raise ValueError("a key set needs a key that signs")
    return KeySet(signing={key.alg: key for key in reversed(keys)}, published=(*coming, *keys))


def signing_key_from_pem(
    text: str | bytes, *, passphrase: str | bytes | None = None, alg: str | None = None
) -> SigningKey:
    """Return the private key in a PEM text: PKCS #8, or the older forms for RSA and EC; encrypted or not.

    Without `alg` it signs with the first of `ALGORITHMS` that it can: RS256 for a key of RSA.

    Raises:
        ValueError: it is no private key, the passphrase does not open it, or it cannot sign with the algorithm.
    """
    check_arguments(signing_key_from_pem, text=text, passphrase=passphrase, alg=alg)
    data = _bytes(text)
    try:
        private = load_pem_private_key(data, None if passphrase is None else _bytes(passphrase))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(_what_is_wrong_with(data, passphrase)) from error
    if not isinstance(private, PrivateKey):
        raise ValueError("the key is of none of the kinds RSA, EC and Ed25519")  # noqa: TRY004 - a value read
    kind, algs = _kind_of(private)
    if alg is not None and alg not in algs:
        raise ValueError(f"the key cannot sign with {alg}, only with {' or '.join(algs)}")
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return _signing_key(_KINDS[kind](pem), alg or algs[0])


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _what_is_wrong_with(pem: bytes, passphrase: str | bytes | None) -> str:
    if b"PUBLIC KEY-----" in pem:
        return "this is not a private key but a public one, which cannot sign"
    if b"PRIVATE KEY-----" not in pem:
        return "this is not a private key in PEM, which begins with -----BEGIN ... PRIVATE KEY-----"
    if b"ENCRYPTED" not in pem:
        return "the private key is damaged, or a passphrase is given and it is not encrypted"
    return "the passphrase does not open the private key" if passphrase else "the private key needs its passphrase"


def _kind_of(private: PrivateKey) -> tuple[str, tuple[str, ...]]:
    """Return the `kty` of a key and the algorithms it can sign with.

    Raises:
        ValueError: it can sign with none.
    """
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "OKP", ("EdDSA",)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        if private.curve.name != "secp256r1":
            raise ValueError(f"the key is on the curve {private.curve.name}; ES256 needs P-256")
        return "EC", ("ES256",)
    # "A key of size 2048 bits or larger MUST be used" (RFC 7518 §3.3).
    if private.key_size < RSA_BITS:
        raise ValueError(f"the RSA key has {private.key_size} bits; it must have {RSA_BITS} or more")
    return "RSA", ("RS256", "PS256")


def signing_key_to_jwk(key: SigningKey) -> bytes:
    """Return the private key as a JWK in JSON, to be sealed and stored."""
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    members = _KINDS[str(key.public_jwk["kty"])](pem).as_dict(private=True)
    return json.dumps({**members, "kid": key.kid, "alg": key.alg}).encode()


def signing_key_from_jwk(data: bytes | str) -> SigningKey:
    """Return the key that `signing_key_to_jwk` wrote, or another private JWK that names its `alg` (RFC 7517 §4).

    Its `kid` stays, where it has one.

    Raises:
        ValueError: the data is not such a key.
    """
    check_arguments(signing_key_from_jwk, {"data": "write json.dumps(jwk)"}, data=data)
    try:
        members = json.loads(data)
        alg, kid = _text(members.pop("alg")), _text(members.pop("kid", ""))
        key = _signing_key(_KINDS[members["kty"]](members), alg, kid=kid)
    except (json.JSONDecodeError, UnicodeDecodeError):
        # Which quotes what was read, and so perhaps a key.
        raise ValueError("this is not a private JWK, which is a JSON object with kty and alg") from None
    except (AttributeError, KeyError, TypeError, JoseError) as error:
        raise ValueError("this is not a private JWK, which is a JSON object with kty and alg") from error
    if alg not in _kind_of(key.private)[1]:
        raise ValueError(f"the key cannot sign with {alg}")
    return key


def _text(member: object) -> str:
    if not isinstance(member, str):
        raise TypeError("a member of the JWK is no text")
    return member


def _signing_key(jwk: ECKey | RSAKey | OKPKey, alg: str, kid: str = "") -> SigningKey:
    kid = kid or jwk.thumbprint()
    public = {**jwk.as_dict(private=False), "kid": kid, "alg": alg, "use": "sig"}
    private = jwk.private_key
    if not isinstance(private, PrivateKey):
        raise ValueError("the key has no private part that can sign")  # noqa: TRY004 - a value read, not an argument
    return SigningKey(kid=kid, alg=alg, private=private, public_jwk=public)


def jwks_response(request: Request, keys: KeySet) -> Response:  # noqa: ARG001 - an endpoint
    """Answer the JWK Set document (RFC 7517 §5): public parts only."""
    members = {"keys": [dict(key.public_jwk) for key in keys.published]}
    return json_response(members, headers=(("Cache-Control", "public, max-age=300"),))
