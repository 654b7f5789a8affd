"""Clients, and the web origins of their redirect URIs."""

from __future__ import annotations

from everbearer.oauth.client import Client
from everbearer.oauth.events import Event
from everbearer.oauth.models import Ended, Everything
from everbearer.storage.origins import web_origins
from everbearer.storage.sql.ends import end_all
from everbearer.storage.sql.events import record
from everbearer.storage.sql.rows import client_columns, client_of
from everbearer.storage.sql.transaction import Transaction

CLIENTS = """
SELECT metadata, COALESCE((SELECT MAX(epoch) FROM ends WHERE kind = 'client' AND key = clients.client_id), 0)
FROM clients ORDER BY client_id
"""

CLIENT = """
SELECT metadata, COALESCE((SELECT MAX(epoch) FROM ends WHERE kind = 'client' AND key = clients.client_id), 0)
FROM clients WHERE client_id = :client_id
"""

PUT_CLIENT = """
INSERT INTO clients (client_id, metadata, access_token, refresh_token, refresh_token_idle, authorization_code)
VALUES (:client_id, :metadata, :access_token, :refresh_token, :refresh_token_idle, :authorization_code)
ON CONFLICT (client_id) DO UPDATE SET
    metadata = :metadata, access_token = :access_token, refresh_token = :refresh_token,
    refresh_token_idle = :refresh_token_idle, authorization_code = :authorization_code
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
    await transaction.run(DELETE_ORIGINS, client_id=client_id)
    await transaction.run(DELETE_CONSENTS, client_id=client_id)
    await record(transaction, event)
    await end_all(transaction, Everything.CLIENT, client_id, ends)
    return True


async def allows_origin(transaction: Transaction, origin: str) -> bool:
    """Look an origin up."""
    return bool(await transaction.run(ALLOWS_ORIGIN, origin=origin))
