"""The end of browser sessions that have expired, so that applications learn of it as of a sign-out."""

from __future__ import annotations

import asyncio

from everbearer.oauth.models import MINUTE, Ended, EndReason, Everything
from everbearer.storage.store import AdminStore

ACTOR = "server"
GRACE = 5 * MINUTE
"""Seconds after which nobody is any more about to note the use of a session that has expired."""
REST = 0.05
"""Seconds for which others have the store to themselves."""


async def end_expired_sessions(store: AdminStore, *, now: int) -> int:
    """End the sessions that have expired and have signed in to applications, and return how many."""
    ended, after, more = 0, "", True
    while more:
        found = await store.expired_sessions(at=now - GRACE, after=after)
        for session_id in found.session_ids:
            end = Ended(reason=EndReason.SESSION_EXPIRED, actor=ACTOR, at=now)
            await store.end_all(Everything.SESSION, session_id, end)
            ended += 1
        after, more = found.last, bool(found.last)
        await asyncio.sleep(REST)
    return ended
