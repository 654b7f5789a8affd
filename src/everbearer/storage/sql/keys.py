"""Signing keys, sealed."""

from __future__ import annotations

from everbearer.oauth.events import Event
from everbearer.storage.sql.events import record
from everbearer.storage.sql.rows import key_columns, key_of, sealed_text
from everbearer.storage.sql.transaction import Transaction
from everbearer.storage.store import StoredKey

KEYS = "SELECT kid, alg, sealed, created_at, active_at, retired_at FROM signing_keys ORDER BY created_at, kid"

NEWEST_KEY = "SELECT kid FROM signing_keys WHERE alg = :alg ORDER BY created_at DESC, kid DESC LIMIT 1"

# Of two nodes that found the same newest key, the unique predecessor lets one in.
ADD_KEY = """
INSERT INTO signing_keys (kid, alg, predecessor, sealed, created_at, active_at, retired_at)
VALUES (:kid, :alg, :predecessor, :sealed, :created_at, :active_at, :retired_at)
ON CONFLICT DO NOTHING
RETURNING kid
"""

RETIRE_KEY = "UPDATE signing_keys SET retired_at = :retired_at WHERE kid = :kid RETURNING kid"

RESEAL_KEY = "UPDATE signing_keys SET sealed = :new WHERE kid = :kid AND sealed = :old RETURNING kid"


async def keys(transaction: Transaction) -> list[StoredKey]:
    """Read all keys, oldest first."""
    return [key_of(row) for row in await transaction.run(KEYS)]


async def add_key(transaction: Transaction, key: StoredKey, event: Event, *, newest: str | None) -> bool:
    """Insert a key behind the newest of its alg."""
    rows = await transaction.run(NEWEST_KEY, alg=key.alg)
    if (rows[0][0] if rows else None) != newest:
        return False
    if not await transaction.run(ADD_KEY, predecessor=newest or "", **key_columns(key)):
        return False
    await record(transaction, event)
    return True


async def retire_key(transaction: Transaction, kid: str, retired_at: int, event: Event) -> bool:
    """Set `retired_at`."""
    if not await transaction.run(RETIRE_KEY, kid=kid, retired_at=retired_at):
        return False
    await record(transaction, event)
    return True


async def reseal_key(transaction: Transaction, kid: str, *, old: bytes, new: bytes) -> bool:
    """Replace what is sealed by compare-and-swap."""
    return bool(await transaction.run(RESEAL_KEY, kid=kid, old=sealed_text(old), new=sealed_text(new)))
