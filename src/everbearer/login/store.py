"""What signing in asks of a store. The same rules as `everbearer.oauth.store`: each verb is whole and atomic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from everbearer.login.models import Consent, Session, User
from everbearer.oauth.events import Event
from everbearer.oauth.models import Ended, Everything
from everbearer.oauth.scope import Scope


class UserChange(Enum):
    """What became of a change of a user."""

    CHANGED = "changed"
    TAKEN = "taken"
    """The login is another user's; nothing has changed."""
    GONE = "gone"
    """There is no such user any more."""
    CHANGED_MEANWHILE = "changed meanwhile"
    """The user is not as read any more; nothing has changed, and whoever asked reads again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many attempts there were in a window."""

    attempts: int
    until: int
    """When the window ends; the next attempt then opens another."""


class AccountStore(Protocol):
    """Users, their sessions and consents, and the counters that slow down guessing."""

    async def user(self, subject: str) -> User | None:
        """Return a user with the epoch, or None."""
        ...

    async def user_by_login(self, login: str) -> User | None:
        """Return the user who signs in by this (normal) login, with the epoch, or None."""
        ...

    async def create_user(self, user: User, event: Event) -> bool:
        """Store a new user; False where the login or subject is taken."""
        ...

    async def change_user(self, user: User, event: Event, *, was: User, ends: Ended | None = None) -> UserChange:
        """Replace a user's login, password hash, claims and disabled_at, if they still are those of `was`, the user as
        read; and updated_at. With `ends`, all of the user's grants and sessions end in the same transaction.
        """
        ...

    async def delete_user(self, subject: str, event: Event, ends: Ended) -> bool:
        """Delete a user with consents and sessions, ending all grants in the same transaction; False where none."""
        ...

    async def upgrade_password_hash(self, subject: str, *, old: str, new: str) -> None:
        """Replace the hash of an unchanged password, if it still is `old`."""
        ...

    async def create_session(self, session: Session, event: Event) -> None:
        """Store a new session and record the sign-in."""
        ...

    async def renew_session(self, session: Session, event: Event, *, was: Session) -> bool:
        """Replace all of a session but its id, and record the sign-in, if its secret still is that of `was` and no end
        has come upon it; False where nothing has changed.
        """
        ...

    async def session(self, session_id: str) -> Session | None:
        """Return a session with the end that has come upon it (its own, or all of its user's), or None."""
        ...

    async def touch_session(self, session_id: str, used_at: int) -> None:
        """Note a session's use; never moves backwards."""
        ...

    async def end_all(self, everything: Everything, key: str, ended: Ended) -> None:
        """As in the protocol's store; a session is ended as `Everything.SESSION`, its online grants with it.

        With the end of a session, or of all of a user, a `Logout` begins for each client that has a
        `backchannel_logout_uri` and that what ended had signed in to.
        """
        ...

    async def sessions_of(self, subject: str) -> list[Session]:
        """Return a user's sessions that no end has come upon, newest use first."""
        ...

    async def note_client(self, session_id: str, client_id: str, *, subject: str, at: int) -> None:
        """Note that a session, if it has not ended, has signed in to a client, as a grant that is created does too."""
        ...

    async def clients_of_session(self, session_id: str) -> list[str]:
        """Return the ids of the clients that a session has signed in to, if it has not ended."""
        ...

    async def consent(self, subject: str, client_id: str) -> Consent:
        """Return what a user has consented to for a client; its scope is empty where nothing."""
        ...

    async def give_consent(self, subject: str, client_id: str, scope: Scope, event: Event) -> None:
        """Remember a consent, added to what was consented before."""
        ...

    async def withdraw_consent(self, subject: str, client_id: str, ended: Ended) -> None:
        """Forget a consent and end all grants under it, in one transaction."""
        ...

    async def consents_of(self, subject: str) -> list[Consent]:
        """Return all that a user has consented to."""
        ...

    async def count_attempt(self, bucket: str, *, now: int, window: int) -> Counted:
        """Count one attempt in a bucket and return how many there were, this one included, in the window (seconds)
        that its first attempt opened, and when that window ends.
        """
        ...

    async def record(self, event: Event) -> None:
        """As in the protocol's store: add an event to the audit trail."""
        ...

    async def forget_attempts(self, bucket: str) -> None:
        """Empty a bucket."""
        ...
