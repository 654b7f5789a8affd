"""Which password the configuration last gave each user: it is applied when it changes there, and not at each start.

What became of it since stays: its parameters upgraded at sign-in, or another password that the user or an operator set.
"""

from __future__ import annotations

from hashlib import sha256

from everbearer.oauth.encoding import base64url
from everbearer.storage.store import AdminStore

PURPOSE = "declared password hash"
FOR_EVER = 253_402_300_799
"""The end of the year 9999."""


async def was_last_declared(subject: str, password_hash: str, store: AdminStore) -> bool:
    """Return whether this is the hash that was last applied to the user."""
    number = await _how_many(subject, store)
    return await store.remembers(PURPOSE, _value(number, subject, password_hash))


async def note_declared(subject: str, password_hash: str, store: AdminStore) -> None:
    """Note the hash as applied; an empty one where the configuration gave a password instead."""
    if await was_last_declared(subject, password_hash, store):
        return
    # A store remembers what is, not what came last; so each application has a number. The number comes after its hash,
    # that a crash between the two leaves nothing half noted.
    number = await _how_many(subject, store) + 1
    await store.remember(PURPOSE, _value(number, subject, password_hash), until=FOR_EVER)
    await store.remember(PURPOSE, _number(number, subject), until=FOR_EVER)


async def _how_many(subject: str, store: AdminStore) -> int:
    number = 0
    while await store.remembers(PURPOSE, _number(number + 1, subject)):
        number += 1
    return number


def _number(number: int, subject: str) -> str:
    return f"{number}::{subject}"


def _value(number: int, subject: str, password_hash: str) -> str:
    return f"{number}:{base64url(sha256(password_hash.encode()).digest())}:{subject}"
