"""Clients that answers are encrypted to: their keys, what they publish of them, and how they read what they get.

Keys are made and JWTs decrypted by a JOSE library, not by us.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from joserfc import jwe, jws
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from everbearer.oauth.crypto.jwe import CONTENT_ENCRYPTION, KEY_ENCRYPTION
from world import World, signing_keys

Key = RSAKey | ECKey | OKPKey

SIGNING = ["ES256", "RS256", "PS256", "EdDSA"]


@dataclass(frozen=True, kw_only=True)
class Decrypted:
    """What a JWE holds, to who has the key."""

    header: dict[str, Any]
    content: str

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the signed JWT in it, verified with the server's published keys."""
        return verified(self.content)


@cache
def key_of_kind(kind: str, number: int = 0) -> Key:  # noqa: ARG001 - another number is another key
    """Return a private key of a client: `RSA`, a curve of EC, or `X25519`; made once a process."""
    if kind == "RSA":
        return RSAKey.generate_key(2048)
    return OKPKey.generate_key("X25519") if kind == "X25519" else ECKey.generate_key(kind)


def jwk_of(key: Key, **changes: Any) -> dict[str, Any]:
    """Return the public part of a key, as its client publishes it; a change to None leaves a member out."""
    members = {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "enc", **changes}
    return {name: value for name, value in members.items() if value is not None}


def published(*keys: Key, **changes: Any) -> str:
    """Return the JWK Set document of some keys."""
    return json.dumps({"keys": [jwk_of(key, **changes) for key in keys]})


async def with_encryption(
    world: World, client: str, answer: str, alg: str, enc: str | None = None, **keys: str
) -> None:
    """Let an answer (`id_token`, `userinfo`, `introspection`) be encrypted to a client with keys of its own."""
    of_answer = {f"{answer}_encrypted_response_alg": alg, f"{answer}_encrypted_response_enc": enc}
    await world.change_client(client, **of_answer, **keys)


def decrypted(text: str, key: Key) -> Decrypted:
    """Return what a JWE holds; it fails where it is encrypted to another key."""
    opened = jwe.decrypt_compact(text, key, algorithms=[*KEY_ENCRYPTION, *CONTENT_ENCRYPTION])
    return Decrypted(header=dict(opened.protected), content=(opened.plaintext or b"").decode())


def verified(text: str) -> dict[str, Any]:
    """Return the claims of a signed JWT."""
    keys: Any = {"keys": [dict(key.public_jwk) for key in signing_keys().published]}
    claims: dict[str, Any] = json.loads(
        jws.deserialize_compact(text, KeySet.import_key_set(keys), algorithms=SIGNING).payload
    )
    return claims
