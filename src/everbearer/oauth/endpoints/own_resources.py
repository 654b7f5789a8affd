"""The API of the application that issues the tokens: it reads them itself and sees at once what ended (RFC 6750)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.endpoints.bearer import bearer_token
from everbearer.oauth.errors import InsufficientScope, InvalidToken
from everbearer.oauth.messages import Request
from everbearer.oauth.models import Grant
from everbearer.oauth.scope import Scope
from everbearer.oauth.tokens.access_tokens import read_access_token
from everbearer.oauth.tokens.confirmation import confirm_arrival
from everbearer.oauth.tokens.standing import standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Who may ask by an access token, and what for."""

    subject: str
    """The user as the application knows them; the client itself for a token without a user."""
    client: Client
    scope: Scope
    grant: Grant | None
    """None for a token that a client got for itself."""
    claims: Mapping[str, object]
    """What the token says beyond what every one does: who acts for its subject (`act`), or what your hooks have it say.
    """


async def check_bearer(
    request: Request, server: AuthorizationServer, *scope: str, audience: str | None = None
) -> Bearer:
    """Return whose access token a request carries, if it is good here and has the scope.

    `audience` is what the API is called in the `aud` of tokens, the issuer where it is None. Of the request only the
    headers are needed, and the body where a token may be in a form.

    Raises:
        InvalidToken: there is none, or it is not good, or for another API.
        InsufficientScope: it reaches less.
        InvalidRequest: it is sent in two ways.
        StoreUnavailable: the store cannot answer.
    """
    token = read_access_token(bearer_token(request), server)
    if token is None:
        raise InvalidToken("the access token is not one of this server")
    # "The resource server MUST validate that the "aud" claim contains a resource indicator value corresponding to an
    # identifier the resource server expects for itself" (RFC 9068 §4).
    if (server.issuer if audience is None else audience) not in token.audiences:
        raise InvalidToken("the access token is for another API")
    state = await standing(token, server)
    if not state.active or state.client is None:
        ended = "what the access token was issued for has ended" if state.ended else "the access token has expired"
        raise InvalidToken(ended, reason=state.ended.reason if state.ended else "")
    missing = [value for value in scope if value not in token.scope]
    if missing:
        raise InsufficientScope(f"this needs the scope {' '.join(scope)}")
    if state.grant is not None:
        await confirm_arrival(token, state.grant, state.client, server)
    subject = state.grant.subject if state.grant else token.subject
    return Bearer(subject=subject, client=state.client, scope=token.scope, grant=state.grant, claims=token.more_claims)
