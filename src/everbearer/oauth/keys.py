"""Signing keys, and the set of them that is published (RFC 7517, RFC 7518 §3.1, RFC 8037 §3.1)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, OKPKey, RSAKey

from everbearer.oauth.errors import TemporarilyUnavailable
from everbearer.oauth.messages import Request, Response, json_response

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")
"""What tokens can be signed with. RS256 is there because OpenID Connect Core §15.1 demands it."""

RSA_BITS = 2048

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


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """The signing keys of one moment: one that signs for each algorithm, and all that are published."""

    signing: Mapping[str, SigningKey]
    published: tuple[SigningKey, ...]
    """Those to come, those that sign and those that signed what may still be in use."""

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


def signing_key_to_jwk(key: SigningKey) -> bytes:
    """Return the private key as a JWK in JSON, to be sealed and stored."""
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    members = _KINDS[str(key.public_jwk["kty"])](pem).as_dict(private=True)
    return json.dumps({**members, "alg": key.alg}).encode()


def signing_key_from_jwk(data: bytes) -> SigningKey:
    """Return the key that `signing_key_to_jwk` wrote.

    Raises:
        ValueError: the data is not such a key.
    """
    members = json.loads(data)
    alg = members.pop("alg")
    return _signing_key(_KINDS[members["kty"]](members), alg)


def _signing_key(jwk: ECKey | RSAKey | OKPKey, alg: str) -> SigningKey:
    kid = jwk.thumbprint()
    public = {**jwk.as_dict(private=False), "kid": kid, "alg": alg, "use": "sig"}
    private = jwk.private_key
    if not isinstance(private, PrivateKey):
        raise ValueError("the key has no private part that can sign")  # noqa: TRY004 - a value read, not an argument
    return SigningKey(kid=kid, alg=alg, private=private, public_jwk=public)


def jwks_response(request: Request, keys: KeySet) -> Response:  # noqa: ARG001 - an endpoint
    """Answer the JWK Set document (RFC 7517 §5): public parts only."""
    members = {"keys": [dict(key.public_jwk) for key in keys.published]}
    return json_response(members, headers=(("Cache-Control", "public, max-age=300"),))
