"""Grants, read with the end that has come upon them."""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.events import Event, grant_ended
from everbearer.oauth.models import Ended, Everything, Grant, consent_key
from everbearer.oauth.store import Spend
from everbearer.storage.memory.ends import end_of_grant
from everbearer.storage.memory.tables import Tables


async def create_grant(tables: Tables, grant: Grant, event: Event) -> None:
    """Keep a grant and its event, with the newest epochs where none are given."""
    authentication, consent = grant.authentication, consent_key(grant.subject, grant.client_id)
    user_epoch = _epoch(tables, authentication.user_epoch, Everything.USER, grant.subject)
    tables.grants[grant.grant_id] = replace(
        grant,
        authentication=replace(authentication, user_epoch=user_epoch),
        client_epoch=_epoch(tables, grant.client_epoch, Everything.CLIENT, grant.client_id),
        consent_epoch=_epoch(tables, grant.consent_epoch, Everything.CONSENT, consent),
        ended=None,
    )
    tables.events.append(event)


async def grant(tables: Tables, grant_id: str) -> Grant | None:
    """Read one grant."""
    found = tables.grants.get(grant_id)
    return found and replace(found, ended=end_of_grant(tables, found))


async def spend(tables: Tables, grant: Grant, *, expected: int) -> Spend:
    """Change a grant if it is live and of the expected generation."""
    stored = await _read(tables, grant.grant_id)
    if stored is None or stored.ended is not None:
        return Spend.ENDED
    if stored.generation != expected:
        return Spend.SUPERSEDED
    retries = stored.retries + (grant.retries > stored.retries)
    later = grant.late_generation > stored.late_generation
    tables.grants[grant.grant_id] = replace(
        stored,
        generation=grant.generation,
        rotated_at=grant.rotated_at,
        used_at=max(stored.used_at, grant.used_at),
        confirmed=max(stored.confirmed, grant.confirmed),
        retries=retries if grant.generation == expected else 0,
        late_generation=grant.late_generation if later else stored.late_generation,
        late_streak=grant.late_streak if later else stored.late_streak,
        idempotency_key=grant.idempotency_key,
        code=grant.code,
        history=grant.history,
    )
    return Spend.SPENT


async def confirm(tables: Tables, grant_id: str, generation: int) -> None:
    """Raise `confirmed`."""
    found = tables.grants.get(grant_id)
    if found is not None and found.generation == generation:
        tables.grants[grant_id] = replace(found, confirmed=max(found.confirmed, generation))


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
        replace(grant, ended=end_of_grant(tables, grant))
        for grant in tables.grants.values()
        if subject in {"", grant.subject}
        and client_id in {"", grant.client_id}
        and session_id in {"", grant.authentication.session_id}
    ]
    wanted = [grant for grant in found if grant.ended is None or not live_only]
    return sorted(wanted, key=lambda grant: (grant.created_at, grant.grant_id), reverse=True)[:limit]


_read = grant
"""The verb, where an argument has its name."""


def _epoch(tables: Tables, given: int | None, everything: Everything, key: str) -> int:
    return tables.epochs[everything, key] if given is None else given
