"""The client credentials grant (RFC 6749 §4.4): a client asks for itself."""

from __future__ import annotations

from everbearer.oauth.authorization_server import AuthorizationServer, TokenRequest
from everbearer.oauth.clients.use import note_use
from everbearer.oauth.errors import InvalidScope, UnauthorizedClient
from everbearer.oauth.scope import OFFLINE_ACCESS, OPENID, narrow
from everbearer.oauth.token_response import TokenResponse
from everbearer.oauth.tokens.issuing import issue_own_token
from everbearer.oauth.tokens.resource_indicators import target_of_client

_OF_USERS = (OPENID, OFFLINE_ACCESS)


async def client_credentials_grant(request: TokenRequest, server: AuthorizationServer) -> TokenResponse:
    """Answer a client's own access token; all its scope where it asks for none.

    Raises:
        UnauthorizedClient: the client is public.
        InvalidScope: it asks for more than it may have, or for what only a user can give.
        InvalidTarget: it asks for a resource that it may not have.
    """
    client = request.client
    # "The client credentials grant type MUST only be used by confidential clients" (§4.4).
    if client.public:
        raise UnauthorizedClient("client_credentials is for confidential clients; this one has no secret")
    requested = request.parameters.get("scope")
    if requested is not None and any(value in _OF_USERS for value in requested.split()):
        raise InvalidScope("openid and offline_access need a user; client_credentials has none")
    own = tuple(value for value in client.scope if value not in _OF_USERS)
    scope = narrow(requested, own)
    target = target_of_client(request.parameters, scope, client, server)
    # "A refresh token SHOULD NOT be included" (§4.4.3).
    tokens = await issue_own_token(request, client.client_id, scope, server, target=target)
    await note_use(client, server)
    return tokens
