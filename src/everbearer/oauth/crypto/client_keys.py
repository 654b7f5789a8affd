"""The keys of clients (RFC 7517): what a JWK Set of a client says, and which of its keys it can sign with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from everbearer.oauth.crypto.jws import PublicKey, Unverified, is_signed
from everbearer.oauth.crypto.keys import RSA_BITS

MOST_KEYS = 32
"""How many keys of a set are looked at."""
MOST_RSA_BITS = 8192
"""The largest RSA keys that are used: to verify with larger ones takes too long."""

ED25519 = "Ed25519"
"""What newer libraries call EdDSA with a key of that curve."""

_ALGORITHMS: Mapping[tuple[object, object], tuple[str, ...]] = {
    ("EC", "P-256"): ("ES256",),
    ("RSA", None): ("RS256", "PS256"),
    ("OKP", ED25519): ("EdDSA",),
}
_MEMBERS = ("kty", "crv", "x", "y", "n", "e")
"""What a public key is made of. Whatever else stands beside it makes it no worse."""

Jwk: TypeAlias = ECKey | RSAKey | OKPKey

_KINDS: Mapping[object, Callable[[dict[str, Any]], Jwk]] = {
    "EC": ECKey.import_key,
    "RSA": RSAKey.import_key,
    "OKP": OKPKey.import_key,
}


def algorithm_named(name: object) -> object:
    """Return an algorithm as it is called here, where it has an older name and a newer one (RFC 9864 §2.2)."""
    return "EdDSA" if name == ED25519 else name


class UnusableKeys(ValueError):
    """A document is no JWK Set that a client can be known by; the message is the end of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKey:
    """A public key of a client."""

    kid: str
    """Empty where the key has none."""
    algs: tuple[str, ...]
    """What it may verify: the one algorithm that it names, or all that fit its kind."""
    public: PublicKey


@lru_cache(maxsize=128)
def read_jwks(document: str) -> tuple[ClientKey, ...]:
    """Return the keys of a JWK Set document that signatures can be verified with (RFC 7517 §5).

    Raises:
        UnusableKeys: it is not such a document, holds a private key, or no key that can be used.
    """
    keys = (_key(jwk) for jwk in members_of(document))
    usable = tuple(key for key in keys if key is not None)
    if not usable:
        raise UnusableKeys("holds no key that verifies ES256, RS256, PS256 or EdDSA")
    return usable


def fitting(keys: Iterable[ClientKey], jwt: Unverified) -> list[ClientKey]:
    """Return the keys that a JWT may be signed with: those of its algorithm, and of its `kid` where both have one."""
    alg, kid = algorithm_named(jwt.header.get("alg")), jwt.header.get("kid")
    return [key for key in keys if alg in key.algs and (kid is None or key.kid in ("", kid))]


def signed_by(jwt: Unverified, keys: Iterable[ClientKey]) -> bool:
    """Return whether one of the keys, all of which fit, signed a JWT."""
    alg = str(jwt.header["alg"])
    return any(is_signed(jwt.signing_input, jwt.signature, key.public, alg) for key in keys)


def members_of(document: str) -> list[dict[str, Any]]:
    """Return the first keys of a JWK Set document as they stand there.

    Raises:
        UnusableKeys: it is not such a document.
    """
    try:
        parsed: object = json.loads(document)
    except (ValueError, RecursionError):
        raise UnusableKeys("is not JSON") from None
    keys: object = cast("dict[str, object]", parsed).get("keys") if isinstance(parsed, dict) else None
    if not isinstance(keys, list):
        raise UnusableKeys('is not a JWK Set: write {"keys": [...]}')
    found = [cast("dict[str, Any]", each) for each in cast("list[object]", keys) if isinstance(each, dict)]
    return found[:MOST_KEYS]


def public_key(jwk: Mapping[str, Any]) -> Jwk | None:
    """Return the key that a JWK stands for; None where it is none, or not of a size that is used.

    Raises:
        UnusableKeys: it is a private one.
    """
    if "d" in jwk:
        raise UnusableKeys("holds a private key: publish only its public part, and make a new key")
    try:
        key = _KINDS[jwk["kty"]]({name: jwk[name] for name in _MEMBERS if name in jwk})
        public = key.public_key
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    fits = not isinstance(public, RSAPublicKey) or RSA_BITS <= public.key_size <= MOST_RSA_BITS
    return key if fits else None


def kid_of(jwk: Mapping[str, Any]) -> str:
    """Return the id of a key; empty where it has none."""
    kid = jwk.get("kid")
    return kid if isinstance(kid, str) else ""


def _key(jwk: dict[str, Any]) -> ClientKey | None:
    # "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type) values that are not understood by
    # them, that are missing required members, or for which values are out of the supported ranges" (RFC 7517 §5).
    algs = _algs(jwk)
    key = public_key(jwk) if algs else None
    public = key.public_key if key else None
    return ClientKey(kid=kid_of(jwk), algs=algs, public=public) if isinstance(public, PublicKey) else None


def _algs(jwk: dict[str, Any]) -> tuple[str, ...]:
    algs = next((fits for kind, fits in _ALGORITHMS.items() if kind == (jwk.get("kty"), jwk.get("crv"))), ())
    operations: object = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return ()
    return tuple(alg for alg in algs if algorithm_named(jwk.get("alg", alg)) == alg)
