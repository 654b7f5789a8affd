"""Grants, read with the end that has come upon them."""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.events import Event, grant_ended
from everbearer.oauth.models import Ended, Grant
from everbearer.oauth.store import Spend
from everbearer.oauth.store_rules import born, confirmed, spent, with_end
from everbearer.storage.memory.clients import note_client_use
from everbearer.storage.memory.ends import ends_upon
from everbearer.storage.memory.logouts import note_client
from everbearer.storage.memory.tables import Tables


async def create_grant(tables: Tables, grant: Grant, event: Event) -> None:
    """Keep a grant and its event, with the newest epochs where none are given, and note its client."""
    tables.grants[grant.grant_id] = born(grant, lambda everything, key: tables.epochs[everything, key])
    await note_client_use(tables, grant.client_id, grant.created_at)
    if session_id := grant.authentication.session_id:
        await note_client(tables, session_id, grant.client_id, subject=grant.subject, at=grant.created_at)
    tables.events.append(event)


async def grant(tables: Tables, grant_id: str) -> Grant | None:
    """Read one grant."""
    found = tables.grants.get(grant_id)
    return found and with_end(found, ends_upon(tables, found))


async def spend(tables: Tables, grant: Grant, *, expected: int) -> Spend:
    """Change a grant if it is live and of the expected generation."""
    after = spent(await _read(tables, grant.grant_id), grant, expected=expected)
    if isinstance(after, Spend):
        return after
    tables.grants[grant.grant_id] = after
    return Spend.SPENT


async def confirm(tables: Tables, grant_id: str, generation: int) -> None:
    """Raise `confirmed`."""
    after = confirmed(tables.grants.get(grant_id), generation)
    if after is not None:
        tables.grants[grant_id] = after


async def end_grant(tables: Tables, grant_id: str, ended: Ended) -> bool:
    """End a live grant and record it."""
    found = await _read(tables, grant_id)
    if found is None or found.ended is not None:
        return False
    tables.grants[grant_id] = replace(found, ended=ended)
    tables.events.append(grant_ended(grant_id, found.client_id, found.subject, ended))
    return True


async def grants(
    tables: Tables,
    *,
    subject: str = "",
    client_id: str = "",
    session_id: str = "",
    live_only: bool = False,
    limit: int = 100,
) -> list[Grant]:
    """Read grants, newest first."""
    found = [
        with_end(grant, ends_upon(tables, grant))
        for grant in tables.grants.values()
        if subject in {"", grant.subject}
        and client_id in {"", grant.client_id}
        and session_id in {"", grant.authentication.session_id}
    ]
    wanted = [grant for grant in found if grant.ended is None or not live_only]
    return sorted(wanted, key=lambda grant: (grant.created_at, grant.grant_id), reverse=True)[:limit]


_read = grant
"""The verb, where an argument has its name."""
