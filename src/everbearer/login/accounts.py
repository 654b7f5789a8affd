"""Accounts: make, change, disable and delete those who sign in, and end what must end with it (ASVS 6.2, 7.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from everbearer.login.models import User
from everbearer.login.passwords import RunHeavy, Weakness, hash_password, weakness
from everbearer.login.sessions import new_session
from everbearer.login.sign_in import (
    LONGEST_LOGIN,
    Attempt,
    SignedIn,
    SignInLimits,
    TooManyAttempts,
    WrongCredentials,
    check_password,
    normal_login,
)
from everbearer.login.store import AccountStore, UserChange
from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import Ended, EndReason
from everbearer.oauth.randomness import random_id

TRIES = 5
"""How often a user is read again who was changed between being read and being changed."""


_TOO_BUSY = "others keep changing this user; try again"


class WeakPassword(Exception):
    """A new password is not acceptable.

    Attributes:
        weakness: why.

    """

    def __init__(self, found: Weakness) -> None:
        super().__init__(f"the password is not acceptable: {found.value}")
        self.weakness = found


class UnusableLogin(Exception):
    """A login is empty, too long, or somebody else's."""


class UnknownUser(Exception):
    """There is no such user."""


PasswordChange: TypeAlias = SignedIn | WrongCredentials | TooManyAttempts


async def create_user(
    login: str,
    password: str,
    *,
    store: AccountStore,
    run: RunHeavy,
    now: int,
    actor: str,
    claims: Mapping[str, object] | None = None,
    subject: str = "",
) -> User:
    """Store a new user and return it. An empty password makes one that no password can sign in.

    Raises:
        WeakPassword: the password is refused by the policy.
        UnusableLogin: the login is empty, too long or taken.

    """
    normal = normal_login(login)
    if not normal or len(normal) > LONGEST_LOGIN:
        raise UnusableLogin("the login is empty or too long")
    password_hash = await _hash_of_new(password, normal, run) if password else ""
    user = User(
        subject=subject or random_id(),
        login=normal,
        password_hash=password_hash,
        claims=claims or {},
        created_at=now,
        updated_at=now,
    )
    event = Event(kind=EventKind.USER_CREATED, at=now, actor=actor, subject=user.subject)
    if not await store.create_user(user, event):
        raise UnusableLogin("the login is taken")
    return user


async def change_password(
    attempt: Attempt, new_password: str, *, store: AccountStore, run: RunHeavy, now: int, limits: SignInLimits
) -> PasswordChange:
    """Change a user's own password, which takes the present one (ASVS 6.2.3), and begin a new session.

    All of the user's grants and sessions end: whoever knew the old password has nothing left.

    Raises:
        WeakPassword: the new password is refused by the policy.

    """
    password_hash = ""
    for _ in range(TRIES):
        # Whoever was changed meanwhile is checked anew: the present password may be another, or the user disabled.
        checked = await check_password(attempt, store=store, run=run, now=now, limits=limits)
        if not isinstance(checked, User):
            return checked
        password_hash = password_hash or await _hash_of_new(new_password, checked.login, run)
        event, ends = _password_changed(checked.subject, now=now, actor=f"user:{checked.subject}")
        changed = replace(checked, password_hash=password_hash, updated_at=now)
        if await store.change_user(changed, event, was=checked, ends=ends) is UserChange.CHANGED:
            return await _new_session(changed, attempt, store=store, now=now)
    raise StoreUnavailable(_TOO_BUSY)


async def _new_session(user: User, attempt: Attempt, *, store: AccountStore, now: int) -> SignedIn | WrongCredentials:
    changed = await store.user(user.subject)
    # The epoch comes from a read that shows the password just set: whatever ends all after it ends this session too.
    if changed is None or changed.disabled_at is not None or changed.password_hash != user.password_hash:
        return WrongCredentials()
    session = new_session(changed, flow="", now=now, address=attempt.address, agent=attempt.agent)
    event = Event(
        kind=EventKind.SIGNED_IN,
        at=now,
        actor=f"user:{changed.subject}",
        subject=changed.subject,
        address=attempt.address,
        agent=attempt.agent,
    )
    await store.create_session(session, event)
    return SignedIn(user=changed, session=session)


