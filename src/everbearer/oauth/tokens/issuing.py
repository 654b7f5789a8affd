"""Minting what a grant answers with. Everything that can fail happens here, before anything is spent."""

from __future__ import annotations

from everbearer.oauth.authorization_server import AuthorizationServer, TokenRequest
from everbearer.oauth.issuance_hooks import NOTHING, Issuance, ask_for_access
from everbearer.oauth.lifetimes import access_token_life, expiry
from everbearer.oauth.models import Grant
from everbearer.oauth.resource import Target
from everbearer.oauth.scope import OPENID, Scope
from everbearer.oauth.token_response import TokenResponse
from everbearer.oauth.tokens.access_tokens import mint_access_token
from everbearer.oauth.tokens.id_tokens import id_token_parts, mint_id_token
from everbearer.oauth.tokens.refresh_tokens import seal_refresh_token


async def issue_tokens(
    request: TokenRequest,
    grant: Grant,
    scope: Scope,
    server: AuthorizationServer,
    *,
    now: int,
    nonce: str = "",
    target: Target | None = None,
) -> TokenResponse:
    """Return the tokens of a grant as it will be once its generation is spent.

    The access token reaches `scope`, or less where the application says so; the refresh token stays with all the
    grant's ("If a new refresh token is issued, the refresh token scope MUST be identical to that of the refresh token
    included by the client", RFC 6749 §6). `target` narrows the access token to its resources.

    Raises:
        InvalidClientMetadata: the ID token cannot be encrypted to the client.
        TemporarilyUnavailable: the client's keys cannot be fetched at this moment.
    """
    client, claims, members = request.client, NOTHING, NOTHING
    if server.hooks is not None:
        said = await ask_for_access(_issuance(request, grant.subject, scope, target, grant), server.hooks)
        scope, target, claims, members = said.scope, said.target, said.claims, said.members
    parts = await id_token_parts(grant, scope, client, server)
    ends = expiry(grant, client)
    life = access_token_life(client.lifetimes, server.chance, request.grant_type, target)
    expires_in = max(1, min(life, ends.absolute_at - now))
    return TokenResponse(
        access_token=mint_access_token(
            client, scope, server, about=grant, now=now, expires_in=expires_in, target=target, claims=claims
        ),
        expires_in=expires_in,
        # "the authorization server must indicate the access token's effective scope to the client" (RFC 8707 §2.2).
        scope=target.scope if target else scope,
        id_token=mint_id_token(client, grant, parts, server, now=now, nonce=nonce) if OPENID in scope else None,
        refresh_token=seal_refresh_token(grant, server.sealer) if grant.offline else None,
        refresh_token_timeout=ends.first_at - now if grant.offline else None,
        authorization_expires_in=ends.absolute_at - now if grant.offline else None,
        extra=members,
        grant_id=grant.grant_id,
        subject=grant.subject,
    )


async def issue_own_token(
    request: TokenRequest,
    subject: str,
    scope: Scope,
    server: AuthorizationServer,
    *,
    target: Target | None,
    until: int | None = None,
) -> TokenResponse:
    """Return an access token of no grant: about a client itself, or a subject that is no user here.

    `until` is when it ends at the latest.
    """
    client, claims, members, now = request.client, NOTHING, NOTHING, server.now()
    if server.hooks is not None:
        said = await ask_for_access(_issuance(request, subject, scope, target), server.hooks)
        scope, target, claims, members = said.scope, said.target, said.claims, said.members
    expires_in = access_token_life(client.lifetimes, server.chance, request.grant_type, target)
    if until is not None:
        expires_in = max(1, min(expires_in, until - now))
    access_token = mint_access_token(
        client, scope, server, about=subject, now=now, expires_in=expires_in, target=target, claims=claims
    )
    reached = target.scope if target else scope
    return TokenResponse(access_token=access_token, expires_in=expires_in, scope=reached, extra=members)


def _issuance(
    request: TokenRequest, subject: str, scope: Scope, target: Target | None, grant: Grant | None = None
) -> Issuance:
    return Issuance(
        client=request.client, grant_type=request.grant_type, subject=subject, scope=scope, target=target, grant=grant
    )
