"""Grants: one row each for ever, read with the end that has come upon it, changed by one statement."""
# ruff: noqa: S608 - statements are put together from constants; values go in as parameters

from __future__ import annotations

from everbearer.oauth.events import Event, grant_ended
from everbearer.oauth.models import Ended, Grant, consent_key
from everbearer.oauth.store import Spend
from everbearer.storage.sql.clients import note_client_use
from everbearer.storage.sql.events import record
from everbearer.storage.sql.logouts import note_client
from everbearer.storage.sql.rows import GRANT_COLUMNS, changing_columns, grant_columns, grant_of
from everbearer.storage.sql.transaction import Transaction

CREATE_GRANT = """
INSERT INTO grants (
    grant_id, client_id, subject, scope, secret, offline, auth_time, amr, acr, session_id,
    user_epoch, client_epoch, consent_epoch,
    created_at, rotated_at, used_at, generation, confirmed, retries, late_generation, late_streak, idempotency_key,
    code, history, claims, resources
)
VALUES (
    :grant_id, :client_id, :subject, :scope, :secret, :offline, :auth_time, :amr, :acr, :session_id,
    COALESCE(:user_epoch, (SELECT MAX(epoch) FROM ends WHERE kind = 'user' AND key = :subject), 0),
    COALESCE(:client_epoch, (SELECT MAX(epoch) FROM ends WHERE kind = 'client' AND key = :client_id), 0),
    COALESCE(:consent_epoch, (SELECT MAX(epoch) FROM ends WHERE kind = 'consent' AND key = :consent_key), 0),
    :created_at, :rotated_at, :used_at, :generation, :confirmed, :retries, :late_generation, :late_streak,
    :idempotency_key, :code, :history, :claims, :resources
)
"""

# Which row of `ends` has come upon a grant, each found by its primary key.
_BY_USER = "user_end.kind = 'user' AND user_end.key = grants.subject AND user_end.epoch = grants.user_epoch + 1"
_BY_CLIENT = (
    "client_end.kind = 'client' AND client_end.key = grants.client_id AND client_end.epoch = grants.client_epoch + 1"
)
_BY_CONSENT = """consent_end.kind = 'consent' AND consent_end.key = grants.subject || ' ' || grants.client_id
    AND consent_end.epoch = grants.consent_epoch + 1"""
# A session has no epochs, it ends once; grants with refresh tokens outlive it.
_BY_SESSION = """session_end.kind = 'session' AND session_end.key = grants.session_id AND session_end.epoch = 1
    AND grants.offline = 0 AND grants.session_id <> ''"""

GRANTS_AND_ENDS = f"""
FROM grants
LEFT JOIN ends AS user_end ON {_BY_USER}
LEFT JOIN ends AS client_end ON {_BY_CLIENT}
LEFT JOIN ends AS consent_end ON {_BY_CONSENT}
LEFT JOIN ends AS session_end ON {_BY_SESSION}
"""

_LIVE = f"""grants.ended_at IS NULL
AND NOT EXISTS (SELECT 1 FROM ends AS user_end WHERE {_BY_USER})
AND NOT EXISTS (SELECT 1 FROM ends AS client_end WHERE {_BY_CLIENT})
AND NOT EXISTS (SELECT 1 FROM ends AS consent_end WHERE {_BY_CONSENT})
AND NOT EXISTS (SELECT 1 FROM ends AS session_end WHERE {_BY_SESSION})
"""

_SELECT = f"""
SELECT {GRANT_COLUMNS},
    grants.end_reason, grants.ended_by, grants.ended_at,
    user_end.reason, user_end.actor, user_end.at,
    client_end.reason, client_end.actor, client_end.at,
    consent_end.reason, consent_end.actor, consent_end.at,
    session_end.reason, session_end.actor, session_end.at
{GRANTS_AND_ENDS}"""

GRANT = f"{_SELECT}WHERE grants.grant_id = :grant_id"

_MATCHING = f"""(:subject = '' OR grants.subject = :subject)
AND (:client_id = '' OR grants.client_id = :client_id)
AND (:session_id = '' OR grants.session_id = :session_id)
AND (:live_only = 0 OR {_LIVE})
ORDER BY grants.created_at DESC, grants.grant_id DESC LIMIT :limit
"""

