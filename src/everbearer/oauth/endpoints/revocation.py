"""Token revocation (RFC 7009). A refresh token, old or new, or a good access token ends its grant and all it gave.

A token that was exchanged for another ends alone: whoever has it was not given the grant.
"""

from __future__ import annotations

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.clients.authentication import authenticate_client, names_client
from everbearer.oauth.error_response import answer
from everbearer.oauth.errors import InvalidGrant
from everbearer.oauth.messages import NO_STORE, Request, Response
from everbearer.oauth.models import Ended, EndReason
from everbearer.oauth.parameters import Parameters, posted_parameters
from everbearer.oauth.tokens.access_tokens import AccessToken, read_access_token
from everbearer.oauth.tokens.ending import end_grant_of
from everbearer.oauth.tokens.refresh_tokens import Presented, open_refresh_token
from everbearer.oauth.tokens.standing import REVOKED, standing


async def revocation_endpoint(request: Request, server: AuthorizationServer) -> Response:
    """Revoke a token. The answer is 200 for a token that is unknown or dead already."""
    return await answer(_respond(request, server))


async def _respond(request: Request, server: AuthorizationServer) -> Response:
    parameters = posted_parameters(request)
    text = parameters.require("token")
    caller = await _caller(request, parameters, server)
    presented = open_refresh_token(text, server.sealer)
    token = read_access_token(text, server) if presented is None else None
    if presented is not None:
        await _revoke_refresh_token(presented, caller, server)
    elif token is not None:
        await _revoke_access_token(token, caller, server)
    # "The authorization server responds with HTTP status code 200 if the token has been revoked successfully or if
    # the client submitted an invalid token" (§2.2).
    return Response(status=200, headers=NO_STORE)


async def _caller(request: Request, parameters: Parameters, server: AuthorizationServer) -> Client | None:
    # Well-known clients send the token alone. Whoever has it may give it up: that harms nobody but a thief. But who
    # says who it is must prove it ("The authorization server first validates the client credentials", §2.1).
    return await authenticate_client(request, parameters, server) if names_client(request, parameters) else None


async def _revoke_refresh_token(presented: Presented, caller: Client | None, server: AuthorizationServer) -> None:
    grant = await server.store.grant(presented.grant_id)
    if grant is not None and presented.belongs_to(grant):
        _check_owner(grant.client_id, caller)
        await _revoke(grant.grant_id, grant.client_id, grant.subject, server)


async def _revoke_access_token(token: AccessToken, caller: Client | None, server: AuthorizationServer) -> None:
    # Long after it died a token lies about in logs; it must not sign anybody out.
    if not (await standing(token, server)).active:
        return
    _check_owner(token.client_id, caller)
    if token.grant_id and not token.exchanged:
        await _revoke(token.grant_id, token.client_id, "", server)
        return
    await server.store.remember(REVOKED, token.token_id, until=token.expires_at)


async def _revoke(grant_id: str, client_id: str, subject: str, server: AuthorizationServer) -> None:
    ended = Ended(reason=EndReason.REVOKED_BY_CLIENT, actor=f"client:{client_id}", at=server.now())
    await end_grant_of(grant_id, ended, server, client_id=client_id, subject=subject)


def _check_owner(client_id: str, caller: Client | None) -> None:
    # "verifies whether the token was issued to the client making the revocation request. If this validation fails,
    # the request is refused and the client is informed of the error" (§2.1).
    if caller is not None and caller.client_id != client_id:
        raise InvalidGrant("the token was issued to another client", reason="another client's")
