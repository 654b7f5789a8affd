"""How long a grant lives, computed afresh each time: a client's new lifetimes apply to its live grants at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from everbearer.oauth.client import Client, Lifetimes
from everbearer.oauth.models import Ended, EndReason, Grant
from everbearer.oauth.resource import Target

SERVER = "server"
"""The actor of what ends by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """When a grant ends by itself."""

    idle_at: int | None
    """If it is not refreshed before; None where no idle lifetime is set."""
    absolute_at: int
    """However it is used."""

    @property
    def first_at(self) -> int:
        """Return the earlier of the two."""
        return self.absolute_at if self.idle_at is None else min(self.idle_at, self.absolute_at)


def access_token_life(
    lifetimes: Lifetimes, chance: Callable[[], float], grant_type: str, target: Target | None = None
) -> int:
    """Return how many seconds a fresh access token lives, a second at least; `chance` returns 0 to below 1.

    One for several resources lives no longer than one for any of them.
    """
    jitter, usual = lifetimes.access_token_jitter, lifetimes.access_token_of(grant_type)
    if target is not None:
        usual = min(usual if each is None else each for each in target.lifetimes)
    # Nothing is drawn where nothing depends on it: most servers have no jitter.
    return usual - int(usual * jitter * chance()) if jitter else usual


def expiry(grant: Grant, client: Client, *, issued: int = 0) -> Expiry:
    """Return when a grant ends by itself, counted from the use its row holds (after the touch, never before).

    `issued` is a generation of which an authentic token is at hand: a store that has lost its latest writes may not
    know that the code was redeemed.
    """
    lifetimes = client.lifetimes
    if max(grant.generation, issued) == 0:
        until = grant.code.expires_at if grant.code else None
        absolute_at = grant.created_at + lifetimes.authorization_code if until is None else until
        return Expiry(idle_at=None, absolute_at=absolute_at)
    if not grant.offline:
        return Expiry(idle_at=None, absolute_at=grant.rotated_at + lifetimes.longest_access_token)
    idle = lifetimes.refresh_token_idle
    idle_at = None if idle is None else grant.used_at + idle
    return Expiry(idle_at=idle_at, absolute_at=grant.created_at + lifetimes.refresh_token)


def end_of(grant: Grant, client: Client, now: int, *, issued: int = 0) -> Ended | None:
    """Return how a grant has ended, by an act or by itself; None while it is alive. `issued` is as for `expiry`."""
    if grant.ended is not None:
        return grant.ended
    ends = expiry(grant, client, issued=issued)
    if now < ends.first_at:
        return None
    if max(grant.generation, issued) == 0:
        return Ended(reason=EndReason.CODE_EXPIRED, actor=SERVER, at=ends.absolute_at)
    idle_first = ends.idle_at is not None and ends.idle_at < ends.absolute_at
    reason = EndReason.EXPIRED_IDLE if idle_first else EndReason.EXPIRED_ABSOLUTE
    return Ended(reason=reason, actor=SERVER, at=ends.first_at)
