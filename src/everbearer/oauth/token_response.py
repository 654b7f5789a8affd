"""The successful token response (RFC 6749 §5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from everbearer.oauth.messages import Response, json_response
from everbearer.oauth.scope import Scope, format_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenResponse:
    """What a grant answers with. Lifetimes are in seconds from now; a member that is None is left out."""

    access_token: str = field(repr=False)
    expires_in: int
    scope: Scope
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    refresh_token_timeout: int | None = None
    """Until the refresh token dies if it is not used (draft-ietf-oauth-refresh-token-expiration)."""
    authorization_expires_in: int | None = None
    """Until the grant dies however it is used (the same draft)."""
    extra: Mapping[str, object] = field(default_factory=dict[str, object])
    """Further members (RFC 6749 §8.2)."""
    grant_id: str = ""
    """For listeners, not for the wire: what it was issued under, where that is a grant of the store's."""
    subject: str = ""
    """For listeners as well: whose it is."""


def render_token_response(tokens: TokenResponse) -> Response:
    """Render the response as JSON that nobody may store."""
    optional = {
        "scope": format_scope(tokens.scope) or None,
        "refresh_token": tokens.refresh_token,
        "id_token": tokens.id_token,
        "refresh_token_timeout": tokens.refresh_token_timeout,
        "authorization_expires_in": tokens.authorization_expires_in,
    }
    return json_response(
        {
            "access_token": tokens.access_token,
            "token_type": "Bearer",
            "expires_in": tokens.expires_in,
            **{name: value for name, value in optional.items() if value is not None},
            **tokens.extra,
        }
    )
