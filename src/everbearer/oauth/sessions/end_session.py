"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): what the request says, and the way back.

Ending the browser's session, and asking the user first where the request proves nothing, is the application's part.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.errors import InvalidRequest
from everbearer.oauth.messages import Response, redirect
from everbearer.oauth.parameters import Parameters
from everbearer.oauth.tokens.id_tokens import Hint, read_id_token_hint
from everbearer.oauth.uris import with_query
from everbearer.oauth.users.sid import sid_for
from everbearer.oauth.users.subjects import subject_for


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessionRequest:
    """A logout request that was read."""

    client: Client | None
    """Whom the hint or `client_id` names."""
    post_logout_redirect_uri: str
    """Where the client wants the browser to go; empty where it is not registered for that client."""
    unregistered_uri: bool
    """It asked for a place that is not registered."""
    state: str = field(repr=False)
    hint: Hint | None
    """The ID token of this server that it carried."""

    def belongs_to(self, session_id: str, subject: str, server: AuthorizationServer) -> bool:
        """Return whether its hint belongs to this session of this user.

        "the OP MUST ask the End-User this question if an id_token_hint was not provided or if the supplied ID Token
        does not belong to the current OP session with the RP and/or currently logged in End-User" (§2).
        """
        if self.hint is None:
            return False
        if self.hint.sid:
            return hmac.compare_digest(self.hint.sid, sid_for(self.hint.client_id, session_id))
        # A sign-in that had no session: its user is all that is known of it.
        return self.client is not None and subject_for(self.client, subject, server) == self.hint.subject


async def validate_end_session_request(parameters: Parameters, server: AuthorizationServer) -> EndSessionRequest:
    """Return what a logout request says.

    Raises:
        InvalidRequest: its hint is not an ID token of this server, or contradicts its `client_id`.
        StoreUnavailable: the store cannot answer.
    """
    hint = _hint(parameters, server)
    client_id = parameters.get("client_id") or (hint.client_id if hint else "")
    # "When both client_id and id_token_hint are present, the OP MUST verify that the Client Identifier matches the one
    # used when issuing the ID Token" (§2).
    if hint and client_id != hint.client_id:
        raise InvalidRequest("client_id is not the client that id_token_hint was issued to")
    client = await server.store.client(client_id) if client_id else None
    wanted = parameters.get("post_logout_redirect_uri", "")
    # "The OP also MUST NOT perform post-logout redirection if the post_logout_redirect_uri value supplied does not
    # exactly match one of the previously registered post_logout_redirect_uris values" (§3).
    allowed = client is not None and wanted in client.post_logout_redirect_uris
    return EndSessionRequest(
        client=client,
        post_logout_redirect_uri=wanted if allowed else "",
        unregistered_uri=bool(wanted) and not allowed,
        state=parameters.get("state", ""),
        hint=hint,
    )


def signed_out_redirect(request: EndSessionRequest) -> Response:
    """Return the redirect to the client's own page, with its `state`."""
    return redirect(signed_out_uri(request))


def signed_out_uri(request: EndSessionRequest) -> str:
    """Return the client's own page, with its `state`."""
    return with_query(request.post_logout_redirect_uri, {"state": request.state} if request.state else {})


def _hint(parameters: Parameters, server: AuthorizationServer) -> Hint | None:
    text = parameters.get("id_token_hint")
    hint = read_id_token_hint(text, server) if text is not None else None
    if text is not None and hint is None:
        raise InvalidRequest("id_token_hint is not an ID token of this server")
    return hint
