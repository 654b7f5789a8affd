"""A client and its settings (RFC 6749 §2, RFC 7591 §2). Frozen values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from everbearer.oauth.arguments import check_fields
from everbearer.oauth.models import DAY, MINUTE, WEEK
from everbearer.oauth.response_types import CODE
from everbearer.oauth.scope import Scope

AUTHORIZATION_CODE = "authorization_code"
IMPLICIT = "implicit"
"""Stands for tokens in authorization responses (RFC 7591 §2.1); no request to the token endpoint has it."""
REFRESH_TOKEN = "refresh_token"
CLIENT_CREDENTIALS = "client_credentials"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
PASSWORD = "password"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_WITHOUT_REFRESH = frozenset({REFRESH_TOKEN, CLIENT_CREDENTIALS, IMPLICIT, TOKEN_EXCHANGE, JWT_BEARER})
"""The grants that give no refresh token to begin with. One of an application's own may."""


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

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """How long what is issued lasts, in seconds. A change applies to live grants at once."""

    access_token: int = 30 * MINUTE
    access_token_by_grant: Mapping[str, int] = field(default_factory=dict[str, int], hash=False)
    """The same for access tokens that come of single grants, by `grant_type`."""
    access_token_jitter: float = 0.0
    """Each access token lives shorter by a random part of this share of its life, 0 to 0.5: who refreshed together, as
    after an outage, then does not come again together."""
    refresh_token: int = 52 * WEEK
    """From sign-in to the end of the grant, however often it is refreshed."""
    refresh_token_idle: int | None = 30 * DAY
    """From the last refresh to the end of the grant; None for no such limit."""
    id_token: int = 5 * MINUTE
    authorization_code: int = MINUTE
    device_code: int = 10 * MINUTE
    """How long the user of a device has to type its user code and say yes (RFC 8628 §3.2)."""

    def __post_init__(self) -> None:
        check_fields(self)

    def access_token_of(self, grant_type: str) -> int:
        """Return how long an access token lives that comes of a grant."""
        # Most have one life for all.
        if not self.access_token_by_grant:
            return self.access_token
        return self.access_token_by_grant.get(grant_type, self.access_token)

    @property
    def longest_access_token(self) -> int:
        """Return how long an access token may live, whichever grant it comes of."""
        if not self.access_token_by_grant:
            return self.access_token
        return max(self.access_token, *self.access_token_by_grant.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenExchangePolicy:
    """Which tokens a client may exchange, and whom for (RFC 8693). By itself: its own, and those that are for it."""

    subject_clients: tuple[str, ...] = ()
    """The clients whose tokens it may bring, besides its own and those whose `aud` it is, or a resource that it is the
    server of (`introspects`)."""
    audiences: tuple[str, ...] = ()
    """What it may ask tokens for, by `audience` or `resource`, besides the resources that it may ask for anyway; each
    is compared exactly."""
    impersonate: bool = False
    """Whether nobody need be told that it acts for the subject. Otherwise tokens for others' subjects have `act`."""

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfRegistration:
    """How a client registered itself (RFC 7591): what it says of itself, nobody has checked."""

    access_token_hash: str = field(repr=False)
    """Of its registration access token, by which it changes or deletes itself (RFC 7592)."""
    scope: Scope = ()
    """All that it may register as its scope."""
    authorized_by: str = ""
    """The initial access token that it came with, by its id; empty where it had none."""
    statement_issuer: str = ""
    """Who signed the software statement that it came with; empty where it had none."""
    verified_at: int | None = None
    """When an operator vouched for it, as it was then."""
    metadata: str = ""
    """What it registered that is no setting here, as JSON: it is told again, and has no effect."""

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """An application that asks for tokens (RFC 6749 §2). Names of metadata are those of RFC 7591 §2.

    Raises:
        ValueError: a setting is of another type than its own. What contradicts itself `client_problems` tells.
    """

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
    """Its public keys, to verify what it signs and to encrypt to it: a JWK Set (RFC 7517 §5), in JSON."""
    jwks_uri: str = ""
    """Where its public keys are published, instead of `jwks`."""
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str = ""
    """Where the server sends it a logout token when a session ends; empty where it wants none."""
    backchannel_logout_session_required: bool = False
    """It cannot do without `sid` in logout tokens, which all of ours have."""
    frontchannel_logout_uri: str = ""
    """What the browser loads in a frame when it is signed out; empty where nothing."""
    frontchannel_logout_session_required: bool = False
    """It wants `iss` and `sid` added to that."""
    grant_types: tuple[str, ...] = (AUTHORIZATION_CODE, REFRESH_TOKEN)
    response_types: tuple[str, ...] = (CODE,)
    """What it may ask the authorization endpoint for; `none`, which gives nothing, it may without being listed."""
    scope: Scope = ()
    """All it may ask for."""
    subject_type: SubjectType = SubjectType.PUBLIC
    sector_identifier: str = ""
    """The host that pairwise subjects are made for; empty where all redirect URIs are of one host, which then is it."""
    claims: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]], hash=False)
    """What scope values give it, where that is not what they give all clients: each with all its claims."""
    id_token_claims: tuple[str, ...] = ()
    """The claims that stand in its ID tokens too, whenever the scope of the token gives them."""
    first_party: bool = False
    """The operator's own: no consent page, and userinfo shows all claims."""
    require_pkce: bool | None = None
    """Refuse to give codes without PKCE; False: give them without. None: a confidential client may send a `nonce` in an
    OpenID request instead, or whatever the server's profile allows. Public clients always need PKCE."""
    default_max_age: int | None = None
    """Seconds that a sign-in may be old where its requests have no `max_age`; None for no such limit."""
    request_object_signing_alg: str = ""
    """The one algorithm that its request objects may have; empty for any that fits its keys. `none` lets it send
    unsigned ones."""
    require_signed_request_object: bool = False
    """Refuse authorization requests without one, and whatever stands beside one (RFC 9101 §10.5)."""
    request_uris: tuple[str, ...] = ()
    """Where its request objects may stand. One with a fragment is pinned to what has that SHA-256."""
    require_auth_time: bool = False
    """It needs `auth_time` in its ID tokens, which all here have (OpenID Connect Dynamic Client Registration §2)."""
    default_acr_values: tuple[str, ...] = ()
    """What its sign-ins should be where its requests have no `acr_values`, the best first."""
    remember_consent: bool = True
    """A user who has consented is not asked again; where not, at each authorization request (ASVS 10.7.1)."""
    access_token_format: AccessTokenFormat = AccessTokenFormat.JWT
    access_token_signing_alg: str = "ES256"
    id_token_signed_response_alg: str = "ES256"
    id_token_encrypted_response_alg: str | None = None
    """How its ID tokens are encrypted to a key of its own; None for not at all."""
    id_token_encrypted_response_enc: str | None = None
    """How their content is, once that is so; None for A128CBC-HS256 (OpenID Connect Registration §2)."""
    userinfo_signed_response_alg: str | None = None
    """How userinfo is signed for it; None for plain JSON."""
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str | None = None
    introspection_signed_response_alg: str | None = None
    """How introspection is signed for it where it asks for a JWT; None for RS256 (RFC 9701 §6)."""
    introspection_encrypted_response_alg: str | None = None
    introspection_encrypted_response_enc: str | None = None
    audience: str = ""
    """The `aud` of its JWT access tokens; the issuer where none is set."""
    resources: tuple[str, ...] = ()
    """The resources that it may ask tokens for, besides those that every client may ask for (RFC 8707)."""
    introspects: tuple[str, ...] = ()
    """It is the server of these resources: introspection shows it their tokens."""
    introspects_all: bool = False
    """It is a resource server: introspection shows it every token, not only those issued to it."""
    lifetimes: Lifetimes = Lifetimes()
    rotation: RotationPolicy = RotationPolicy()
    token_exchange: TokenExchangePolicy = TokenExchangePolicy()
    client_uri: str = ""
    logo_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    initiate_login_uri: str = ""
    """Where others send a browser to be signed in by it (OpenID Connect Core §4)."""
    registration: SelfRegistration | None = None
    """None for a client that an operator made."""
    disabled_at: int | None = None
    created_at: int = 0
    epoch: int = 0
    """How often all of this client's grants have been ended; see `Ended`. Read from the store, never written."""
    used_at: int | None = None
    """When a client that registered itself was last known to be in use, to within a day; None for others. Read from the
    store, never written."""

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def public(self) -> bool:
        """Whether it cannot keep a secret, nor a key (RFC 6749 §2.1)."""
        return not self.secrets and self.token_endpoint_auth_method is not AuthMethod.PRIVATE_KEY_JWT

    @property
    def unverified(self) -> bool:
        """Whether it registered itself, and neither an operator nor anybody who is trusted vouches for what it says."""
        record = self.registration
        return record is not None and record.verified_at is None and not record.statement_issuer


def refreshes_nothing(grant_types: Collection[str]) -> bool:
    """Return whether `refresh_token` is among grants none of which gives a token to refresh."""
    return REFRESH_TOKEN in grant_types and _WITHOUT_REFRESH.issuperset(grant_types)
