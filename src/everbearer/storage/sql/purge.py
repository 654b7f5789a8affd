"""The removal of what is long dead, in batches.

What must be searched for among the living is found by a read and then removed by primary key if it has not changed, so
that a search through many rows never keeps writers waiting.
"""

from __future__ import annotations

from everbearer.login.models import SessionLifetimes
from everbearer.oauth.models import Lifetimes
from everbearer.storage.sql.grants import GRANTS_AND_ENDS
from everbearer.storage.sql.sessions import SESSIONS_AND_ENDS
from everbearer.storage.sql.transaction import Row, Transaction

# A client that is gone leaves its grants the default lifetimes.
DEAD_GRANTS = f"""
SELECT grants.grant_id, grants.generation, grants.used_at
{GRANTS_AND_ENDS}LEFT JOIN clients ON clients.client_id = grants.client_id
WHERE CASE
    WHEN grants.ended_at IS NOT NULL THEN grants.ended_at <= :before
    WHEN COALESCE(user_end.at, client_end.at, consent_end.at, session_end.at) IS NOT NULL THEN
        user_end.at <= :before OR client_end.at <= :before
        OR consent_end.at <= :before OR session_end.at <= :before
    WHEN grants.generation = 0 AND grants.code IS NOT NULL THEN
        grants.created_at + COALESCE(clients.authorization_code, :authorization_code) <= :before
    WHEN grants.offline = 0 THEN
        grants.rotated_at + COALESCE(clients.access_token, :access_token) <= :before
    ELSE
        grants.created_at + COALESCE(clients.refresh_token, :refresh_token) <= :before
        OR grants.used_at + CASE WHEN clients.client_id IS NULL THEN :refresh_token_idle
            ELSE clients.refresh_token_idle END <= :before
END
LIMIT :batch
"""

REMOVE_GRANT = """
DELETE FROM grants WHERE grant_id = :grant_id AND generation = :generation AND used_at = :used_at RETURNING grant_id
"""

DEAD_SESSIONS = f"""
SELECT sessions.session_id, sessions.used_at
{SESSIONS_AND_ENDS}WHERE CASE
    WHEN COALESCE(own_end.at, user_end.at) IS NOT NULL THEN own_end.at <= :before OR user_end.at <= :before
    ELSE sessions.created_at + :absolute <= :before OR sessions.used_at + :idle <= :before
END
LIMIT :batch
"""

REMOVE_SESSION = "DELETE FROM sessions WHERE session_id = :session_id AND used_at = :used_at RETURNING session_id"

REMOVE_REMEMBERED = """
DELETE FROM remembered WHERE (purpose, value) IN (
    SELECT purpose, value FROM remembered WHERE until <= :before LIMIT :batch
)
RETURNING until
"""

REMOVE_ATTEMPTS = """
DELETE FROM attempts WHERE bucket IN (SELECT bucket FROM attempts WHERE until <= :before LIMIT :batch) RETURNING until
"""

# They are few: no batch.
REMOVE_KEYS = "DELETE FROM signing_keys WHERE retired_at <= :before RETURNING kid"

# The end of a session stays as long as a grant could come alive again without it.
ORPHANED_ENDS = """
SELECT key, epoch FROM ends
WHERE kind = 'session' AND at <= :before
AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.session_id = ends.key)
AND NOT EXISTS (
    SELECT 1 FROM grants WHERE grants.session_id = ends.key AND grants.session_id <> '' AND grants.offline = 0
)
LIMIT :batch
"""

REMOVE_END = "DELETE FROM ends WHERE kind = 'session' AND key = :key AND epoch = :epoch RETURNING epoch"


async def dead_grants(transaction: Transaction, *, before: int, batch: int) -> list[Row]:
    """Find grants that ended or expired by then."""
    defaults = Lifetimes()
    return await transaction.run(
        DEAD_GRANTS,
        before=before,
        batch=batch,
        access_token=defaults.access_token,
        refresh_token=defaults.refresh_token,
        refresh_token_idle=defaults.refresh_token_idle,
        authorization_code=defaults.authorization_code,
    )


async def remove_grants(transaction: Transaction, dead: list[Row]) -> int:
    """Remove grants that are as they were found."""
    removed = 0
    for grant_id, generation, used_at in dead:
        removed += len(await transaction.run(REMOVE_GRANT, grant_id=grant_id, generation=generation, used_at=used_at))
    return removed


async def dead_sessions(transaction: Transaction, lifetimes: SessionLifetimes, *, before: int, batch: int) -> list[Row]:
    """Find sessions that ended or expired by then."""
    return await transaction.run(
        DEAD_SESSIONS, before=before, batch=batch, absolute=lifetimes.absolute, idle=lifetimes.idle
    )


async def remove_sessions(transaction: Transaction, dead: list[Row]) -> int:
    """Remove sessions that are as they were found."""
    removed = 0
    for session_id, used_at in dead:
        removed += len(await transaction.run(REMOVE_SESSION, session_id=session_id, used_at=used_at))
    return removed


async def orphaned_ends(transaction: Transaction, *, before: int, batch: int) -> list[Row]:
    """Find ends of sessions that nothing needs any more."""
    return await transaction.run(ORPHANED_ENDS, before=before, batch=batch)


async def remove_ends(transaction: Transaction, orphaned: list[Row]) -> int:
    """Remove ends of sessions."""
    removed = 0
    for key, epoch in orphaned:
        removed += len(await transaction.run(REMOVE_END, key=key, epoch=epoch))
    return removed


async def remove_forgotten(transaction: Transaction, *, before: int, batch: int) -> int:
    """Remove remembered values, attempts and signing keys whose time is over."""
    remembered = await transaction.run(REMOVE_REMEMBERED, before=before, batch=batch)
    attempts = await transaction.run(REMOVE_ATTEMPTS, before=before, batch=batch)
    keys = await transaction.run(REMOVE_KEYS, before=before)
    return len(remembered) + len(attempts) + len(keys)
