"""Tokens that a key is known to have signed: the same one comes again and again, and verifying it costs the most.

That a signature is good never changes, so nothing that can change is decided by it: who asks still reads what a token
says, and whether it has expired or its grant has ended.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256

MOST = 4096
"""How many of each key are remembered: some hundred kilobytes."""


class SignedTokens:
    """The tokens that one key has signed, as far as they were verified lately; kept as hashes, the oldest go first."""

    __slots__ = ("_hashes",)

    def __init__(self) -> None:
        # Each act on it is one step of the interpreter: threads share it.
        self._hashes: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, token: str) -> bool:
        return _hash(token) in self._hashes

    def add(self, token: str) -> None:
        """Remember that the signature of a token was verified."""
        if len(self._hashes) >= MOST:
            self._hashes.popitem(last=False)
        self._hashes[_hash(token)] = None


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