async def set_password(
    user: User, new_password: str, *, store: AccountStore, run: RunHeavy, now: int, actor: str
) -> None:
    """Give a user a new password, ending all grants and sessions.

    Raises:
        WeakPassword: the password is refused by the policy.
        UnknownUser: the user is gone.

    """
    password_hash = await _hash_of_new(new_password, user.login, run)
    await set_password_hash(user, password_hash, store=store, now=now, actor=actor)


async def set_password_hash(user: User, password_hash: str, *, store: AccountStore, now: int, actor: str) -> None:
    """Give a user a new password that only its hash is known of, ending all grants and sessions.

    Raises:
        UnknownUser: the user is gone.

    """
    event, ends = _password_changed(user.subject, now=now, actor=actor)
    await _change(user, lambda as_is: replace(as_is, password_hash=password_hash), event, store=store, ends=ends)


async def set_claims(user: User, claims: Mapping[str, object], *, store: AccountStore, now: int, actor: str) -> None:
    """Replace a user's claims; nothing ends.

    Raises:
        UnknownUser: the user is gone.

    """
    event = _changed(user.subject, "claims", now=now, actor=actor)
    await _change(user, lambda as_is: replace(as_is, claims=claims), event, store=store)


async def change_claims(
    user: User, changes: Mapping[str, object], *, store: AccountStore, now: int, actor: str
) -> None:
    """Change some of a user's claims and remove those that are None; others stay, and nothing ends.

    Raises:
        UnknownUser: the user is gone.

    """

    def changed(as_is: User) -> User:
        together = {**as_is.claims, **changes}
        return replace(as_is, claims={name: value for name, value in together.items() if value is not None})

    if changed(user) == user:
        return
    event = _changed(user.subject, "claims", now=now, actor=actor)
    await _change(user, changed, event, store=store)


async def disable_user(subject: str, *, store: AccountStore, now: int, actor: str) -> None:
    """Keep a user from signing in and end all grants and sessions (ASVS 7.4.2).

    Raises:
        UnknownUser: there is no such user.

    """
    user = await _existing(subject, store)
    ends = Ended(reason=EndReason.USER_DISABLED, actor=actor, at=now)
    event = _changed(subject, "disabled", now=now, actor=actor)
    await _change(
        user, lambda as_is: replace(as_is, disabled_at=as_is.disabled_at or now), event, store=store, ends=ends
    )


async def enable_user(subject: str, *, store: AccountStore, now: int, actor: str) -> None:
    """Let a disabled user sign in again; what had ended stays ended.

    Raises:
        UnknownUser: there is no such user.

    """
    user = await _existing(subject, store)
    event = _changed(subject, "enabled", now=now, actor=actor)
    await _change(user, lambda as_is: replace(as_is, disabled_at=None), event, store=store)


async def delete_user(subject: str, *, store: AccountStore, now: int, actor: str) -> None:
    """Delete a user and end all grants and sessions.

    Raises:
        UnknownUser: there is no such user.

    """
    event = Event(kind=EventKind.USER_DELETED, at=now, actor=actor, subject=subject)
    ends = Ended(reason=EndReason.USER_DELETED, actor=actor, at=now)
    if not await store.delete_user(subject, event, ends):
        raise UnknownUser("there is no such user")


async def _hash_of_new(password: str, login: str, run: RunHeavy) -> str:
    found = weakness(password, login)
    if found is not None:
        raise WeakPassword(found)
    return await run(lambda: hash_password(password))


async def _existing(subject: str, store: AccountStore) -> User:
    user = await store.user(subject)
    if user is None:
        raise UnknownUser("there is no such user")
    return user


def _password_changed(subject: str, *, now: int, actor: str) -> tuple[Event, Ended]:
    ends = Ended(reason=EndReason.PASSWORD_CHANGED, actor=actor, at=now)
    return _changed(subject, "password", now=now, actor=actor), ends


def _changed(subject: str, what: str, *, now: int, actor: str) -> Event:
    return Event(kind=EventKind.USER_CHANGED, at=now, actor=actor, subject=subject, details={"change": what})


async def _change(
    user: User, change: Callable[[User], User], event: Event, *, store: AccountStore, ends: Ended | None = None
) -> None:
    """Change the user as read, or as read again where somebody else's change came between."""
    for _ in range(TRIES):
        changed = replace(change(user), updated_at=event.at)
        # The login stays, so it cannot be taken.
        if await store.change_user(changed, event, was=user, ends=ends) is UserChange.CHANGED:
            return
        user = await _existing(user.subject, store)
    raise StoreUnavailable(_TOO_BUSY)
