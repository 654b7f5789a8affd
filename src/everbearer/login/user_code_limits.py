"""How often somebody may try a user code: it is short, and right ones can be guessed at (RFC 8628 §5.1)."""

from __future__ import annotations

from dataclasses import dataclass

from everbearer.login.addresses import network_of
from everbearer.login.store import AccountStore
from everbearer.oauth.models import MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCodeLimits:
    """How many user codes may be tried, right ones too. Only who is signed in may try any."""

    per_user: int = 20
    """By one user, in however many browsers."""
    per_address: int = 100
    """From one address (IPv6: from one /64)."""
    window: int = 15 * MINUTE
    """Seconds, from the first that is counted."""


async def count_user_code(subject: str, address: str, *, store: AccountStore, now: int, limits: UserCodeLimits) -> int:
    """Count that a user tries a code, and return the seconds for which none is looked at; 0 where this one is."""
    # The address first: one that is over its limit cannot use up what its users have left elsewhere.
    buckets = [(f"user-code-user:{subject}", limits.per_user)]
    if address:
        buckets.insert(0, (f"user-code-address:{network_of(address)}", limits.per_address))
    for bucket, limit in buckets:
        counted = await store.count_attempt(bucket, now=now, window=limits.window)
        if counted.attempts > limit:
            return counted.until - now
    return 0
