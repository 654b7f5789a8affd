"""What became of an access token: whether it has expired, and how its grant or its client's leave has ended."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.lifetimes import end_of
from everbearer.oauth.models import Ended, EndReason, Grant
from everbearer.oauth.tokens.access_tokens import AccessToken, proof_of

REVOKED = "revoked access token"
"""The purpose under which ids of revoked tokens without a grant are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What became of an access token."""

    expired: bool
    ended: Ended | None
    """How its grant, or its client's leave, has ended."""
    client: Client | None
    grant: Grant | None

    @property
    def active(self) -> bool:
        """Return whether it is good."""
        return not self.expired and self.ended is None


async def standing(token: AccessToken, server: AuthorizationServer, *, caller: Client | None = None) -> Standing:
    """Return what became of an access token. `caller` has been read for this very request, and may be its client."""
    now = server.now()
    own = caller is not None and caller.client_id == token.client_id
    client = caller if own else await server.store.client(token.client_id)
    grant = await server.store.grant(token.grant_id) if token.grant_id else None
    if token.exchanged and grant is not None:
        # What the grant's own client asked for by name is not for others.
        grant = replace(grant, claims=None)
    return Standing(
        expired=now >= token.expires_at,
        ended=await _ended(token, client, grant, server),
        client=client,
        grant=grant,
    )


async def _ended(
    token: AccessToken, client: Client | None, grant: Grant | None, server: AuthorizationServer
) -> Ended | None:
    now = server.now()
    if client is None or client.disabled_at is not None:
        return _without_leave(client, grant, now)
    if token.proof and not _proven(token, client, grant):
        return Ended(reason=EndReason.REVOKED_BY_ADMIN, actor="", at=now)
    if token.exchanged and await server.store.remembers(REVOKED, token.token_id):
        return Ended(reason=EndReason.REVOKED_BY_CLIENT, actor="", at=now)
    if token.grant_id:
        return await _end_of_its_grant(token, client, grant, server)
    revoked = client.epoch > token.generation or await server.store.remembers(REVOKED, token.token_id)
    return Ended(reason=EndReason.REVOKED_BY_CLIENT, actor="", at=now) if revoked else None


async def _end_of_its_grant(
    token: AccessToken, client: Client, grant: Grant | None, server: AuthorizationServer
) -> Ended | None:
    now = server.now()
    if grant is None:
        return Ended(reason=EndReason.REVOKED_BY_ADMIN, actor="", at=now)
    # Another client's, where the token was exchanged.
    owner = client if grant.client_id == client.client_id else await server.store.client(grant.client_id)
    if owner is None or owner.disabled_at is not None:
        return _without_leave(owner, grant, now)
    return end_of(grant, owner, now, issued=token.generation)


def _without_leave(client: Client | None, grant: Grant | None, now: int) -> Ended:
    if client is None:
        return (grant.ended if grant else None) or Ended(reason=EndReason.CLIENT_DELETED, actor="", at=now)
    return Ended(reason=EndReason.CLIENT_DISABLED, actor="", at=client.disabled_at or now)


def _proven(token: AccessToken, client: Client, grant: Grant | None) -> bool:
    proofs = [grant.secret] if grant else [proof_of(secret) for secret in client.secrets]
    return any(hmac.compare_digest(token.proof, proof) for proof in proofs)
