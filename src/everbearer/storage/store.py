"""What operators and the server itself ask of a store, beyond the protocol and signing in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from everbearer.login.models import User
from everbearer.login.store import AccountStore
from everbearer.oauth.client import Client
from everbearer.oauth.client_registration import RegistrationStore
from everbearer.oauth.events import Event
from everbearer.oauth.initial_access_tokens import InitialAccessToken
from everbearer.oauth.models import Ended, Grant
from everbearer.oauth.sessions.backchannel_logout import Logout
from everbearer.oauth.store import DeviceStore, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A signing key at rest. It signs from `active_at` until a newer one of its alg is active; it is published from
    `created_at` until `retired_at`, which is None for the newest.
    """

    kid: str
    alg: str
    sealed: bytes = field(repr=False)
    """The private JWK, sealed with the server's secret."""
    created_at: int
    active_at: int
    retired_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiredSessions:
    """What one look at sessions, in the order of their ids, found."""

    session_ids: tuple[str, ...]
    last: str
    """The id of the last that was looked at; empty where there are no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """How many rows one batch of a purge removed."""

    grants: int = 0
    sessions: int = 0
    others: int = 0

    @property
    def total(self) -> int:
        """Return the number of all rows removed."""
        return self.grants + self.sessions + self.others


class AdminStore(Store, DeviceStore, AccountStore, RegistrationStore, Protocol):
    """The whole store: protocol, accounts and what operators need."""

    async def migrate(self) -> list[str]:
        """Bring the schema up to date and return the names of the migrations that ran."""
        ...

    async def pending_migrations(self) -> list[str]:
        """Return the names of the migrations that have not run."""
        ...

    async def clock(self) -> float:
        """Return the time in seconds since 1970 (UTC) by the one clock that all nodes at this store share."""
        ...

    async def ping(self) -> None:
        """Return if the store can answer and write; raise `StoreUnavailable` otherwise."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of all resources."""
        ...

    async def put_client(self, client: Client, event: Event, *, ends: Ended | None = None) -> None:
        """Store a client, new or changed. With `ends`, all its grants end in the same transaction."""
        ...

    async def create_initial_access_token(self, token: InitialAccessToken, event: Event) -> None:
        """Store an initial access token."""
        ...

    async def initial_access_tokens(self) -> list[InitialAccessToken]:
        """Return all initial access tokens, oldest first, those that are dead too."""
        ...

    async def revoke_initial_access_token(self, token_id: str, event: Event) -> bool:
        """Forget an initial access token; False where it is not there. Clients that came with it stay."""
        ...

    async def note_client_use(self, client_id: str, at: int) -> None:
        """Note that a client that registered itself was in use then, if nothing of that hour is noted.

        `create_grant` does so too, in its transaction.
        """
        ...

    async def idle_clients(self, *, before: int, after: str, limit: int) -> list[str]:
        """Return the ids of clients that registered themselves and are not known to have been in use since `before`, in
        their order, those after the given id.
        """
        ...

    async def reap_client(self, client_id: str, event: Event, ends: Ended, *, unused_for: int) -> bool:
        """Delete a client that registered itself and has not been in use for so long at `ends.at`, as
        `delete_client` does. Where a grant of it lives at that time, its use is noted, and nothing else happens.

        A grant that is stored at the same moment is stored before, and the client stays; or after, and has ended.
        """
        ...

    async def clients(self) -> list[Client]:
        """Return all clients by id."""
        ...

    async def users(self, *, after: str = "", limit: int = 100) -> list[User]:
        """Return users by login, those after the given login."""
        ...

    async def grants(
        self, *, subject: str = "", client_id: str = "", session_id: str = "", live_only: bool = False, limit: int = 100
    ) -> list[Grant]:
        """Return grants, newest first. `live_only` leaves out those that an end has come upon (not those expired)."""
        ...

    async def events(
        self, *, grant_id: str = "", subject: str = "", client_id: str = "", limit: int = 100
    ) -> list[Event]:
        """Return audit events, newest first."""
        ...

    async def keys(self) -> list[StoredKey]:
        """Return all signing keys, oldest first."""
        ...

    async def add_key(self, key: StoredKey, event: Event, *, newest: str | None) -> bool:
        """Store a key if the newest (latest created) of its alg has the kid `newest` (None: there is none), setting
        `retired_at` of nothing; False where somebody else was first.
        """
        ...

    async def retire_key(self, kid: str, retired_at: int, event: Event) -> bool:
        """Set when a key stops being published; False where it is not there."""
        ...

    async def reseal_key(self, kid: str, *, old: bytes, new: bytes) -> bool:
        """Replace a key's sealed value, if it still is `old`; False where it is not."""
        ...

    def hearing_of_keys(self, heard: Callable[[], None]) -> AbstractAsyncContextManager[None]:
        """Call `heard` while the context is open, when another process has changed signing keys or may have.

        A store that cannot know never calls it.
        """
        ...

    async def sealed_value(self, name: str) -> bytes | None:
        """Return a secret of the server that is kept sealed under a name, or None."""
        ...

    async def keep_sealed_value(self, name: str, sealed: bytes, *, was: bytes | None) -> bool:
        """Keep a sealed secret in the place of `was` (None: of nothing); False where something else is there."""
        ...

    async def expired_sessions(self, *, at: int, after: str) -> ExpiredSessions:
        """Return which of the next few sessions after the given id had expired by then, have signed in to clients and
        have no end come upon them.
        """
        ...

    async def take_logouts(self, *, now: int, until: int, limit: int) -> list[Logout]:
        """Take up to `limit` logouts that are due, and count the attempt. Each is one caller's until then; who has not
        settled it by then, perhaps for being dead, leaves it to the next.
        """
        ...

    async def settle_logout(self, taken: Logout, event: Event, *, again: Logout | None) -> bool:
        """Note what came of a logout that was taken, and record it. It is gone, or with `again` waits until the
        `due_at` of that, for its `problem`. False where it is not as it was taken any more; then nothing has changed.
        """
        ...

    async def logouts(self, *, client_id: str = "", given_up_only: bool = False, limit: int = 100) -> list[Logout]:
        """Return the logouts that wait or were given up, newest first."""
        ...

    async def retry_logouts(self, *, client_id: str = "", now: int) -> int:
        """Begin anew with all logouts that were given up, or those of a client, and return how many there are."""
        ...

    async def purge(self, *, now: int, keep: int, batch: int) -> Purged:
        """Remove up to `batch` rows of each kind that have been dead for `keep` seconds: ended or expired grants and
        sessions, unredeemed codes, retired keys, forgotten values, old attempts, logouts that were given up. Audit
        events stay.
        """
        ...
