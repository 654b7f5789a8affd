"""Sessions that have expired and that clients are to be told of, looked for window by window as a purge does."""
# ruff: noqa: S608 - statements are put together from constants; values go in as parameters

from __future__ import annotations

from everbearer.login.models import SessionLifetimes
from everbearer.storage.sql.purge import SESSIONS_OF_WINDOW, WINDOW
from everbearer.storage.sql.transaction import Transaction
from everbearer.storage.store import ExpiredSessions

EXPIRED_SESSIONS = f"""
SELECT sessions.session_id, CASE
    WHEN own_end.at IS NULL AND user_end.at IS NULL
    AND (sessions.created_at + :absolute <= :at OR sessions.used_at + :idle <= :at)
    AND EXISTS (SELECT 1 FROM session_clients WHERE session_clients.session_id = sessions.session_id)
    THEN 1 ELSE 0
END
{SESSIONS_OF_WINDOW}ORDER BY sessions.session_id
"""


async def expired_sessions(
    transaction: Transaction, *, at: int, after: str, lifetimes: SessionLifetimes
) -> ExpiredSessions:
    """Look at one window."""
    values = {"at": at, "absolute": lifetimes.absolute, "idle": lifetimes.idle}
    rows = await transaction.run(EXPIRED_SESSIONS, session_id=after, **values)
    found = tuple(session_id for session_id, expired in rows if expired)
    return ExpiredSessions(session_ids=found, last=rows[-1][0] if len(rows) == WINDOW else "")
