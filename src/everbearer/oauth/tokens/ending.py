"""The end of a grant by the protocol: kept by the store, then told to who listens."""

from __future__ import annotations

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.events import grant_ended
from everbearer.oauth.models import Ended, Grant


async def end_grant(grant: Grant, ended: Ended, server: AuthorizationServer) -> None:
    """End a grant, once: where it had ended before, the first reason stays and nobody is told."""
    await end_grant_of(grant.grant_id, ended, server, client_id=grant.client_id, subject=grant.subject)


async def end_grant_of(
    grant_id: str, ended: Ended, server: AuthorizationServer, *, client_id: str, subject: str = ""
) -> None:
    """End the grant of an id, once, as `end_grant` does."""
    if await server.store.end_grant(grant_id, ended):
        server.tell(grant_ended(grant_id, client_id, subject, ended))
