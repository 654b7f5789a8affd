"""What an authorization response carries to the client by way of the browser, minted before anything is stored.

OpenID Connect Core §3.1.2.5, §3.2.2.5 and §3.3.2.5.
"""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.authorization_request import AuthorizationRequest
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.claims import NO_CLAIMS
from everbearer.oauth.id_tokens import IdTokenParts, id_token_parts, mint_id_token
from everbearer.oauth.issuing import issue_access_token
from everbearer.oauth.lifetimes import expiry
from everbearer.oauth.models import Grant
from everbearer.oauth.refresh_tokens import seal_code
from everbearer.oauth.resource_indicators import target_of_grant
from everbearer.oauth.response_types import CODE, ID_TOKEN, TOKEN, gives
from everbearer.oauth.scope import format_scope


async def issue_to_browser(request: AuthorizationRequest, grant: Grant, server: AuthorizationServer) -> dict[str, str]:
    """Return what the response type asks for, by the names of its members. There is never a refresh token."""
    members: dict[str, str] = {}
    beside: dict[str, str] = {}
    if gives(request.response_type, CODE):
        members["code"] = beside["c_hash"] = seal_code(grant, server.sealer)
    if gives(request.response_type, TOKEN):
        members |= _access_token(request, grant, server)
        beside["at_hash"] = members["access_token"]
    if gives(request.response_type, ID_TOKEN):
        parts = await _parts(request, grant, server)
        members["id_token"] = mint_id_token(
            request.client, grant, parts, server, now=grant.created_at, nonce=request.nonce, beside=beside
        )
    return members


def _access_token(request: AuthorizationRequest, grant: Grant, server: AuthorizationServer) -> dict[str, str]:
    # It is as one that came for the code will be, and lives on when nobody redeems that.
    redeemed, client = replace(grant, generation=1), request.client
    target = target_of_grant(request.parameters, grant.resources, grant.scope, client, server)
    access_token, expires_in = issue_access_token(
        client, redeemed, grant.scope, server, expiry(redeemed, client), now=grant.created_at, target=target
    )
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": str(expires_in),
        "scope": format_scope(target.scope if target else grant.scope),
    }


async def _parts(request: AuthorizationRequest, grant: Grant, server: AuthorizationServer) -> IdTokenParts:
    alone = request.response_type == ID_TOKEN
    parts = await id_token_parts(grant, grant.scope, request.client, server, alone=alone)
    # "the OP MAY choose to return fewer Claims about the End-User from the Authorization Endpoint, for instance, for
    # privacy reasons" (§3.3.3.6): they come for the code, and not by way of the browser.
    return replace(parts, user_claims=NO_CLAIMS) if gives(request.response_type, CODE) else parts
