"""Who is to be told of the end of a session: noted as it signs in to clients, and kept until each has been told."""
# ruff: noqa: S608 - statements are put together from constants; values go in as parameters

from __future__ import annotations

from everbearer.oauth.events import Event
from everbearer.oauth.sessions.backchannel_logout import Logout
from everbearer.storage.sql.events import record
from everbearer.storage.sql.rows import client_of
from everbearer.storage.sql.transaction import Row, Transaction, Value

NOTE_CLIENT = """
INSERT INTO session_clients (session_id, client_id, subject, noted_at)
SELECT :session_id, :client_id, :subject, CAST(:noted_at AS BIGINT)
WHERE NOT EXISTS (SELECT 1 FROM ends WHERE kind = 'session' AND key = :session_id AND epoch = 1)
ON CONFLICT DO NOTHING
"""

CLIENTS_OF_SESSION = "SELECT client_id FROM session_clients WHERE session_id = :session_id ORDER BY client_id"

TOLD_OF_SESSION = """
SELECT session_clients.client_id, session_clients.subject, clients.metadata
FROM session_clients JOIN clients ON clients.client_id = session_clients.client_id
WHERE session_clients.session_id = :session_id
"""

# Grants that outlive their session end with their user, and whoever has one may still be signed in.
_OF_USER = """
SELECT session_id, client_id, subject FROM session_clients WHERE subject = :subject
UNION
SELECT session_id, client_id, subject FROM grants
WHERE subject = :subject AND offline = 1 AND session_id <> '' AND ended_at IS NULL AND user_epoch + 1 = :epoch
AND NOT EXISTS (
    SELECT 1 FROM ends WHERE kind = 'client' AND key = grants.client_id AND ends.epoch = grants.client_epoch + 1
)
AND NOT EXISTS (
    SELECT 1 FROM ends WHERE kind = 'consent' AND key = grants.subject || ' ' || grants.client_id
    AND ends.epoch = grants.consent_epoch + 1
)
"""

CLIENTS_OF_USER = f"""
SELECT client_id, metadata FROM clients WHERE client_id IN (SELECT client_id FROM ({_OF_USER}) AS of_user)
"""

FORGET_SESSION = "DELETE FROM session_clients WHERE session_id = :session_id"
FORGET_SUBJECT = "DELETE FROM session_clients WHERE subject = :subject"

_COLUMNS = "session_id, client_id, subject, ended_at, attempts, due_at, problem"

# One that waits already, or was given up, begins anew: something else has ended since.
ADD_LOGOUT = f"""
INSERT INTO logouts ({_COLUMNS})
VALUES (:session_id, :client_id, :subject, :ended_at, :attempts, :due_at, :problem)
ON CONFLICT (session_id, client_id) DO UPDATE SET
    ended_at = :ended_at, attempts = :attempts, due_at = :due_at, problem = :problem
"""

# The same for all sessions of a user in one client: there may be thousands.
ADD_LOGOUTS_OF_USER = f"""
INSERT INTO logouts ({_COLUMNS})
SELECT session_id, client_id, subject, CAST(:at AS BIGINT), 0, CAST(:at AS BIGINT), '' FROM ({_OF_USER}) AS of_user
WHERE client_id = :client_id
ON CONFLICT (session_id, client_id) DO UPDATE SET
    ended_at = excluded.ended_at, attempts = 0, due_at = excluded.due_at, problem = ''
"""

ANY_DUE = "SELECT 1 FROM logouts WHERE due_at <= :now LIMIT 1"

# Of several that take at once each gets others: who comes second finds that they are not due any more.
TAKE_LOGOUTS = f"""
UPDATE logouts SET attempts = attempts + 1, due_at = :until
WHERE (session_id, client_id) IN (
    SELECT session_id, client_id FROM logouts WHERE due_at <= :now ORDER BY due_at, session_id, client_id LIMIT :limit
) AND due_at <= :now
RETURNING {_COLUMNS}
"""

_AS_TAKEN = "session_id = :session_id AND client_id = :client_id AND attempts = :attempts AND due_at = :due_at"
REMOVE_LOGOUT = f"DELETE FROM logouts WHERE {_AS_TAKEN} RETURNING client_id"
POSTPONE_LOGOUT = f"UPDATE logouts SET due_at = :again_at, problem = :problem WHERE {_AS_TAKEN} RETURNING client_id"

