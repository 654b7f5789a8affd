"""The audit trail."""
# ruff: noqa: S608 - statements are put together from constants; values go in as parameters

from __future__ import annotations

import secrets
import time

from everbearer.oauth.events import Event
from everbearer.storage.sql.rows import event_columns, event_of
from everbearer.storage.sql.transaction import Transaction

_COLUMNS = "kind, at, actor, grant_id, client_id, subject, address, agent, details"

RECORD = f"""
INSERT INTO events (event_id, {_COLUMNS})
VALUES (:event_id, :kind, :at, :actor, :grant_id, :client_id, :subject, :address, :agent, :details)
"""

_MATCHING = """(:grant_id = '' OR grant_id = :grant_id) AND (:subject = '' OR subject = :subject)
  AND (:client_id = '' OR client_id = :client_id)
ORDER BY event_id DESC LIMIT :limit"""

# Each begins with the condition whose index finds the fewest rows.
EVENTS = f"SELECT {_COLUMNS} FROM events WHERE {_MATCHING}"
EVENTS_OF_GRANT = f"SELECT {_COLUMNS} FROM events WHERE grant_id = :grant_id AND grant_id <> '' AND {_MATCHING}"
EVENTS_OF_SUBJECT = f"SELECT {_COLUMNS} FROM events WHERE subject = :subject AND subject <> '' AND {_MATCHING}"
EVENTS_OF_CLIENT = f"SELECT {_COLUMNS} FROM events WHERE client_id = :client_id AND client_id <> '' AND {_MATCHING}"


async def record(transaction: Transaction, event: Event) -> None:
    """Add an event. Its id orders by the time of writing, as near as clocks do, and never meets another node's."""
    event_id = f"{time.time_ns():016x}{secrets.token_hex(4)}"
    await transaction.run(RECORD, event_id=event_id, **event_columns(event))


async def events(
    transaction: Transaction, *, grant_id: str = "", subject: str = "", client_id: str = "", limit: int = 100
) -> list[Event]:
    """Return events, newest first."""
    statement = (
        (EVENTS_OF_GRANT if grant_id else "")
        or (EVENTS_OF_SUBJECT if subject else "")
        or (EVENTS_OF_CLIENT if client_id else EVENTS)
    )
    rows = await transaction.run(statement, grant_id=grant_id, subject=subject, client_id=client_id, limit=limit)
    return [event_of(row) for row in rows]
