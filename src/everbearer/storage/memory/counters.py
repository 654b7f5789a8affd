"""Counted attempts and remembered values."""

from __future__ import annotations

from dataclasses import replace

from everbearer.login.store import Counted
from everbearer.storage.memory.tables import Tables


async def count_attempt(tables: Tables, bucket: str, *, now: int, window: int) -> Counted:
    """Count one attempt."""
    before = tables.attempts.get(bucket)
    if before is None or before.until <= now:
        tables.attempts[bucket] = Counted(attempts=1, until=now + window)
    else:
        tables.attempts[bucket] = replace(before, attempts=before.attempts + 1)
    return tables.attempts[bucket]


async def forget_attempts(tables: Tables, bucket: str) -> None:
    """Empty a bucket."""
    tables.attempts.pop(bucket, None)


async def remember(tables: Tables, purpose: str, value: str, *, until: int) -> bool:
    """Keep a value that is not kept yet."""
    if await remembers(tables, purpose, value):
        return False
    tables.remembered[purpose, value] = until
    return True


async def remembers(tables: Tables, purpose: str, value: str) -> bool:
    """Look whether a value is kept."""
    return (purpose, value) in tables.remembered
