"""Minting what a grant answers with. Everything that can fail happens here, before anything is spent."""

from __future__ import annotations

from everbearer.oauth.access_tokens import mint_access_token
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.id_tokens import IdTokenParts, mint_id_token
from everbearer.oauth.lifetimes import Expiry, access_token_life, expiry
from everbearer.oauth.models import Grant
from everbearer.oauth.refresh_tokens import seal_refresh_token
from everbearer.oauth.resource_indicators import Target
from everbearer.oauth.scope import OPENID, Scope
from everbearer.oauth.token_response import TokenResponse


def issue_tokens(
    client: Client,
    grant: Grant,
    scope: Scope,
    server: AuthorizationServer,
    *,
    now: int,
    parts: IdTokenParts,
    nonce: str = "",
    target: Target | None = None,
) -> TokenResponse:
    """Return the tokens of a grant as it will be once its generation is spent.

    The access token reaches `scope`; the refresh token stays with all the grant's ("If a new refresh token is issued,
    the refresh token scope MUST be identical to that of the refresh token included by the client", RFC 6749 §6).
    `parts` are those of an ID token of this scope. `target` narrows the access token to its resources.
    """
    ends = expiry(grant, client)
    access_token, expires_in = issue_access_token(client, grant, scope, server, ends, now=now, target=target)
    # "the authorization server must indicate the access token's effective scope to the client" (RFC 8707 §2.2).
    reached = target.scope if target else scope
    id_token = None
    if OPENID in scope:
        id_token = mint_id_token(client, grant, parts, server, now=now, nonce=nonce)
    if not grant.offline:
        return TokenResponse(
            access_token=access_token,
            expires_in=expires_in,
            scope=reached,
            id_token=id_token,
            grant_id=grant.grant_id,
            subject=grant.subject,
        )
    return TokenResponse(
        access_token=access_token,
        expires_in=expires_in,
        scope=reached,
        refresh_token=seal_refresh_token(grant, server.sealer),
        id_token=id_token,
        refresh_token_timeout=ends.first_at - now,
        authorization_expires_in=ends.absolute_at - now,
        grant_id=grant.grant_id,
        subject=grant.subject,
    )


def issue_access_token(
    client: Client,
    grant: Grant,
    scope: Scope,
    server: AuthorizationServer,
    ends: Expiry,
    *,
    now: int,
    target: Target | None = None,
) -> tuple[str, int]:
    """Return an access token of a grant that ends then, and for how many seconds it is good."""
    life = access_token_life(client.lifetimes, server.chance, target.lifetime if target else None)
    expires_in = max(1, min(life, ends.absolute_at - now))
    token = mint_access_token(client, scope, server, grant=grant, now=now, expires_in=expires_in, target=target)
    return token, expires_in
