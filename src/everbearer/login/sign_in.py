"""Sign in with a password: slow for guessers, the same in text and time for whoever is not let in (ASVS 6.3)."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass, field
from typing import TypeAlias

from everbearer.login.addresses import network_of
from everbearer.login.models import Session, User
from everbearer.login.passwords import NOBODYS_HASH, RunHeavy, hash_password, needs_upgrade, password_matches
from everbearer.login.sessions import begin_session, new_session
from everbearer.login.store import AccountStore
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import MINUTE

LONGEST_LOGIN = 320
"""The longest e-mail address (RFC 3696 §3, erratum 1690)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLimits:
    """How often a password may be tried."""

    per_account: int = 10
    """Failures for one login, whether or not it exists; a success starts anew."""
    per_address: int = 100
    """Attempts from one address (IPv6: from one /64)."""
    window: int = 15 * MINUTE
    """Seconds, from the first attempt counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What somebody typed to sign in, and where from."""

    login: str
    password: str = field(repr=False)
    flow: str = field(default="", repr=False)
    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The password was right and the session is stored."""

    user: User
    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongCredentials:
    """Unknown, disabled, without a password, or a wrong one: who asks cannot tell which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyAttempts:
    """The password was not looked at."""

    retry_after: int
    """Seconds until the attempts so far are forgotten."""


SignInOutcome: TypeAlias = SignedIn | WrongCredentials | TooManyAttempts


def normal_login(text: str) -> str:
    """Return a login as it is stored: however it was typed, one user has one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


async def sign_in(
    attempt: Attempt,
    *,
    store: AccountStore,
    run: RunHeavy,
    now: int,
    limits: SignInLimits,
    present: Session | None = None,
) -> SignInOutcome:
    """Check a password and start a session, or let the browser's `present` one go on where it is the same user's."""
    checked = await user_of_password(attempt, store=store, run=run, now=now, limits=limits)
    if not isinstance(checked, User):
        return checked
    # The epoch comes from the read that the hash came from: whatever has ended all since has ended this session too.
    session = new_session(checked, flow=attempt.flow, now=now, address=attempt.address, agent=attempt.agent)
    event = _event(EventKind.SIGNED_IN, attempt, now, subject=checked.subject)
    return SignedIn(user=checked, session=await begin_session(session, event, present=present, store=store))


async def user_of_password(
    attempt: Attempt, *, store: AccountStore, run: RunHeavy, now: int, limits: SignInLimits
) -> User | WrongCredentials | TooManyAttempts:
    """Return what `check_password` returns; the password of the user is hashed anew where that is due."""
    checked = await check_password(attempt, store=store, run=run, now=now, limits=limits)
    if isinstance(checked, User) and needs_upgrade(checked.password_hash):
        new = await run(lambda: hash_password(attempt.password))
        await store.upgrade_password_hash(checked.subject, old=checked.password_hash, new=new)
    return checked


async def check_password(
    attempt: Attempt, *, store: AccountStore, run: RunHeavy, now: int, limits: SignInLimits
) -> User | WrongCredentials | TooManyAttempts:
    """Return the user whose login and password these are, counting the attempt and recording a failure."""
    login = normal_login(attempt.login)
    wait = await _wait(login, attempt, store=store, now=now, limits=limits)
    if wait:
        return TooManyAttempts(retry_after=wait)
    user = await store.user_by_login(login) if len(login) <= LONGEST_LOGIN else None
    expected = user.password_hash if user and user.password_hash else NOBODYS_HASH
    matches = await run(lambda: password_matches(expected, attempt.password))
    if user is None or not matches or user.disabled_at is not None:
        await store.record(_failure(user, attempt, now, matches=matches))
        return WrongCredentials()
    await store.forget_attempts(_account_bucket(login))
    return user


async def _wait(login: str, attempt: Attempt, *, store: AccountStore, now: int, limits: SignInLimits) -> int:
    """Count the attempt and return for how long none is looked at; 0 where this one is."""
    # The address first: one that is over its limit cannot use up what an account has left.
    buckets = [(_account_bucket(login), limits.per_account)]
    if attempt.address:
        buckets.insert(0, (f"sign-in-address:{network_of(attempt.address)}", limits.per_address))
    for bucket, limit in buckets:
        counted = await store.count_attempt(bucket, now=now, window=limits.window)
        if counted.attempts > limit:
            if counted.attempts == limit + 1:  # Once a window: a flood of attempts is not to flood the audit trail.
                details = {"reason": "too many attempts", "by": bucket.partition(":")[0]}
                await store.record(_event(EventKind.SIGN_IN_FAILED, attempt, now, details=details))
            return counted.until - now
    return 0


def _account_bucket(login: str) -> str:
    # Hashed, for people type passwords where the login belongs.
    return f"sign-in-account:{hashlib.sha256(login.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _failure(user: User | None, attempt: Attempt, now: int, *, matches: bool) -> Event:
    if user is None:
        return _event(EventKind.SIGN_IN_FAILED, attempt, now, details={"reason": "unknown login"})
    reason = "user disabled" if matches else "wrong password"
    return _event(EventKind.SIGN_IN_FAILED, attempt, now, subject=user.subject, details={"reason": reason})


def _event(
    kind: EventKind, attempt: Attempt, now: int, *, subject: str = "", details: dict[str, str] | None = None
) -> Event:
    return Event(
        kind=kind,
        at=now,
        actor=f"user:{subject}" if kind is EventKind.SIGNED_IN else "",
        subject=subject,
        address=attempt.address,
        agent=attempt.agent,
        details=details or {},
    )
