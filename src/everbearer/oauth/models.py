"""What the protocol speaks of: grants, where they come from, how they end. Frozen; times: seconds since 1970, UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from everbearer.oauth.arguments import check_fields
from everbearer.oauth.scope import Scope

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY


class EndReason(StrEnum):
    """Why a grant ended. Each grant that ends has one."""

    EXPIRED_IDLE = "expired_idle"
    EXPIRED_ABSOLUTE = "expired_absolute"
    REUSED = "reused"
    LATE_RETRIES = "late_retries"
    CODE_REPLAYED = "code_replayed"
    CODE_EXPIRED = "code_expired"
    REVOKED_BY_CLIENT = "revoked_by_client"
    REVOKED_BY_USER = "revoked_by_user"
    REVOKED_BY_ADMIN = "revoked_by_admin"
    SIGNED_OUT = "signed_out"
    SESSION_EXPIRED = "session_expired"
    PASSWORD_CHANGED = "password_changed"
    USER_DISABLED = "user_disabled"
    USER_DELETED = "user_deleted"
    CLIENT_DISABLED = "client_disabled"
    CLIENT_DELETED = "client_deleted"
    CONSENT_WITHDRAWN = "consent_withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How something ended: once, for one reason, by one actor."""

    reason: EndReason
    actor: str
    """Who ended it: `server`, `client:ID`, `user:SUBJECT`, `admin:NAME`, or the like."""
    at: int


class Everything(StrEnum):
    """Whose grants one row can end, all at once. It raises the epoch of the key; grants of a lower epoch are dead."""

    USER = "user"
    """The key is a subject."""
    CLIENT = "client"
    """The key is a client id."""
    CONSENT = "consent"
    """The key is `consent_key(subject, client_id)`."""
    SESSION = "session"
    """The key is a session id; only grants that are not offline end with it."""


def consent_key(subject: str, client_id: str) -> str:
    """Return the key under which one user's consent to one client is ended."""
    return f"{subject} {client_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """Who signed in, when and how: what ID tokens say of it (OpenID Connect Core §2)."""

    subject: str
    auth_time: int
    amr: tuple[str, ...] = ()
    acr: str = ""
    session_id: str = ""
    user_epoch: int | None = None
    """The user's epoch at sign-in; None to take the newest when the grant is stored."""

    def check(self) -> None:
        """Return if the fields are of their types: an application's own sign-in makes this, and stores read it too.

        Raises:
            ValueError: they are not.
        """
        check_fields(self, {"subject": "write str(user.id)"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBinding:
    """What an authorization code is bound to until it is redeemed (RFC 6749 §4.1.3, RFC 7636 §4.4)."""

    redirect_uri: str
    """As it stood in the authorization request; empty where the request left it out."""
    code_challenge: str = ""
    nonce: str = field(default="", repr=False)
    expires_at: int | None = None
    """Until when it may be redeemed; None for as long as its client's codes live."""


AskedClaims: TypeAlias = Mapping[str, tuple[str, ...]]
"""Names of claims, each with the values that will do, as JSON; none where any will (OpenID Connect Core §5.5.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedClaims:
    """The user's claims that an authorization request asked for by name (OpenID Connect Core §5.5)."""

    userinfo: AskedClaims = field(default_factory=dict[str, tuple[str, ...]])
    id_token: AskedClaims = field(default_factory=dict[str, tuple[str, ...]])
    locales: tuple[str, ...] = ()
    """The languages in which claims are wanted too, as `claims_locales` named them (§5.2)."""


class Happening(StrEnum):
    """What lately happened to a grant, as its history tells."""

    ISSUED = "issued"
    REFRESHED = "refreshed"
    """Refreshed without rotation."""
    ROTATED = "rotated"
    RETRIED = "retried"
    RETRIED_LATE = "retried_late"
    RECOVERED = "recovered"
    """A refresh token newer than the store knew was accepted: the store had lost its latest writes."""


class HistoryEntry(NamedTuple):
    """One thing that happened to a grant. A tuple, for each refresh makes all of a ring's entries anew."""

    at: int
    happening: Happening
    generation: int
    """The generation of the refresh token that was answered with."""
    address: str = ""
    agent: str = ""


HISTORY_LENGTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A user let a client do something: one row for ever, however often it is refreshed.

    Generation 0 is the authorization code; generation n > 0 is the n-th refresh token. `generation` is the newest
    that was issued.
    """

    grant_id: str
    """16 random bytes, base64url."""
    client_id: str
    subject: str
    scope: Scope
    secret: bytes = field(repr=False)
    """16 random bytes that every code and refresh token of this grant holds sealed."""
    offline: bool
    """It has refresh tokens and outlives the browser session it came from."""
    authentication: Authentication
    created_at: int
    rotated_at: int
    """When the newest generation was issued."""
    used_at: int
    """The last use that counts against the idle lifetime."""
    generation: int = 0
    confirmed: int = 0
    """The newest generation whose answer is known to have arrived, other than by its refresh token's use."""
    retries: int = 0
    """How often the newest generation has been answered again."""
    late_generation: int = 0
    """The newest generation that was asked for again late."""
    late_streak: int = 0
    """How many generations in a row, up to `late_generation`, were."""
    idempotency_key: str = ""
    """Hash of the `Idempotency-Key` of the request that made the newest generation; empty where it had none."""
    code: CodeBinding | None = None
    """Until the code is redeemed."""
    claims: RequestedClaims | None = None
    """None where its request asked for no claim by name."""
    resources: tuple[str, ...] = ()
    """What its access tokens may be for (RFC 8707); empty where its request named no resource."""
    client_epoch: int | None = None
    consent_epoch: int | None = None
    history: tuple[HistoryEntry, ...] = ()
    ended: Ended | None = None
    """Read from the store: the grant's own end, or that of all grants of its user, client, consent or session."""


class DeviceDecision(StrEnum):
    """What a user said to a device that asked."""

    ALLOWED = "allowed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceAuthorization:
    """A device asks to be let in and waits until its user has said so elsewhere (RFC 8628 §3.2).

    Its device code is generation 0 of the grant that is stored when the user allows it.
    """

    grant_id: str
    """The id that its grant will have."""
    user_code: str = field(repr=False)
    """As `everbearer.oauth.authorization.user_codes` makes it, without the dash."""
    client_id: str
    scope: Scope
    resources: tuple[str, ...] = ()
    """The resources that it asks for (RFC 8707)."""
    secret: bytes = field(repr=False)
    """The secret that its grant will have."""
    created_at: int
    expires_at: int
    interval: int
    """Seconds that the device is to wait between two polls. They grow where it does not."""
    polled_at: int = 0
    """The last poll that did not come too early; 0 before the first."""
    decision: DeviceDecision | None = None
    address: str = ""
    """Where the device asked from, for its user to see."""
    agent: str = ""
