"""What the protocol asks of a store. Each verb is a whole fact: atomic, reporting its outcome, knowing no policy.

Any verb may raise `StoreUnavailable`; the endpoints turn it into 503. A verb that returns has its effect kept for good.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

from everbearer.oauth.client import Client
from everbearer.oauth.events import Event
from everbearer.oauth.models import DeviceAuthorization, Ended, Everything, Grant


class Spend(Enum):
    """What came of spending a generation."""

    SPENT = auto()
    """The grant now is as given."""
    SUPERSEDED = auto()
    """Somebody else was first: the generation is not the expected one. Nothing was written."""
    ENDED = auto()
    """The grant has ended, or is gone. Nothing was written."""


class ClientStore(Protocol):
    """Clients, which an application may keep in tables of its own."""

    async def client(self, client_id: str) -> Client | None:
        """Return a client with its epoch, or None where there is none of that id. The epoch is how often all of the
        client's grants have been ended; 0 where nobody counts it.
        """
        ...

    async def allows_origin(self, origin: str) -> bool:
        """Return whether a client has a redirect URI on this web origin (for CORS)."""
        ...


class GrantStore(Protocol):
    """Grants and their ends, what must be remembered for a while, and the audit trail."""

    async def create_grant(self, grant: Grant, event: Event) -> None:
        """Store a new grant. An epoch that is None is stored as the newest of its key."""
        ...

    async def grant(self, grant_id: str) -> Grant | None:
        """Return a grant with the end that has come upon it: its own, or by its user, client, consent or session."""
        ...

    async def spend(self, grant: Grant, *, expected: int) -> Spend:
        """Write a grant's changing fields if its generation is `expected` and no end has come upon it: one statement.

        Changing are: generation, rotated_at, used_at, late_generation, late_streak, idempotency_key, code, history, and
        `retries`, which the statement raises by one where the generation stays and is given as higher than read, and
        sets to 0 where the generation changes. `confirmed` and `used_at` are never lowered. The late ones change only
        together, to a higher `late_generation`: a prompt retry that read the row before a late one forgets nothing.
        """
        ...

    async def confirm(self, grant_id: str, generation: int) -> None:
        """Note that the answer with this generation has arrived, if it is still the newest."""
        ...

    async def end_grant(self, grant_id: str, ended: Ended) -> bool:
        """End one grant and record it; False where it had ended before (the first reason stays) or is not there."""
        ...

    async def end_all(self, everything: Everything, key: str, ended: Ended) -> None:
        """End all grants of a user, client, consent or session: one row, whatever their number, and record it."""
        ...

    async def remember(self, purpose: str, value: str, *, until: int) -> bool:
        """Keep a value until then; False where it was kept already. One of any number of callers gets True."""
        ...

    async def remembers(self, purpose: str, value: str) -> bool:
        """Return whether `remember` keeps the value."""
        ...

    async def record(self, event: Event) -> None:
        """Add an event to the audit trail."""
        ...


class DeviceStore(Protocol):
    """What devices ask that wait for their users (RFC 8628), beside the grants that they get."""

    async def create_device_authorization(self, device: DeviceAuthorization) -> bool:
        """Store that a device asks; False where its user code is another one's."""
        ...

    async def device_authorization(self, *, grant_id: str = "", user_code: str = "") -> DeviceAuthorization | None:
        """Return what a device asks, by the id of the grant to be or by its user code; None where there is none."""
        ...

    async def note_device_poll(self, device: DeviceAuthorization, *, was: DeviceAuthorization) -> bool:
        """Write polled_at and interval if they still are those of `was` and nothing is decided; False otherwise."""
        ...

    async def decide_device_authorization(
        self, device: DeviceAuthorization, event: Event, *, grant: Grant | None = None
    ) -> bool:
        """Write the decision and expires_at if nothing is decided yet, store the grant of one that is allowed, and
        record the event, all at once; False, and nothing written, where it was decided before or is not there.
        """
        ...


class Store(ClientStore, GrantStore, Protocol):
    """All that the protocol asks for."""
