"""The token endpoint (RFC 6749 §3.2): the steps that all grants share, once and in order."""

from __future__ import annotations

from collections.abc import Mapping

from everbearer.oauth.authorization_server import AuthorizationServer, TokenRequest
from everbearer.oauth.client import REFRESH_TOKEN
from everbearer.oauth.clients.authentication import authenticate_client
from everbearer.oauth.error_response import answer
from everbearer.oauth.errors import InvalidGrant, UnauthorizedClient, UnsupportedGrantType
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.messages import Request, Response
from everbearer.oauth.parameters import posted_parameters
from everbearer.oauth.scope import format_scope
from everbearer.oauth.token_response import TokenResponse, render_token_response


async def token_endpoint(request: Request, server: AuthorizationServer) -> Response:
    """Answer a token request, or an error as RFC 6749 §5.2 wants it."""
    return await answer(_respond(request, server))


async def _respond(request: Request, server: AuthorizationServer) -> Response:
    parameters = posted_parameters(request)
    grant_type = parameters.require("grant_type")
    client = await authenticate_client(request, parameters, server)
    grant = server.grants.get(grant_type)
    if grant is None:
        raise UnsupportedGrantType(f"grant_type must be one of: {', '.join(server.grant_types)}")
    if grant_type not in client.grant_types:
        raise UnauthorizedClient(f"this client may not use grant_type {grant_type}")
    asked = TokenRequest(http=request, parameters=parameters, client=client)
    try:
        tokens = await grant(asked, server)
    except InvalidGrant as refused:
        server.tell(_refusal(refused, grant_type, asked, server))
        raise
    # A refresh has told more already.
    if grant_type != REFRESH_TOKEN and EventKind.TOKEN_ISSUED in server.hears:
        server.notify(_issue(tokens, grant_type, asked, server))
    return render_token_response(tokens)


def _issue(tokens: TokenResponse, grant_type: str, asked: TokenRequest, server: AuthorizationServer) -> Event:
    details = {"grant_type": grant_type, "scope": format_scope(tokens.scope)}
    return _event(EventKind.TOKEN_ISSUED, tokens.grant_id, details, asked, server, subject=tokens.subject)


def _refusal(refused: InvalidGrant, grant_type: str, asked: TokenRequest, server: AuthorizationServer) -> Event:
    details = {"grant_type": grant_type, "reason": refused.reason}
    return _event(EventKind.INVALID_GRANT, refused.grant_id, details, asked, server)


def _event(
    kind: EventKind,
    grant_id: str,
    details: Mapping[str, str],
    asked: TokenRequest,
    server: AuthorizationServer,
    *,
    subject: str = "",
) -> Event:
    return Event(
        kind=kind,
        at=server.now(),
        actor=f"client:{asked.client.client_id}",
        grant_id=grant_id,
        client_id=asked.client.client_id,
        subject=subject,
        address=asked.http.remote_address,
        agent=asked.http.user_agent,
        details=details,
    )
