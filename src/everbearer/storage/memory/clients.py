"""Clients."""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.client import Client
from everbearer.oauth.events import Event
from everbearer.oauth.models import Ended, Everything
from everbearer.storage.clients import USE_NOTED_EVERY, used_at_first
from everbearer.storage.memory.ends import end_all
from everbearer.storage.memory.tables import Tables
from everbearer.storage.origins import web_origins


async def client(tables: Tables, client_id: str) -> Client | None:
    """Read one client."""
    found = tables.clients.get(client_id)
    epoch, used_at = tables.epochs[Everything.CLIENT, client_id], tables.used_at.get(client_id)
    if found is None or (found.epoch, found.used_at) == (epoch, used_at):
        return found
    return replace(found, epoch=epoch, used_at=used_at)


async def clients(tables: Tables) -> list[Client]:
    """Read all clients by id."""
    found = [await client(tables, client_id) for client_id in sorted(tables.clients)]
    return [each for each in found if each is not None]


async def allows_origin(tables: Tables, origin: str) -> bool:
    """Look for a client of this origin."""
    return any(origin in web_origins(client) for client in tables.clients.values())


async def put_client(tables: Tables, client: Client, event: Event, *, ends: Ended | None = None) -> None:
    """Keep a client in the place of what it was."""
    tables.clients[client.client_id] = replace(client, epoch=0, used_at=None)
    used_at = used_at_first(client)
    if used_at is None:
        tables.used_at.pop(client.client_id, None)
    else:
        tables.used_at.setdefault(client.client_id, used_at)
    tables.events.append(event)
    if ends is not None:
        await end_all(tables, Everything.CLIENT, client.client_id, ends)


async def delete_client(tables: Tables, client_id: str, event: Event, ends: Ended) -> bool:
    """Delete a client with its consents."""
    if tables.clients.pop(client_id, None) is None:
        return False
    tables.used_at.pop(client_id, None)
    tables.consents = {key: consent for key, consent in tables.consents.items() if consent.client_id != client_id}
    tables.events.append(event)
    await end_all(tables, Everything.CLIENT, client_id, ends)
    return True


async def note_client_use(tables: Tables, client_id: str, at: int) -> None:
    """Raise `used_at`, where that is not known of this hour."""
    if tables.used_at.get(client_id, at) <= at - USE_NOTED_EVERY:
        tables.used_at[client_id] = at
