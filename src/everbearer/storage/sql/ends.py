"""The ends of everything of a user, client, consent or session: one row each, and the epochs they count."""

from __future__ import annotations

from everbearer.oauth.events import all_ended
from everbearer.oauth.models import Ended, Everything
from everbearer.storage.sql.events import record
from everbearer.storage.sql.logouts import session_ended, user_ended
from everbearer.storage.sql.transaction import Transaction

END_ALL = """
INSERT INTO ends (kind, key, epoch, reason, actor, at)
VALUES (
    :kind, :key, COALESCE((SELECT MAX(epoch) FROM ends WHERE kind = :kind AND key = :key), 0) + 1,
    :reason, :actor, :at
)
ON CONFLICT DO NOTHING
RETURNING epoch
"""

SESSION_SUBJECT = "SELECT subject FROM sessions WHERE session_id = :session_id"


async def end_all(transaction: Transaction, everything: Everything, key: str, ended: Ended) -> None:
    """End everything of a key, record it, and let those be told whom it concerns."""
    end = {"kind": everything.value, "key": key, "reason": ended.reason.value, "actor": ended.actor, "at": ended.at}
    # No row comes back where another node took the same epoch in between: then this end is the next one.
    while not (begun := await transaction.run(END_ALL, **end)):
        pass
    if everything is Everything.SESSION:
        await session_ended(transaction, key, ended.at)
    elif everything is Everything.USER:
        await user_ended(transaction, key, begun[0][0], ended.at)
    owners = await transaction.run(SESSION_SUBJECT, session_id=key) if everything is Everything.SESSION else []
    await record(transaction, all_ended(everything, key, ended, subject=owners[0][0] if owners else ""))
