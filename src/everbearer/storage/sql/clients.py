"""Clients, and the web origins of their redirect URIs."""
# ruff: noqa: S608 - statements are put together from constants; values go in as parameters

from __future__ import annotations

from everbearer.oauth.client import Client
from everbearer.oauth.events import Event
from everbearer.oauth.models import Ended, Everything
from everbearer.storage.clients import USE_NOTED_EVERY
from everbearer.storage.origins import web_origins
from everbearer.storage.sql.ends import end_all
from everbearer.storage.sql.events import record
from everbearer.storage.sql.rows import client_columns, client_of
from everbearer.storage.sql.transaction import Transaction

CLIENT_COLUMNS = """
metadata, COALESCE((SELECT MAX(epoch) FROM ends WHERE kind = 'client' AND key = clients.client_id), 0), used_at
"""
CLIENTS = f"SELECT {CLIENT_COLUMNS} FROM clients ORDER BY client_id"
CLIENT = f"SELECT {CLIENT_COLUMNS} FROM clients WHERE client_id = :client_id"

PUT_CLIENT = """
INSERT INTO clients (
    client_id, metadata, access_token, refresh_token, refresh_token_idle, authorization_code, used_at
)
VALUES (:client_id, :metadata, :access_token, :refresh_token, :refresh_token_idle, :authorization_code, :used_at)
ON CONFLICT (client_id) DO UPDATE SET
    metadata = :metadata, access_token = :access_token, refresh_token = :refresh_token,
    refresh_token_idle = :refresh_token_idle, authorization_code = :authorization_code,
    used_at = CASE WHEN CAST(:used_at AS BIGINT) IS NULL THEN NULL ELSE COALESCE(clients.used_at, :used_at) END
"""

NOTE_USE = f"""
UPDATE clients SET used_at = :at
WHERE client_id = :client_id AND used_at <= CAST(:at AS BIGINT) - {USE_NOTED_EVERY}
"""

DELETE_CLIENT = "DELETE FROM clients WHERE client_id = :client_id RETURNING client_id"
DELETE_ORIGINS = "DELETE FROM client_origins WHERE client_id = :client_id"
DELETE_CONSENTS = "DELETE FROM consents WHERE client_id = :client_id"
ADD_ORIGIN = "INSERT INTO client_origins (origin, client_id) VALUES (:origin, :client_id)"
ALLOWS_ORIGIN = "SELECT origin FROM client_origins WHERE origin = :origin LIMIT 1"


async def client(transaction: Transaction, client_id: str) -> Client | None:
    """Read one client."""
    rows = await transaction.run(CLIENT, client_id=client_id)
    return client_of(rows[0]) if rows else None


async def clients(transaction: Transaction) -> list[Client]:
    """Read all clients."""
    return [client_of(row) for row in await transaction.run(CLIENTS)]


async def put_client(transaction: Transaction, client: Client, event: Event, *, ends: Ended | None = None) -> None:
    """Insert or replace a client with its origins."""
    client_id = client.client_id
    await transaction.run(PUT_CLIENT, **client_columns(client))
    await transaction.run(DELETE_ORIGINS, client_id=client_id)
    for origin in sorted(web_origins(client)):
        await transaction.run(ADD_ORIGIN, origin=origin, client_id=client_id)
    await record(transaction, event)
    if ends is not None:
        await end_all(transaction, Everything.CLIENT, client_id, ends)


async def delete_client(transaction: Transaction, client_id: str, event: Event, ends: Ended) -> bool:
    """Delete a client with its origins and consents: another one of its id must not inherit what users allowed it."""
    if not await transaction.run(DELETE_CLIENT, client_id=client_id):
        return False
    await forget_client(transaction, client_id, event, ends)
    return True


async def forget_client(transaction: Transaction, client_id: str, event: Event, ends: Ended) -> None:
    """Remove what is left of a client whose row is gone, and end its grants."""
    await transaction.run(DELETE_ORIGINS, client_id=client_id)
    await transaction.run(DELETE_CONSENTS, client_id=client_id)
    await record(transaction, event)
    await end_all(transaction, Everything.CLIENT, client_id, ends)


async def note_client_use(transaction: Transaction, client_id: str, at: int) -> None:
    """Raise `used_at`, where that is not known of this hour."""
    await transaction.run(NOTE_USE, client_id=client_id, at=at)


async def allows_origin(transaction: Transaction, origin: str) -> bool:
    """Look an origin up."""
    return bool(await transaction.run(ALLOWS_ORIGIN, origin=origin))
