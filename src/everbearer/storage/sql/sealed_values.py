"""Secrets of the server that are kept, sealed."""

from __future__ import annotations

from everbearer.storage.sql.rows import sealed_bytes, sealed_text
from everbearer.storage.sql.transaction import Transaction

SEALED_VALUE = "SELECT sealed FROM sealed_values WHERE name = :name"

ADD_SEALED_VALUE = """
INSERT INTO sealed_values (name, sealed) VALUES (:name, :sealed) ON CONFLICT DO NOTHING RETURNING name
"""

RESEAL_VALUE = "UPDATE sealed_values SET sealed = :sealed WHERE name = :name AND sealed = :was RETURNING name"


async def sealed_value(transaction: Transaction, name: str) -> bytes | None:
    """Read one."""
    rows = await transaction.run(SEALED_VALUE, name=name)
    return sealed_bytes(rows[0][0]) if rows else None


async def keep_sealed_value(transaction: Transaction, name: str, sealed: bytes, *, was: bytes | None) -> bool:
    """Insert one, or replace it by compare-and-swap."""
    if was is None:
        return bool(await transaction.run(ADD_SEALED_VALUE, name=name, sealed=sealed_text(sealed)))
    return bool(await transaction.run(RESEAL_VALUE, name=name, sealed=sealed_text(sealed), was=sealed_text(was)))
