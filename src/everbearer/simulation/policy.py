"""What a rotation policy is to the simulation: it starts the family of tokens of one sign-in, and that judges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

REFUSED = 0
"""What a family answers where it has no token to give."""
FIRST = 1
"""The token that every family starts with."""


class Family(Protocol):
    """The refresh tokens of one sign-in, as a server sees them; tokens are numbers from 1 on."""

    ended: bool
    """None of its tokens refreshes any more."""

    def refresh(self, token: int, now: int, key: str) -> int:
        """Return the refresh token that answers, or REFUSED. `key` is the request's `Idempotency-Key`, or empty."""
        ...

    def seen(self, token: int, now: int) -> None:
        """Note that an access token that came with this refresh token was used where the server sees it."""
        ...


class Unseeing:
    """A family whose server does not see its access tokens used."""

    def seen(self, token: int, now: int) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy by name."""

    name: str
    start: Callable[[], Family]
    ours: bool = False
    keyed: bool = False
    """Its clients send an `Idempotency-Key`, and keep it until an answer has come."""
    sees: bool = False
    """Its server sees access tokens used (introspection, userinfo)."""


def two_branches(policy: Policy) -> bool:
    """Tell whether two parties that start with one token can both go on for ever, each with tokens of his own.

    One of them refreshes, the other comes some time later with the same token; from then on neither knows anything of
    the other's tokens, and both refresh every half hour.
    """
    return any(_both_live(policy, delay) for delay in (0, 1, 5, 20, 45, 300, 3600))


def _both_live(policy: Policy, delay: int) -> bool:
    family = policy.start()
    one, other = family.refresh(FIRST, 0, ""), family.refresh(FIRST, delay, "")
    if one == other:
        return False  # one branch, or none
    for step in range(1, 50):
        now = step * 7200
        # The order changes, and one of them comes more often, so that neither is always the one who fell behind.
        one = family.refresh(one, now, "")
        if step % 2:
            one = family.refresh(one, now + 1800, "")
        other = family.refresh(other, now + 3600, "")
        if REFUSED in (one, other) or one == other:
            return False
    return True
