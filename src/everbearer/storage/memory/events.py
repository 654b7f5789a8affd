"""The audit trail."""

from __future__ import annotations

from everbearer.oauth.events import Event
from everbearer.storage.memory.tables import Tables


async def record(tables: Tables, event: Event) -> None:
    """Add an event."""
    tables.events.append(event)


async def events(
    tables: Tables, *, grant_id: str = "", subject: str = "", client_id: str = "", limit: int = 100
) -> list[Event]:
    """Read events, newest first."""
    return [
        event
        for event in reversed(tables.events)
        if grant_id in {"", event.grant_id} and subject in {"", event.subject} and client_id in {"", event.client_id}
    ][:limit]
