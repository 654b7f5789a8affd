"""Token introspection (RFC 7662, RFC 9701)."""

from __future__ import annotations

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.clients.authentication import authenticate_client
from everbearer.oauth.endpoints.introspection_jwt import introspection_jwt, wants_jwt
from everbearer.oauth.error_response import answer
from everbearer.oauth.errors import InvalidClient
from everbearer.oauth.lifetimes import end_of, expiry
from everbearer.oauth.messages import Request, Response, json_response
from everbearer.oauth.parameters import posted_parameters
from everbearer.oauth.scope import format_scope
from everbearer.oauth.tokens.access_tokens import AccessToken, authentication_claims, read_access_token
from everbearer.oauth.tokens.confirmation import confirm_arrival
from everbearer.oauth.tokens.refresh_tokens import open_refresh_token
from everbearer.oauth.tokens.standing import standing
from everbearer.oauth.users.subjects import subject_for

INACTIVE: dict[str, object] = {"active": False}


async def introspection_endpoint(request: Request, server: AuthorizationServer) -> Response:
    """Answer whether a token is active, and what it says, to a client that may know."""
    return await answer(_respond(request, server))


async def _respond(request: Request, server: AuthorizationServer) -> Response:
    parameters = posted_parameters(request)
    text = parameters.require("token")
    caller = await authenticate_client(request, parameters, server)
    # "To prevent token scanning attacks, the endpoint MUST also require some form of authorization to access this
    # endpoint" (§2.1).
    if caller.public:
        raise InvalidClient("introspection is for clients that authenticate; this one has no secret")
    token = read_access_token(text, server)
    # "If the introspection call is properly authorized but the token is not active, does not exist on this server, or
    # the protected resource is not allowed to introspect this particular token, then the authorization server MUST
    # return an introspection response with the "active" field set to "false"" (§2.2).
    if token is not None:
        members = await _access_token(token, caller, server)
    else:
        members = await _refresh_token(text, caller, server)
    return await introspection_jwt(members, caller, server) if wants_jwt(request) else json_response(members)


def _may_know(caller: Client, client_id: str, audiences: tuple[str, ...] = ()) -> bool:
    if caller.introspects_all or caller.client_id == client_id:
        return True
    return any(audience == caller.client_id or audience in caller.introspects for audience in audiences)


async def _access_token(token: AccessToken, caller: Client, server: AuthorizationServer) -> dict[str, object]:
    if not _may_know(caller, token.client_id, token.audiences):
        return INACTIVE
    state = await standing(token, server, caller=caller)
    if not state.active or state.client is None:
        return INACTIVE
    if state.grant is not None:
        await confirm_arrival(token, state.grant, state.client, server)
    return {
        # "The act claim" too (RFC 8693 §4.1).
        **token.more_claims,
        "active": True,
        "scope": format_scope(token.scope),
        "client_id": token.client_id,
        "token_type": "Bearer",
        "exp": token.expires_at,
        "iat": token.issued_at,
        "sub": token.subject,
        "aud": token.aud,
        "iss": server.issuer,
        "jti": token.token_id,
        # What a resource server needs to ask for a better sign-in (RFC 9470 §6.2).
        **(authentication_claims(state.grant) if state.grant else {}),
    }


async def _refresh_token(text: str, caller: Client, server: AuthorizationServer) -> dict[str, object]:
    presented = open_refresh_token(text, server.sealer)
    grant = await server.store.grant(presented.grant_id) if presented else None
    if presented is None or grant is None or not presented.belongs_to(grant):
        return INACTIVE
    client = await server.store.client(grant.client_id)
    if client is None or client.disabled_at is not None or not _may_know(caller, grant.client_id):
        return INACTIVE
    newest = presented.generation >= grant.generation
    if not newest or end_of(grant, client, server.now(), issued=presented.generation) is not None:
        return INACTIVE
    return {
        "active": True,
        "scope": format_scope(grant.scope),
        "client_id": grant.client_id,
        "exp": expiry(grant, client, issued=presented.generation).first_at,
        "iat": grant.rotated_at,
        "sub": subject_for(client, grant.subject, server),
        "iss": server.issuer,
    }
