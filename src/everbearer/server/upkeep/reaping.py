"""The removal of clients that registered themselves and that nobody uses."""

from __future__ import annotations

import asyncio

from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import DAY, Ended, EndReason
from everbearer.storage.store import AdminStore

ACTOR = "server"
BATCH = 100
LOOKED_AT_EVERY = DAY
"""Seconds in which the live grants of a client are looked at once: to within so long it is known since when it is
unused, and it is never removed earlier than it should be."""
REST = 0.05
"""Seconds for which others have the store to themselves."""


async def reap_clients(store: AdminStore, *, now: int, unused_after: int) -> int:
    """Remove the clients of which no grant has lived for so long, and return how many."""
    reaped, after = 0, ""
    ends = Ended(reason=EndReason.CLIENT_DELETED, actor=ACTOR, at=now)
    while found := await store.idle_clients(before=now - LOOKED_AT_EVERY, after=after, limit=BATCH):
        for client_id in found:
            event = Event(
                kind=EventKind.CLIENT_DELETED, at=now, actor=ACTOR, client_id=client_id, details={"reason": "unused"}
            )
            reaped += await store.reap_client(client_id, event, ends, unused_for=unused_after + LOOKED_AT_EVERY)
        after = found[-1]
        await asyncio.sleep(REST)
    return reaped
