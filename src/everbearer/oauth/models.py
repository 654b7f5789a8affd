"""What the protocol speaks of: clients, grants and how they end. Frozen values; times are seconds since 1970 (UTC)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from everbearer.oauth.scope import Scope

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"
CLIENT_CREDENTIALS = "client_credentials"


class AccessTokenFormat(StrEnum):
    """How a client's access tokens are made."""

    JWT = "jwt"
    """RFC 9068: any resource server can verify it by the published keys."""
    OPAQUE = "opaque"
    """Sealed: only introspection and userinfo can read it, and they see at once when its grant has ended."""


class AuthMethod(StrEnum):
    """How a client proves who it is at the token endpoint (OpenID Connect Core §9)."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    SECRET_JWT = "client_secret_jwt"
    """By a JWT that its secret authenticates."""
    PRIVATE_KEY_JWT = "private_key_jwt"
    """By a JWT that it signs with a key of its own."""
    NONE = "none"


class SubjectType(StrEnum):
    """Who else knows a user by the `sub` that a client is told (OpenID Connect Core §8)."""

    PUBLIC = "public"
    """Every client: it is the same for all."""
    PAIRWISE = "pairwise"
    """Only clients of the same sector, so that others cannot compare what they know of a user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationPolicy:
    """What a refresh does to the refresh token, and how long its answer may be asked for again."""

    rotate: bool | None = None
    """Issue a new refresh token at each refresh; None to do so for public clients only."""
    retry_window: int | None = None
    """Seconds in which the newest spent token is answered again with the same successor; None until that successor is
    used; 0 never (strict single use, ASVS 10.4.5)."""
    late_after: int = 10
    """Seconds after which a retry counts as late."""
    late_limit: int | None = 3
    """End the grant as theft at late retries in this many generations in a row; None for no limit. Confidential
    clients have none: each retry of theirs is authenticated."""
    retry_limit: int = 200
    """How many retries one generation may have; more are refused and the grant lives."""
    arrival_after: int = 120
    """Seconds after a rotation, beyond which the use of an access token that came with it, at userinfo or
    introspection, proves that the answer arrived and closes the retry window. Long enough for a second tab: browsers
    throttle the timers of background tabs to once a minute, and clocks of nodes differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """How long what is issued lasts, in seconds. A change applies to live grants at once."""

    access_token: int = 30 * MINUTE
    access_token_jitter: float = 0.0
    """Each access token lives shorter by a random part of this share of its life, 0 to 0.5: who refreshed together, as
    after an outage, then does not come again together."""
    refresh_token: int = 52 * WEEK
    """From sign-in to the end of the grant, however often it is refreshed."""
    refresh_token_idle: int | None = 30 * DAY
    """From the last refresh to the end of the grant; None for no such limit."""
    id_token: int = 5 * MINUTE
    authorization_code: int = MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An application that asks for tokens (RFC 6749 §2). Names of metadata are those of RFC 7591 §2."""

    client_id: str
    client_name: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Keyed hashes of its secrets, newest first; none for a client that is public or has keys of its own."""
    sealed_secrets: tuple[str, ...] = field(default=(), repr=False)
    """The same secrets, sealed, of a client that authenticates by `client_secret_jwt` and of no other: a hash does not
    verify what the secret authenticates."""
    token_endpoint_auth_method: AuthMethod | None = None
    """The one method it may use; None for a confidential client that may send its secret either way."""
    token_endpoint_auth_signing_alg: str | None = None
    """The one algorithm its assertions may be signed with; None for any that fits the method and the key."""
    jwks: str = ""
    """Its public keys: a JWK Set (RFC 7517 §5), in JSON."""
    jwks_uri: str = ""
    """Where its public keys are published, instead of `jwks`."""
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = (AUTHORIZATION_CODE, REFRESH_TOKEN)
    scope: Scope = ()
    """All it may ask for."""
    subject_type: SubjectType = SubjectType.PUBLIC
    sector_identifier: str = ""
    """The host that pairwise subjects are made for; empty where all redirect URIs are of one host, which then is it."""
    first_party: bool = False
    """The operator's own: no consent page, and userinfo shows all claims."""
    require_pkce: bool = True
    access_token_format: AccessTokenFormat = AccessTokenFormat.JWT
    access_token_signing_alg: str = "ES256"
    id_token_signed_response_alg: str = "ES256"
    audience: str = ""
    """The `aud` of its JWT access tokens; the issuer where none is set."""
    introspects_all: bool = False
    """It is a resource server: introspection shows it every token, not only those issued to it."""
    lifetimes: Lifetimes = Lifetimes()
    rotation: RotationPolicy = RotationPolicy()
    client_uri: str = ""
    logo_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    disabled_at: int | None = None
    created_at: int = 0
    epoch: int = 0
    """How often all of this client's grants have been ended; see `Ended`. Read from the store, never written."""

    @property
    def public(self) -> bool:
        """Whether it cannot keep a secret, nor a key (RFC 6749 §2.1)."""
        return not self.secrets and self.token_endpoint_auth_method is not AuthMethod.PRIVATE_KEY_JWT


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBinding:
    """What an authorization code is bound to until it is redeemed (RFC 6749 §4.1.3, RFC 7636 §4.4)."""

    redirect_uri: str
    """As it stood in the authorization request; empty where the request left it out."""
    code_challenge: str = ""
    nonce: str = field(default="", repr=False)


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
    client_epoch: int | None = None
    consent_epoch: int | None = None
    history: tuple[HistoryEntry, ...] = ()
    ended: Ended | None = None
    """Read from the store: the grant's own end, or that of all grants of its user, client, consent or session."""
