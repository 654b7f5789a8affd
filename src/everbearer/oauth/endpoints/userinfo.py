"""The userinfo endpoint (OpenID Connect Core §5.3)."""

from __future__ import annotations

from collections.abc import Mapping

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.endpoints.bearer import bearer_token, challenge
from everbearer.oauth.endpoints.userinfo_response import userinfo_response
from everbearer.oauth.error_response import answer
from everbearer.oauth.errors import InsufficientScope, InvalidRequest, InvalidToken
from everbearer.oauth.messages import Request, Response
from everbearer.oauth.scope import OPENID
from everbearer.oauth.tokens.access_tokens import AccessToken, read_access_token
from everbearer.oauth.tokens.confirmation import confirm_arrival
from everbearer.oauth.tokens.standing import Standing, standing
from everbearer.oauth.users.claims import userinfo_claims


async def userinfo_endpoint(request: Request, server: AuthorizationServer) -> Response:
    """Answer what the token's client may know of its user."""
    return await answer(_respond(request, server))


async def _respond(request: Request, server: AuthorizationServer) -> Response:
    try:
        text = bearer_token(request)
    except (InvalidRequest, InvalidToken) as error:
        return challenge(error)
    token = read_access_token(text, server)
    if token is None:
        return challenge(InvalidToken("the access token is not one of this server"))
    state = await standing(token, server)
    claims = await server.claims(state.grant.subject) if state.active and state.grant else None
    refused = _refused(token, state, claims, server)
    if refused is not None or claims is None or state.client is None or state.grant is None:
        return challenge(refused or InvalidToken("the access token has no user"), state)
    shown = userinfo_claims(claims, token.scope, state.grant, state.client, server)
    # "The sub (subject) Claim MUST always be returned in the UserInfo Response" (§5.3.2).
    response = await userinfo_response({**shown, "sub": token.subject}, state.client, server)
    await confirm_arrival(token, state.grant, state.client, server)
    return response


def _refused(
    token: AccessToken, state: Standing, claims: Mapping[str, object] | None, server: AuthorizationServer
) -> InvalidToken | InsufficientScope | None:
    if state.ended is not None:
        return InvalidToken("what the access token was issued for has ended", reason=state.ended.reason)
    if state.expired:
        return InvalidToken("the access token has expired; refresh it")
    if claims is None:
        return InvalidToken("the access token has no user")
    # "The resource server MUST validate that the "aud" claim contains a resource indicator value corresponding to an
    # identifier the resource server expects for itself" (RFC 9068 §4): who is given a token for another resource learns
    # nothing here. A client's own audience is what all its tokens have that name no resource.
    if server.issuer not in token.audiences and (state.client is None or state.client.audience not in token.audiences):
        return InvalidToken(f"the access token is for another resource; ask for one with resource={server.issuer}")
    if OPENID not in token.scope and not (state.client and state.client.first_party):
        return InsufficientScope("userinfo needs the scope openid")
    return None
