"""The people who sign in, their browser sessions and what they consented to. Frozen; times as in the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from everbearer.oauth.arguments import check_fields, refuse
from everbearer.oauth.models import Ended
from everbearer.oauth.scope import Scope

PASSWORD = "pwd"
"""In `amr`: signed in by password (RFC 8176 §2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who can sign in."""

    subject: str
    """The `sub` of all tokens: never reused, never changed (OpenID Connect Core §8)."""
    login: str
    """What the user types to sign in, as `normal_login` makes it: an e-mail address or a name."""
    password_hash: str = field(default="", repr=False)
    """argon2id in PHC form; empty where no password can sign in."""
    claims: Mapping[str, object] = field(default_factory=dict[str, object])
    """Standard claims (OpenID Connect Core §5.1) and others, as the application reads them at userinfo."""
    disabled_at: int | None = None
    created_at: int = 0
    updated_at: int = 0
    epoch: int = 0
    """How often all of this user's grants and sessions have been ended. Read from the store, never written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser that is signed in."""

    session_id: str
    secret: bytes = field(repr=False)
    """16 random bytes that the cookie holds sealed."""
    subject: str
    user_epoch: int
    """The user's epoch when the password was checked: whatever ended all since then has ended this too."""
    auth_time: int
    amr: tuple[str, ...] = (PASSWORD,)
    flow: str = field(default="", repr=False)
    """The sign-in flow this authentication answered, so that `prompt=login` is satisfied once."""
    created_at: int = 0
    used_at: int = 0
    address: str = ""
    agent: str = ""
    ended: Ended | None = None
    """Read from the store: the session's own end, or that of all its user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a user allowed a client (remembered), with the epoch that new grants under it take."""

    subject: str
    client_id: str
    scope: Scope = ()
    """Empty where the user has not consented, or withdrew."""
    granted_at: int = 0
    epoch: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLifetimes:
    """How long a browser stays signed in, in seconds."""

    absolute: int = 52 * 7 * 86400
    idle: int = 30 * 86400

    def __post_init__(self) -> None:
        check_fields(self)
        refuse(f"{name} must be at least 1 second" for name in ("absolute", "idle") if getattr(self, name) < 1)
