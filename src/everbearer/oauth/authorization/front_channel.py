"""What an authorization response carries to the client by way of the browser, minted before anything is stored.

OpenID Connect Core §3.1.2.5, §3.2.2.5 and §3.3.2.5.
"""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.authorization.request import AuthorizationRequest
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import IMPLICIT
from everbearer.oauth.issuance_hooks import Issuance, Said, ask_hooks
from everbearer.oauth.lifetimes import access_token_life, expiry
from everbearer.oauth.models import Grant
from everbearer.oauth.response_types import CODE, ID_TOKEN, TOKEN, gives, gives_to_browser
from everbearer.oauth.scope import OPENID, format_scope
from everbearer.oauth.tokens.access_tokens import mint_access_token
from everbearer.oauth.tokens.id_tokens import IdTokenParts, id_token_parts, mint_id_token
from everbearer.oauth.tokens.refresh_tokens import seal_code
from everbearer.oauth.tokens.resource_indicators import target_of_grant
from everbearer.oauth.users.claims import NO_CLAIMS


async def issue_to_browser(request: AuthorizationRequest, grant: Grant, server: AuthorizationServer) -> dict[str, str]:
    """Return what the response type asks for, by the names of its members. There is never a refresh token."""
    members: dict[str, str] = {}
    beside: dict[str, str] = {}
    if gives(request.response_type, CODE):
        members["code"] = beside["c_hash"] = seal_code(grant, server.sealer)
    if not gives_to_browser(request.response_type):
        return members
    # An access token is as one that came for the code will be, and lives on when nobody redeems that.
    redeemed = replace(grant, generation=1)
    said = await _said(request, redeemed, server)
    if gives(request.response_type, TOKEN):
        members |= _access_token(request, redeemed, said, server)
        beside["at_hash"] = members["access_token"]
    if gives(request.response_type, ID_TOKEN):
        parts = await _parts(request, grant, said, server)
        members["id_token"] = mint_id_token(
            request.client, grant, parts, server, now=grant.created_at, nonce=request.nonce, beside=beside
        )
    return members


async def _said(request: AuthorizationRequest, grant: Grant, server: AuthorizationServer) -> Said:
    target = None
    if gives(request.response_type, TOKEN):
        target = target_of_grant(request.parameters, grant.resources, grant.scope, request.client, server)
    issuance = Issuance(
        client=request.client,
        grant_type=IMPLICIT,
        subject=grant.subject,
        scope=grant.scope,
        target=target,
        grant=grant,
    )
    return await ask_hooks(issuance, server.hooks)


def _access_token(
    request: AuthorizationRequest, grant: Grant, said: Said, server: AuthorizationServer
) -> dict[str, str]:
    client, now, target = request.client, grant.created_at, said.target
    life = access_token_life(client.lifetimes, server.chance, IMPLICIT, target)
    expires_in = max(1, min(life, expiry(grant, client).absolute_at - now))
    access_token = mint_access_token(
        client, said.scope, server, about=grant, now=now, expires_in=expires_in, target=target, claims=said.claims
    )
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": str(expires_in),
        "scope": format_scope(target.scope if target else said.scope),
    }


async def _parts(request: AuthorizationRequest, grant: Grant, said: Said, server: AuthorizationServer) -> IdTokenParts:
    alone = request.response_type == ID_TOKEN
    # That there is one, the response type says.
    scope = tuple(value for value in grant.scope if value == OPENID or value in said.scope)
    parts = await id_token_parts(grant, scope, request.client, server, alone=alone)
    # "the OP MAY choose to return fewer Claims about the End-User from the Authorization Endpoint, for instance, for
    # privacy reasons" (§3.3.3.6): they come for the code, and not by way of the browser.
    return replace(parts, user_claims=NO_CLAIMS) if gives(request.response_type, CODE) else parts
