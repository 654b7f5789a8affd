"""What every store does in the same way, as pure functions: for stores of one's own, and for the one in memory.

A store that locks the row, calls one of these and writes what it returns, in one transaction, is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

from everbearer.oauth.events import all_ended as all_ended
from everbearer.oauth.events import grant_ended as grant_ended
from everbearer.oauth.models import DeviceAuthorization, Ended, Everything, Grant, consent_key
from everbearer.oauth.store import Spend


class EndKey(NamedTuple):
    """Names the row that ends all grants of a key, of the epochs before its own."""

    everything: Everything
    key: str
    epoch: int


def end_keys(grant: Grant) -> tuple[EndKey, ...]:
    """Return the ends that would come upon a grant: where a store has one of them, the grant has ended by it."""
    user_epoch, session_id = grant.authentication.user_epoch or 0, grant.authentication.session_id
    consent = consent_key(grant.subject, grant.client_id)
    keys = (
        EndKey(Everything.USER, grant.subject, user_epoch + 1),
        EndKey(Everything.CLIENT, grant.client_id, (grant.client_epoch or 0) + 1),
        EndKey(Everything.CONSENT, consent, (grant.consent_epoch or 0) + 1),
    )
    # A session has no epochs, it ends once; grants with refresh tokens outlive it.
    return (*keys, EndKey(Everything.SESSION, session_id, 1)) if session_id and not grant.offline else keys


def with_end(grant: Grant, ends: Iterable[Ended]) -> Grant:
    """Return a grant with the end that has come upon it: its own, or the first in time of those given."""
    return replace(grant, ended=grant.ended or min(ends, key=lambda end: end.at, default=None))


def born(grant: Grant, newest_epoch: Callable[[Everything, str], int]) -> Grant:
    """Return a new grant as it is stored: each epoch that is None is the newest of its key, 0 where it never ended."""
    authentication = grant.authentication

    def epoch(given: int | None, everything: Everything, key: str) -> int:
        return newest_epoch(everything, key) if given is None else given

    return replace(
        grant,
        authentication=replace(
            authentication, user_epoch=epoch(authentication.user_epoch, Everything.USER, grant.subject)
        ),
        client_epoch=epoch(grant.client_epoch, Everything.CLIENT, grant.client_id),
        consent_epoch=epoch(grant.consent_epoch, Everything.CONSENT, consent_key(grant.subject, grant.client_id)),
        ended=None,
    )


def spent(stored: Grant | None, grant: Grant, *, expected: int) -> Grant | Spend:
    """Return the stored grant as a spend leaves it, to be written; or, where it must not be, why.

    `stored` is the grant with the end that has come upon it, read under a lock that is held until the write.
    """
    if stored is None or stored.ended is not None:
        return Spend.ENDED
    if stored.generation != expected:
        return Spend.SUPERSEDED
    retries = stored.retries + (grant.retries > stored.retries)
    later = grant.late_generation > stored.late_generation
    return replace(
        stored,
        generation=grant.generation,
        rotated_at=grant.rotated_at,
        used_at=max(stored.used_at, grant.used_at),
        confirmed=max(stored.confirmed, grant.confirmed),
        retries=retries if grant.generation == expected else 0,
        late_generation=grant.late_generation if later else stored.late_generation,
        late_streak=grant.late_streak if later else stored.late_streak,
        idempotency_key=grant.idempotency_key,
        code=grant.code,
        history=grant.history,
    )


def confirmed(stored: Grant | None, generation: int) -> Grant | None:
    """Return the stored grant as `confirm` leaves it, to be written; None where there is nothing to write."""
    if stored is None or stored.generation != generation or stored.confirmed >= generation:
        return None
    return replace(stored, confirmed=generation)


def polled(
    stored: DeviceAuthorization | None, device: DeviceAuthorization, *, was: DeviceAuthorization
) -> DeviceAuthorization | None:
    """Return the stored device as a noted poll leaves it, to be written; None where there is nothing to write.

    That is where another poll was before, or it is decided. `stored` is read under a lock that is held until the write.
    """
    if stored is None or stored.decision is not None:
        return None
    if (stored.polled_at, stored.interval) != (was.polled_at, was.interval):
        return None
    return replace(stored, polled_at=device.polled_at, interval=device.interval)


def decided(stored: DeviceAuthorization | None, device: DeviceAuthorization) -> DeviceAuthorization | None:
    """Return the stored device as the decision leaves it, to be written with its grant; None where one was before.

    `stored` is as for `polled`.
    """
    if stored is None or stored.decision is not None:
        return None
    return replace(stored, decision=device.decision, expires_at=device.expires_at)
