"""What is kept for a while: values seen before, and attempts counted in a window."""

from __future__ import annotations

from everbearer.login.store import Counted
from everbearer.storage.sql.transaction import Transaction

REMEMBER = """
INSERT INTO remembered (purpose, value, until) VALUES (:purpose, :value, :until)
ON CONFLICT DO NOTHING
RETURNING until
"""

REMEMBERS = "SELECT until FROM remembered WHERE purpose = :purpose AND value = :value"

COUNT_ATTEMPT = """
INSERT INTO attempts (bucket, made, until) VALUES (:bucket, 1, :until)
ON CONFLICT (bucket) DO UPDATE SET
    made = CASE WHEN attempts.until > :now THEN attempts.made + 1 ELSE 1 END,
    until = CASE WHEN attempts.until > :now THEN attempts.until ELSE :until END
RETURNING made, until
"""

FORGET_ATTEMPTS = "DELETE FROM attempts WHERE bucket = :bucket"


async def remember(transaction: Transaction, purpose: str, value: str, *, until: int) -> bool:
    """Keep a value; False where it was kept."""
    return bool(await transaction.run(REMEMBER, purpose=purpose, value=value, until=until))


async def remembers(transaction: Transaction, purpose: str, value: str) -> bool:
    """Look a value up."""
    return bool(await transaction.run(REMEMBERS, purpose=purpose, value=value))


async def count_attempt(transaction: Transaction, bucket: str, *, now: int, window: int) -> Counted:
    """Count in one statement."""
    ((made, until),) = await transaction.run(COUNT_ATTEMPT, bucket=bucket, now=now, until=now + window)
    return Counted(attempts=made, until=until)


async def forget_attempts(transaction: Transaction, bucket: str) -> None:
    """Empty a bucket."""
    await transaction.run(FORGET_ATTEMPTS, bucket=bucket)