# Each begins with the condition whose index finds the fewest rows.
GRANTS = f"{_SELECT}WHERE {_MATCHING}"
GRANTS_OF_SESSION = f"{_SELECT}WHERE grants.session_id = :session_id AND grants.session_id <> '' AND {_MATCHING}"
GRANTS_OF_SUBJECT = f"{_SELECT}WHERE grants.subject = :subject AND {_MATCHING}"
GRANTS_OF_CLIENT = f"{_SELECT}WHERE grants.client_id = :client_id AND {_MATCHING}"

# The moment a token is spent. The same conditions that tell a live grant when it is read stand here once more, so
# that a refresh in flight never brings back what has ended since.
SPEND = f"""
UPDATE grants SET
    generation = :generation,
    rotated_at = :rotated_at,
    used_at = CASE WHEN :used_at > grants.used_at THEN :used_at ELSE grants.used_at END,
    confirmed = CASE WHEN :confirmed > grants.confirmed THEN :confirmed ELSE grants.confirmed END,
    retries = CASE WHEN grants.generation <> :generation THEN 0
        WHEN :retries > grants.retries THEN grants.retries + 1 ELSE grants.retries END,
    late_generation = CASE WHEN :late_generation > grants.late_generation THEN :late_generation
        ELSE grants.late_generation END,
    late_streak = CASE WHEN :late_generation > grants.late_generation THEN :late_streak ELSE grants.late_streak END,
    idempotency_key = :idempotency_key,
    code = :code,
    history = :history
WHERE grant_id = :grant_id AND generation = :expected AND {_LIVE}RETURNING grant_id
"""

LIVES = f"SELECT grant_id FROM grants WHERE grant_id = :grant_id AND {_LIVE}"

CONFIRM = """
UPDATE grants SET confirmed = :generation
WHERE grant_id = :grant_id AND generation = :generation AND confirmed < :generation
"""

END_GRANT = f"""
UPDATE grants SET ended_at = :at, end_reason = :reason, ended_by = :actor
WHERE grant_id = :grant_id AND {_LIVE}RETURNING client_id, subject
"""


async def create_grant(transaction: Transaction, grant: Grant, event: Event) -> None:
    """Insert a grant and its event, and note its client as one of its session."""
    key, session_id = consent_key(grant.subject, grant.client_id), grant.authentication.session_id
    await transaction.run(CREATE_GRANT, consent_key=key, **grant_columns(grant))
    await note_client_use(transaction, grant.client_id, grant.created_at)
    if session_id:
        await note_client(transaction, session_id, grant.client_id, subject=grant.subject, at=grant.created_at)
    await record(transaction, event)


async def grant(transaction: Transaction, grant_id: str) -> Grant | None:
    """Read one grant."""
    rows = await transaction.run(GRANT, grant_id=grant_id)
    return grant_of(rows[0]) if rows else None


async def spend(transaction: Transaction, grant: Grant, *, expected: int) -> Spend:
    """Change the row if it is live and of the expected generation; otherwise find out why it was not."""
    if await transaction.run(SPEND, expected=expected, **changing_columns(grant)):
        return Spend.SPENT
    lives = await transaction.run(LIVES, grant_id=grant.grant_id)
    return Spend.SUPERSEDED if lives else Spend.ENDED


async def confirm(transaction: Transaction, grant_id: str, generation: int) -> None:
    """Raise `confirmed`."""
    await transaction.run(CONFIRM, grant_id=grant_id, generation=generation)


async def end_grant(transaction: Transaction, grant_id: str, ended: Ended) -> bool:
    """End a live grant and record it."""
    rows = await transaction.run(
        END_GRANT, grant_id=grant_id, reason=ended.reason.value, actor=ended.actor, at=ended.at
    )
    for client_id, subject in rows:
        await record(transaction, grant_ended(grant_id, client_id, subject, ended))
    return bool(rows)


async def grants(
    transaction: Transaction,
    *,
    subject: str = "",
    client_id: str = "",
    session_id: str = "",
    live_only: bool = False,
    limit: int = 100,
) -> list[Grant]:
    """Read grants, newest first."""
    statement = (
        (GRANTS_OF_SESSION if session_id else "")
        or (GRANTS_OF_SUBJECT if subject else "")
        or (GRANTS_OF_CLIENT if client_id else GRANTS)
    )
    rows = await transaction.run(
        statement, subject=subject, client_id=client_id, session_id=session_id, live_only=int(live_only), limit=limit
    )
    return [grant_of(row) for row in rows]
