"""Compact JWS (RFC 7515 §7.1), signed and verified with the server's own keys.

Written out because every token response passes here; that it says the same as a JOSE library is proven by the tests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from everbearer.oauth.encoding import base64url, compact_json, from_base64url
from everbearer.oauth.keys import KeySet, SigningKey

_ES256 = ec.ECDSA(SHA256())
_ES256_HALF = 32
_SHA256 = SHA256()
_PKCS1 = PKCS1v15()
_PSS = PSS(mgf=MGF1(_SHA256), salt_length=_SHA256.digest_size)


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
    if not _verified(signing_input.encode(), from_base64url(signature) or b"", key):
        return None
    return _members(payload)


@lru_cache(maxsize=64)
def _header(typ: str, alg: str, kid: str) -> str:
    return _segment({"typ": typ, "alg": alg, "kid": kid})


def _segment(members: Mapping[str, object]) -> str:
    return base64url(compact_json(members).encode())


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


def _verified(data: bytes, signature: bytes, key: SigningKey) -> bool:
    try:
        _verify(data, signature, key)
    except InvalidSignature:
        return False
    return True


def _verify(data: bytes, signature: bytes, key: SigningKey) -> None:
    public = key.private.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        halves = signature[:_ES256_HALF], signature[_ES256_HALF:]
        if len(signature) != 2 * _ES256_HALF:
            raise InvalidSignature
        r, s = (int.from_bytes(half, "big") for half in halves)
        public.verify(encode_dss_signature(r, s), data, _ES256)
    elif isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, data, _PSS if key.alg == "PS256" else _PKCS1, _SHA256)
    else:
        public.verify(signature, data)
