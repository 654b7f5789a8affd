"""Browser sessions."""

from __future__ import annotations

from everbearer.login.models import Session
from everbearer.oauth.events import Event
from everbearer.storage.sql.events import record
from everbearer.storage.sql.rows import session_columns, session_of
from everbearer.storage.sql.transaction import Transaction

CREATE_SESSION = """
INSERT INTO sessions (
    session_id, secret, subject, user_epoch, auth_time, amr, flow, created_at, used_at, address, agent
)
VALUES (
    :session_id, :secret, :subject, :user_epoch, :auth_time, :amr, :flow, :created_at, :used_at, :address, :agent
)
"""

RENEW_SESSION = """
UPDATE sessions SET
    secret = :secret, user_epoch = :user_epoch, auth_time = :auth_time, amr = :amr, flow = :flow,
    created_at = :created_at, used_at = :used_at, address = :address, agent = :agent
WHERE session_id = :session_id AND subject = :subject AND secret = :was_secret
AND NOT EXISTS (SELECT 1 FROM ends WHERE kind = 'session' AND key = sessions.session_id AND epoch = 1)
AND NOT EXISTS (SELECT 1 FROM ends WHERE kind = 'user' AND key = sessions.subject AND epoch = sessions.user_epoch + 1)
RETURNING session_id
"""

SESSIONS_AND_ENDS = """
FROM sessions
LEFT JOIN ends AS own_end
    ON own_end.kind = 'session' AND own_end.key = sessions.session_id AND own_end.epoch = 1
LEFT JOIN ends AS user_end
    ON user_end.kind = 'user' AND user_end.key = sessions.subject AND user_end.epoch = sessions.user_epoch + 1
"""

_SELECT = f"""
SELECT sessions.session_id, sessions.secret, sessions.subject, sessions.user_epoch, sessions.auth_time, sessions.amr,
    sessions.flow, sessions.created_at, sessions.used_at, sessions.address, sessions.agent,
    own_end.reason, own_end.actor, own_end.at,
    user_end.reason, user_end.actor, user_end.at
{SESSIONS_AND_ENDS}"""

SESSION = f"{_SELECT}WHERE sessions.session_id = :session_id"

SESSIONS_OF = f"""{_SELECT}WHERE sessions.subject = :subject AND own_end.at IS NULL AND user_end.at IS NULL
ORDER BY sessions.used_at DESC, sessions.session_id DESC
"""

TOUCH_SESSION = "UPDATE sessions SET used_at = :used_at WHERE session_id = :session_id AND used_at < :used_at"


async def create_session(transaction: Transaction, session: Session, event: Event) -> None:
    """Insert a session and its event."""
    await transaction.run(CREATE_SESSION, **session_columns(session))
    await record(transaction, event)


async def renew_session(transaction: Transaction, session: Session, event: Event, *, was: Session) -> bool:
    """Replace a live session's columns by compare-and-swap."""
    before = session_columns(was)["secret"]
    if not await transaction.run(RENEW_SESSION, was_secret=before, **session_columns(session)):
        return False
    await record(transaction, event)
    return True


async def session(transaction: Transaction, session_id: str) -> Session | None:
    """Read one session."""
    rows = await transaction.run(SESSION, session_id=session_id)
    return session_of(rows[0]) if rows else None


async def touch_session(transaction: Transaction, session_id: str, used_at: int) -> None:
    """Raise `used_at`."""
    await transaction.run(TOUCH_SESSION, session_id=session_id, used_at=used_at)


async def sessions_of(transaction: Transaction, subject: str) -> list[Session]:
    """Read a user's live sessions."""
    return [session_of(row) for row in await transaction.run(SESSIONS_OF, subject=subject)]
