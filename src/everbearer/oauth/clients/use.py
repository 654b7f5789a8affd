"""The use of clients that registered themselves, noted where no grant tells of it: unused ones are removed."""

from __future__ import annotations

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.models import DAY


async def note_use(client: Client, server: AuthorizationServer) -> None:
    """Note that a client is in use, once a day, if it registered itself."""
    if client.used_at is not None and server.now() - client.used_at >= DAY:
        await server.note_client_use(client.client_id, server.now())
