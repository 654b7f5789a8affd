"""Compact JWE (RFC 7516 §7.1): what is encrypted to a client's public key, so that nobody else can read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError

from everbearer.oauth.crypto.client_keys import Jwk, UnusableKeys, kid_of, members_of, public_key
from everbearer.oauth.errors import InvalidClientMetadata

_RSA = ("RSA-OAEP-256", "RSA-OAEP")
_ECDH = ("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW")
KEY_ENCRYPTION = (*_RSA, *_ECDH)
"""How a content key reaches its reader (`alg`, RFC 7518 §4.1). "Avoid all RSA-PKCS1 v1.5 encryption algorithms"
(RFC 8725 §3.2), and nothing whose key would be the client's secret: of that only a hash is kept."""
CONTENT_ENCRYPTION = (
    *("A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512"),
    *("A128GCM", "A192GCM", "A256GCM"),
)
"""How the content itself is encrypted (`enc`, RFC 7518 §5.1)."""
DEFAULT_CONTENT_ENCRYPTION = "A128CBC-HS256"
"""For those who do not say (OpenID Connect Registration §2)."""

_ALGORITHMS: Mapping[tuple[object, object], tuple[str, ...]] = {
    ("RSA", None): _RSA,
    ("EC", "P-256"): _ECDH,
    ("EC", "P-384"): _ECDH,
    ("EC", "P-521"): _ECDH,
    ("OKP", "X25519"): _ECDH,
}
_FOR_SIGNATURES = ("sign", "verify")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionKey:
    """A public key of a client that something can be encrypted to."""

    kid: str
    """Empty where the key has none."""
    algs: tuple[str, ...]
    """What it may be used with: the one algorithm that it names, or all that fit its kind."""
    public: Jwk = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """How, and to which key, something is encrypted."""

    key: EncryptionKey
    alg: str
    enc: str


@lru_cache(maxsize=128)
def read_encryption_keys(document: str) -> tuple[EncryptionKey, ...]:
    """Return the keys of a JWK Set document that can be encrypted to, first those that say that they are for it.

    Raises:
        UnusableKeys: it is not such a document, or holds a private key.
    """
    # "When both signing and encryption keys are made available, a use (public key use) parameter value is REQUIRED for
    # all keys in the referenced JWK Set to indicate each key's intended usage" (OpenID Connect Registration §2).
    jwks = sorted(members_of(document), key=lambda jwk: jwk.get("use") != "enc")
    return tuple(key for key in map(_key, jwks) if key is not None)


def key_for(alg: str, document: str) -> EncryptionKey:
    """Return the key of a JWK Set document that fits an algorithm; the first of several.

    Raises:
        UnusableKeys: there is none.
    """
    fitting = (key for key in read_encryption_keys(document) if alg in key.algs)
    key = next(fitting, None)
    if key is None:
        kinds = "RSA" if alg in _RSA else "EC (P-256, P-384, P-521) or OKP (X25519)"
        raise UnusableKeys(f'has no key to encrypt to with {alg}: add one of the kind {kinds} with "use": "enc"')
    return key


def encrypt(content: bytes, encryption: Encryption, *, nested: bool) -> str:
    """Return content encrypted as a JWT; `nested` where it is a signed one itself.

    "In the case that nested signing or encryption is employed, this Header Parameter MUST be present; in this case, the
    value MUST be "JWT", to indicate that a Nested JWT is carried in this JWT" (RFC 7519 §5.2, of `cty`).

    Raises:
        InvalidClientMetadata: the key looked like one, and is none.
    """
    header = {"typ": "JWT", "alg": encryption.alg, "enc": encryption.enc}
    if nested:
        header["cty"] = "JWT"
    # "If there are multiple keys in the referenced JWK Set document, a kid value MUST be provided" (OpenID Connect Core
    # §10.2).
    if encryption.key.kid:
        header["kid"] = encryption.key.kid
    # Never compressed: "Compression of data SHOULD NOT be done before encryption" (RFC 8725 §3.6).
    try:
        return jwe.encrypt_compact(header, content, encryption.key.public, [encryption.alg, encryption.enc])
    except (JoseError, ValueError):
        # An even modulus, a point of small order.
        named = encryption.key.kid[:80] or "without a kid"
        raise InvalidClientMetadata(f"the answer cannot be encrypted: the client's key {named} is not sound") from None


def _key(jwk: dict[str, Any]) -> EncryptionKey | None:
    algs = _algs(jwk)
    key = public_key(jwk) if algs else None
    return EncryptionKey(kid=kid_of(jwk), algs=algs, public=key) if key else None


def _algs(jwk: dict[str, Any]) -> tuple[str, ...]:
    algs = next((fits for kind, fits in _ALGORITHMS.items() if kind == (jwk.get("kty"), jwk.get("crv"))), ())
    operations: object = jwk.get("key_ops", [])
    # A public key for key agreement has no operations of its own (WebCrypto writes an empty list).
    if (
        jwk.get("use", "enc") != "enc"
        or not isinstance(operations, list)
        or any(each in operations for each in _FOR_SIGNATURES)
    ):
        return ()
    return tuple(alg for alg in algs if jwk.get("alg", alg) == alg)
