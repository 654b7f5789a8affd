"""Bearer tokens as they arrive at our own resources, and the challenge where they do not do (RFC 6750)."""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.errors import InvalidRequest, InvalidToken, OAuthError, bearer_challenge
from everbearer.oauth.messages import NO_STORE, Request, Response, json_response
from everbearer.oauth.parameters import FORM, posted_parameters
from everbearer.oauth.tokens.standing import Standing


def bearer_token(request: Request) -> str:
    """Return the token of the `Authorization` header or of a posted form (RFC 6750 §2.1 and §2.2).

    Raises:
        InvalidToken: there is none.
        InvalidRequest: it is sent in two ways.
    """
    scheme, _, header = request.headers.get("authorization", "").partition(" ")
    token = header.strip() if scheme.lower() == "bearer" else ""
    posted = ""
    if request.method == "POST" and request.media_type == FORM:
        posted = posted_parameters(request).get("access_token", "")
    # "Clients MUST NOT use more than one method to transmit the token in each request" (§2).
    if token and posted:
        raise InvalidRequest("the access token is sent twice: in the Authorization header and in the body")
    if not token and not posted:
        raise InvalidToken("send an access token: Authorization: Bearer ...", reason="none")
    return token or posted


def challenge(error: OAuthError, standing: Standing | None = None, *, realm: str = "userinfo") -> Response:
    """Render an error with its `WWW-Authenticate` (RFC 6750 §3).

    The header has the RFC's word, `invalid_token`. The body says `invalid_grant` where the grant itself has ended, by
    which clients of Authgear's kind know that the user must sign in again, and not merely refresh.
    """
    members = error.members()
    header = bearer_challenge(error, realm=realm)
    if standing is not None and standing.ended is not None:
        members["error"] = "invalid_grant"
    response = json_response(members, status=error.status, headers=(*NO_STORE, ("WWW-Authenticate", header)))
    return replace(response, error=error.error)
