"""Browser sessions: who is signed in, proved by a sealed cookie (OWASP ASVS 7)."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import replace

from everbearer.login.models import PASSWORD, Session, SessionLifetimes, User
from everbearer.login.store import AccountStore
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.encoding import base64url, from_base64url
from everbearer.oauth.events import Event
from everbearer.oauth.models import MINUTE, Authentication, Ended, EndReason, Everything
from everbearer.oauth.randomness import random_bytes, random_id

PREFIX = "ers_"
"""Of the cookie's value, so that secret scanners find one that leaked."""
TOUCH_EVERY = MINUTE
FLOW_LIFETIME = 30 * MINUTE
"""How long after a sign-in the authorization request that asked for it may still rely on it."""

_ID_LENGTH = 16
SECRET_LENGTH = 16


def new_session(user: User, *, flow: str, now: int, address: str = "", agent: str = "") -> Session:
    """Return a new session of a user who has just signed in, under an id and a secret of its own (ASVS 7.2.4)."""
    return Session(
        session_id=random_id(),
        secret=random_bytes(SECRET_LENGTH),
        subject=user.subject,
        user_epoch=user.epoch,
        auth_time=now,
        flow=flow,
        created_at=now,
        used_at=now,
        address=address,
        agent=agent,
    )


async def begin_session(session: Session, event: Event, *, present: Session | None, store: AccountStore) -> Session:
    """Store the session of a user who has just signed in, and return it.

    Where the browser's `present` session is the same user's, that one goes on under the new secret: the old cookie is
    good no more (ASVS 7.2.4), but no application learns of a sign-out that was none.
    """
    if present is not None and present.subject == session.subject:
        renewed = replace(session, session_id=present.session_id)
        if await store.renew_session(renewed, event, was=present):
            return renewed
    await store.create_session(session, event)
    return session


def cookie_value(session: Session, sealer: Sealer) -> str:
    """Return what the browser keeps: the session's id and secret, sealed."""
    session_id = from_base64url(session.session_id) or b""
    return PREFIX + base64url(sealer.seal("session", session_id + session.secret))


async def open_session(
    cookie: str, *, store: AccountStore, sealer: Sealer, lifetimes: SessionLifetimes, now: int
) -> Session | None:
    """Return the live session that a cookie's value stands for, noting its use at most once a minute."""
    opened = _unseal(cookie, sealer)
    if opened is None:
        return None
    session_id, secret = opened
    session = await store.session(session_id)
    if session is None or not hmac.compare_digest(session.secret, secret):
        return None
    if not is_live(session, lifetimes, now):
        return None
    if now - session.used_at >= TOUCH_EVERY:
        await store.touch_session(session_id, now)
    return session


def is_live(session: Session, lifetimes: SessionLifetimes, now: int) -> bool:
    """Return whether the session has neither ended nor expired."""
    expires_at = min(session.created_at + lifetimes.absolute, session.used_at + lifetimes.idle)
    return session.ended is None and now < expires_at


def authentication(session: Session, *, acr: str = "") -> Authentication:
    """Return what the protocol says of this sign-in in ID tokens (OpenID Connect Core §2).

    `acr` is that of a sign-in by password.
    """
    return Authentication(
        subject=session.subject,
        auth_time=session.auth_time,
        amr=session.amr,
        acr=acr if PASSWORD in session.amr else "",
        session_id=session.session_id,
        user_epoch=session.user_epoch,
    )


def needs_sign_in(
    session: Session | None,
    *,
    prompt: Collection[str],
    max_age: int | None,
    another_user: bool,
    flow: str,
    now: int,
) -> bool:
    """Return whether the user must sign in (again) for an authorization request (OpenID Connect Core §3.1.2.3).

    `another_user` says that the request is for somebody else than who is signed in. A sign-in answers the one flow it
    was asked for, so that `prompt=login` asks once and `max_age=0` is possible.
    """
    if session is None or another_user:
        return True
    if answers_flow(session, flow, now):
        return False
    # "max_age=0 is equivalent to prompt=login" (§3.1.2.1), also within the second of the sign-in.
    too_old = max_age is not None and (max_age == 0 or now - session.auth_time > max_age)
    return too_old or "login" in prompt or "select_account" in prompt


def answers_flow(session: Session, flow: str, now: int) -> bool:
    """Return whether this session began by the sign-in that the flow asked for, and lately."""
    recent = now - session.auth_time <= FLOW_LIFETIME
    return bool(flow) and recent and hmac.compare_digest(session.flow.encode(), flow.encode())


async def sign_out(session: Session, *, store: AccountStore, now: int) -> None:
    """End a session, and with it the grants that were to last as long."""
    ended = Ended(reason=EndReason.SIGNED_OUT, actor=f"user:{session.subject}", at=now)
    await store.end_all(Everything.SESSION, session.session_id, ended)


async def sign_out_others(current: Session, *, store: AccountStore, now: int) -> None:
    """End all of a user's sessions but the current one (ASVS 7.4.3)."""
    for session in await store.sessions_of(current.subject):
        if session.session_id != current.session_id:
            await sign_out(session, store=store, now=now)


def _unseal(cookie: str, sealer: Sealer) -> tuple[str, bytes] | None:
    sealed = from_base64url(cookie.removeprefix(PREFIX)) if cookie.startswith(PREFIX) else None
    plain = sealer.unseal("session", sealed) if sealed else None
    if plain is None or len(plain) != _ID_LENGTH + SECRET_LENGTH:
        return None
    return base64url(plain[:_ID_LENGTH]), plain[_ID_LENGTH:]
