"""Compact JWS (RFC 7515 §7.1): signed and verified with the server's own keys, taken apart where others signed it.

Written out because every token response passes here; that it says the same as a JOSE library is proven by the tests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from everbearer.oauth.crypto.keys import KeySet, SigningKey
from everbearer.oauth.encoding import base64url, compact_json, from_base64url

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | Ed25519PublicKey

_ES256 = ec.ECDSA(SHA256())
_ES256_HALF = 32
_SHA256 = SHA256()
_PKCS1 = PKCS1v15()
_PSS = PSS(mgf=MGF1(_SHA256), salt_length=_SHA256.digest_size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unverified:
    """A JWT taken apart. Nothing that it says is true before its signature is verified."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any] = field(repr=False)
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def typ(self) -> str:
        """Return its type, in lower case; empty where it has none."""
        # "it is RECOMMENDED that producers omit an "application/" prefix of a media type value" (RFC 7515 §4.1.9).
        return str(self.header.get("typ", "")).lower().removeprefix("application/")


def sign(claims: Mapping[str, object], key: SigningKey, *, typ: str) -> str:
    """Return the claims as a signed JWT of this type."""
    signing_input = f"{_header(typ, key.alg, key.kid)}.{_segment(claims)}".encode()
    return f"{signing_input.decode()}.{base64url(_signature(signing_input, key))}"


def verify(token: str, keys: KeySet, *, typ: str) -> dict[str, Any] | None:
    """Return the claims of a JWT of this type that one of the keys signed; None for any other text."""
    signing_input, _, signature = token.rpartition(".")
    header, dot, payload = signing_input.partition(".")
    members = _members(header)
    key = keys.by_kid(str(members.get("kid"))) if dot and members else None
    # The algorithm is the key's, never the token's word (RFC 8725 §3.1).
    if key is None or members is None or members.get("alg") != key.alg or members.get("typ") != typ:
        return None
    if token not in key.signed:
        public = key.private.public_key()
        if not is_signed(signing_input.encode(), from_base64url(signature) or b"", public, key.alg):
            return None
        key.signed.add(token)
    return _members(payload)


def take_apart(token: str) -> Unverified | None:
    """Return what a JWT holds, whoever signed it; None for any other text."""
    signing_input, _, signature = token.rpartition(".")
    header, dot, payload = signing_input.partition(".")
    members, claims, signed = _members(header), _members(payload), from_base64url(signature)
    if not dot or members is None or claims is None or signed is None:
        return None
    return Unverified(header=members, claims=claims, signing_input=signing_input.encode(), signature=signed)


def is_signed(data: bytes, signature: bytes, public: PublicKey, alg: str) -> bool:
    """Return whether a signature of the data is that of a key by this algorithm, which is one that fits the key."""
    try:
        _verify(data, signature, public, alg)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=64)
def _header(typ: str, alg: str, kid: str) -> str:
    return _segment({"typ": typ, "alg": alg, "kid": kid})


def _segment(members: Mapping[str, object]) -> str:
    return base64url(compact_json(members))


def _members(segment: str) -> dict[str, Any] | None:
    try:
        members: object = json.loads(from_base64url(segment) or b"")
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", members) if isinstance(members, dict) else None


def _signature(data: bytes, key: SigningKey) -> bytes:
    private = key.private
    if isinstance(private, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(private.sign(data, _ES256))
        return r.to_bytes(_ES256_HALF, "big") + s.to_bytes(_ES256_HALF, "big")
    if isinstance(private, Ed25519PrivateKey):
        return private.sign(data)
    return private.sign(data, _PSS if key.alg == "PS256" else _PKCS1, _SHA256)


def _verify(data: bytes, signature: bytes, public: PublicKey, alg: str) -> None:
    if isinstance(public, ec.EllipticCurvePublicKey):
        halves = signature[:_ES256_HALF], signature[_ES256_HALF:]
        if len(signature) != 2 * _ES256_HALF:
            raise InvalidSignature
        r, s = (int.from_bytes(half, "big") for half in halves)
        public.verify(encode_dss_signature(r, s), data, _ES256)
    elif isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, data, _PSS if alg == "PS256" else _PKCS1, _SHA256)
    else:
        public.verify(signature, data)
