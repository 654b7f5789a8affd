"""Why a resource server refuses a request: one class an error code (RFC 6750 §3.1, RFC 9470 §3).

`description` goes to the client, `reason` to the operator; neither holds a token. `challenges` makes answers of them.
"""

from __future__ import annotations

from everbearer.oauth import errors
from everbearer.oauth.errors import InvalidRequest as InvalidRequest
from everbearer.oauth.errors import InvalidToken as InvalidToken
from everbearer.oauth.errors import OAuthError as OAuthError
from everbearer.oauth.errors import TemporarilyUnavailable as TemporarilyUnavailable
from everbearer.oauth.scope import Scope

RETRY_AFTER = 2
"""Seconds a client is asked to wait while access tokens cannot be checked."""


class TokenRequired(InvalidToken):
    """The request has no bearer token. Its challenge says no more than that one is needed (RFC 6750 §3.1)."""


class InsufficientScope(errors.InsufficientScope):
    """The access token reaches less than this resource needs (RFC 6750 §3.1).

    Attributes:
        scope: what it needs.

    """

    def __init__(self, description: str, *, scope: Scope) -> None:
        super().__init__(description)
        self.scope = scope


class InsufficientUserAuthentication(OAuthError):
    """The user's sign-in is too weak or too long ago for this resource; the client asks for a better one (RFC 9470 §3).

    Attributes:
        acr_values: what the sign-in must be one of, the best first; any where there are none.
        max_age: seconds that may have passed since the sign-in; None for any number.

    """

    error = "insufficient_user_authentication"
    status = 401

    def __init__(self, description: str, *, acr_values: tuple[str, ...] = (), max_age: int | None = None) -> None:
        super().__init__(description)
        self.acr_values = acr_values
        self.max_age = max_age


INSUFFICIENT = InsufficientScope, InsufficientUserAuthentication
"""What a valid token may be refused for, also by a view that looks at its data first."""


def unavailable(reason: str, retry_after: int = RETRY_AFTER) -> TemporarilyUnavailable:
    """Return what a client is told while no token can be checked: never that its token, which may be good, is not."""
    return TemporarilyUnavailable(
        "access tokens cannot be checked at this moment; try the same again soon",
        reason=reason,
        retry_after=retry_after,
    )