LOGOUTS = f"""
SELECT {_COLUMNS} FROM logouts
WHERE (:client_id = '' OR client_id = :client_id) AND (:given_up_only = 0 OR due_at IS NULL)
ORDER BY ended_at DESC, session_id DESC, client_id DESC LIMIT :limit
"""

RETRY_LOGOUTS = """
UPDATE logouts SET attempts = 0, due_at = :now
WHERE due_at IS NULL AND (:client_id = '' OR client_id = :client_id)
RETURNING client_id
"""


async def note_client(transaction: Transaction, session_id: str, client_id: str, *, subject: str, at: int) -> None:
    """Note a client, unless that is done or the session has ended."""
    await transaction.run(NOTE_CLIENT, session_id=session_id, client_id=client_id, subject=subject, noted_at=at)


async def clients_of_session(transaction: Transaction, session_id: str) -> list[str]:
    """Read the clients that were noted."""
    return [client_id for (client_id,) in await transaction.run(CLIENTS_OF_SESSION, session_id=session_id)]


async def session_ended(transaction: Transaction, session_id: str, at: int) -> None:
    """Let the clients of a session be told that it has ended."""
    for client_id, subject, metadata in await transaction.run(TOLD_OF_SESSION, session_id=session_id):
        if _wants_to_be_told(metadata):
            logout = Logout(session_id=session_id, client_id=client_id, subject=subject, ended_at=at, due_at=at)
            await transaction.run(ADD_LOGOUT, **_columns_of(logout))
    await transaction.run(FORGET_SESSION, session_id=session_id)


async def user_ended(transaction: Transaction, subject: str, epoch: int, at: int) -> None:
    """Let the clients of a user be told that all has ended that was of the epoch before this one."""
    ended: dict[str, Value] = {"subject": subject, "epoch": epoch}
    for client_id, metadata in await transaction.run(CLIENTS_OF_USER, **ended):
        if _wants_to_be_told(metadata):
            await transaction.run(ADD_LOGOUTS_OF_USER, client_id=client_id, at=at, **ended)
    await transaction.run(FORGET_SUBJECT, subject=subject)


def _wants_to_be_told(metadata: Value) -> bool:
    return bool(client_of((metadata, 0, 0)).backchannel_logout_uri)


async def any_due(transaction: Transaction, *, now: int) -> bool:
    """Look whether there is anything to take."""
    return bool(await transaction.run(ANY_DUE, now=now))


async def take_logouts(transaction: Transaction, *, now: int, until: int, limit: int) -> list[Logout]:
    """Take what is due, and count the attempt."""
    return [_logout_of(row) for row in await transaction.run(TAKE_LOGOUTS, now=now, until=until, limit=limit)]


async def settle_logout(transaction: Transaction, taken: Logout, event: Event, *, again: Logout | None) -> bool:
    """Remove or postpone what is still as it was taken."""
    columns = _columns_of(taken)
    as_taken = {name: columns[name] for name in ("session_id", "client_id", "attempts", "due_at")}
    if again is None:
        settled = await transaction.run(REMOVE_LOGOUT, **as_taken)
    else:
        settled = await transaction.run(POSTPONE_LOGOUT, again_at=again.due_at, problem=again.problem, **as_taken)
    if settled:
        await record(transaction, event)
    return bool(settled)


async def logouts(
    transaction: Transaction, *, client_id: str = "", given_up_only: bool = False, limit: int = 100
) -> list[Logout]:
    """Read logouts, newest first."""
    rows = await transaction.run(LOGOUTS, client_id=client_id, given_up_only=int(given_up_only), limit=limit)
    return [_logout_of(row) for row in rows]


async def retry_logouts(transaction: Transaction, *, client_id: str = "", now: int) -> int:
    """Make due what was given up."""
    return len(await transaction.run(RETRY_LOGOUTS, client_id=client_id, now=now))


def _columns_of(logout: Logout) -> dict[str, Value]:
    return {
        "session_id": logout.session_id,
        "client_id": logout.client_id,
        "subject": logout.subject,
        "ended_at": logout.ended_at,
        "attempts": logout.attempts,
        "due_at": logout.due_at,
        "problem": logout.problem,
    }


def _logout_of(row: Row) -> Logout:
    session_id, client_id, subject, ended_at, attempts, due_at, problem = row
    return Logout(
        session_id=session_id,
        client_id=client_id,
        subject=subject,
        ended_at=ended_at,
        attempts=attempts,
        due_at=due_at,
        problem=problem,
    )
