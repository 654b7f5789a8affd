"""Sealing: what the server's secret makes unreadable and unforgeable (AES-SIV, RFC 5297).

AES-SIV is deterministic: the same value sealed for the same purpose under the same secret is the same text. That is
what lets a retried refresh get the same refresh token again without anybody having stored it. Values that are sealed
more than once hold something random of their own.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from everbearer.oauth.encoding import base64url

NUMBER_LENGTH = 2
SHORTEST_SECRET = 32


class Sealer:
    """Seals and unseals with the server's secrets, newest first: the first seals, all unseal.

    Each purpose has keys of its own, so that nothing sealed for one purpose passes for another. A sealed value begins
    with its key's number, so that the secret can be changed while what older ones sealed stays good.

    Raises:
        ValueError: there is no secret, one is shorter than 32 bytes, or two have the same number.
        TypeError: what is given is not a list of bytes.
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        _check_types(secrets)
        if not secrets or any(len(secret) < SHORTEST_SECRET for secret in secrets):
            raise ValueError(f"the server's secret must be at least {SHORTEST_SECRET} bytes long")
        self._secrets = {_derive(secret, "number", NUMBER_LENGTH): secret for secret in reversed(secrets)}
        if len(self._secrets) < len(set(secrets)):
            raise ValueError("two of the server's secrets have the same number, which is rare: make the newest anew")
        self._newest = _derive(secrets[0], "number", NUMBER_LENGTH)
        self._numbers = {base64url(number): number for number in self._secrets}
        self._ciphers: dict[tuple[bytes, str], AESSIV] = {}
        self._hash_keys: dict[tuple[bytes, str], bytes] = {}

    def __repr__(self) -> str:
        return f"Sealer({len(self._secrets)} secrets)"

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """Return the value sealed for a purpose, under the newest secret."""
        return self._newest + self._cipher(self._newest, purpose).encrypt(plain, [self._newest])

    def unseal(self, purpose: str, sealed: bytes) -> bytes | None:
        """Return what was sealed for this purpose; None if it was not sealed by this server for it."""
        number = sealed[:NUMBER_LENGTH]
        if number not in self._secrets:
            return None
        try:
            return self._cipher(number, purpose).decrypt(sealed[NUMBER_LENGTH:], [number])
        except (InvalidTag, ValueError):
            return None

    def keyed_hash(self, purpose: str, data: bytes) -> str:
        """Return a hash that only this server can make: for secrets of high entropy, which need no slow hash."""
        return _hash_text(self._newest, self._hash_key(self._newest, purpose), data)

    def keyed_hash_matches(self, purpose: str, data: bytes, expected: str) -> bool:
        """Return, in constant time, whether a hash is that of the data under any of the secrets."""
        # A hash tells which secret it was made with.
        number = self._numbers.get(expected.partition(".")[0])
        if number is None:
            return False
        made = _hash_text(number, self._hash_key(number, purpose), data)
        return hmac.compare_digest(made.encode(), expected.encode())

    def knows_hash(self, expected: str) -> bool:
        """Return whether a hash was made with any of the secrets, so that something may match it."""
        return expected.partition(".")[0] in self._numbers

    def _cipher(self, number: bytes, purpose: str) -> AESSIV:
        cipher = self._ciphers.get((number, purpose))
        if cipher is None:
            cipher = self._ciphers[number, purpose] = AESSIV(_derive(self._secrets[number], f"seal {purpose}", 64))
        return cipher

    def _hash_key(self, number: bytes, purpose: str) -> bytes:
        key = self._hash_keys.get((number, purpose))
        if key is None:
            key = self._hash_keys[number, purpose] = _derive(self._secrets[number], f"hash {purpose}", 32)
        return key


def _check_types(secrets: object) -> None:
    # Bytes are a sequence too, of numbers: one secret in place of a list of them is easily given.
    if not isinstance(secrets, list | tuple) or not all(
        isinstance(each, bytes) for each in cast("Sequence[object]", secrets)
    ):
        raise TypeError("the server's secrets are a list of bytes, newest first: write Sealer([secret])")


def _derive(secret: bytes, info: str, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"everbearer {info}".encode()).derive(secret)


def _hash_text(number: bytes, key: bytes, data: bytes) -> str:
    return f"{base64url(number)}.{base64url(hmac.digest(key, data, sha256))}"
