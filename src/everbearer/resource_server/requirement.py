"""What a resource wants of an access token beyond that it is valid: scope, and how and when the user signed in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from everbearer.oauth.arguments import check_arguments
from everbearer.oauth.scope import Scope
from everbearer.resource_server.access_token import AccessToken
from everbearer.resource_server.errors import InsufficientScope, InsufficientUserAuthentication

_ADVICE = {"scope": 'write each value as a text of its own, require("notes:read", "notes:write"), or require()'}
_WIRE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""What a scope value is made of (RFC 6749 §3.3); `acr` values stand in the same places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What a resource requires. `requirement` makes one out of what stands in the code."""

    scope: Scope = ()
    """All of these."""
    acr_values: tuple[str, ...] = ()
    """One of these, the best first (RFC 9470 §3)."""
    max_age: int | None = None
    """Seconds since the user signed in."""

    def check(self, token: AccessToken, now: int, leeway: int = 0) -> None:
        """Return if a token meets this.

        Raises:
            InsufficientScope: the token reaches less.
            InsufficientUserAuthentication: the user must sign in anew, or by better means.
        """
        if not token.has(*self.scope):
            raise InsufficientScope("the access token has not the scope that this needs", scope=self.scope)
        if self.acr_values and token.acr not in self.acr_values:
            raise self._step_up("a different authentication level is required")
        if self.max_age is not None and not self._is_recent(token, now, leeway, self.max_age):
            raise self._step_up("more recent authentication is required")

    def _is_recent(self, token: AccessToken, now: int, leeway: int, max_age: int) -> bool:
        return token.auth_time is not None and now - token.auth_time <= max_age + leeway

    def _step_up(self, description: str) -> InsufficientUserAuthentication:
        # "The auth-params max_age and acr_values MAY both occur in the same challenge if the resource server needs to
        # express requirements about both recency and authentication level" (RFC 9470 §3).
        return InsufficientUserAuthentication(description, acr_values=self.acr_values, max_age=self.max_age)


VALID = Requirement()
"""That the token is valid, and no more."""


def requirement(*scope: str, acr_values: tuple[str, ...] = (), max_age: int | None = None) -> Requirement:
    """Return the requirement of some scope values, one by one or separated by spaces as on the wire.

    Raises:
        ValueError: it can be met by no token, or stand in no challenge.
    """
    for each in scope:
        check_arguments(requirement, _ADVICE, scope=each)
    check_arguments(requirement, acr_values=acr_values, max_age=max_age)
    values = tuple(dict.fromkeys(" ".join(scope).split()))
    wrong = next((value for value in (*values, *acr_values) if not _WIRE.fullmatch(value)), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} has characters that neither a scope value nor an acr value can have")
    if max_age is not None and max_age < 0:
        raise ValueError("max_age is a number of seconds from 0 on")
    return Requirement(scope=values, acr_values=acr_values, max_age=max_age)
