"""The authorization server: a frozen value of all that the endpoints need. Extending it is passing a function."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from everbearer.oauth.arguments import check_fields, refuse
from everbearer.oauth.client import DEVICE_CODE, Client
from everbearer.oauth.client_registration import ClientRegistration
from everbearer.oauth.crypto.keys import KeySet
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.errors import InvalidClient, RequestUriNotSupported
from everbearer.oauth.events import EVERY_KIND, Event, EventKind
from everbearer.oauth.issuance_hooks import IssuanceHooks
from everbearer.oauth.messages import Request
from everbearer.oauth.parameters import Parameters
from everbearer.oauth.profile import STRICT, Profile
from everbearer.oauth.randomness import random_fraction
from everbearer.oauth.resource import Resource
from everbearer.oauth.scope import OFFLINE_ACCESS, OPENID, Scope
from everbearer.oauth.server_rules import ADVICE, address_problems, polling_problems, resource_problems, scope_problems
from everbearer.oauth.store import DeviceStore, Store
from everbearer.oauth.token_response import TokenResponse

STANDARD_SCOPES: Mapping[str, str] = {
    OPENID: "Know who you are",
    OFFLINE_ACCESS: "Stay signed in when you are away",
    "profile": "See your profile: name, picture and the like",
    "email": "See your e-mail address",
    "address": "See your postal address",
    "phone": "See your phone number",
}
"""What OpenID Connect Core §5.4 and §11 define, in words for a consent page."""

CLAIMS_OF_SCOPE: Mapping[str, tuple[str, ...]] = {
    "profile": (
        *("name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile"),
        *("picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"),
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
"""Which claims a scope value asks for (§5.4)."""


def unix_now() -> int:
    """Return the time in whole seconds since 1970 (UTC)."""
    return int(time.time())


async def no_claims(subject: str) -> Mapping[str, object] | None:  # noqa: ARG001 - the shape of `claims`
    """Return no claims for any subject."""
    return {}


async def no_jwks(uri: str, *, anew: bool) -> str:  # noqa: ARG001 - the shape of `jwks`
    """Fetch nothing.

    Raises:
        InvalidClient: always.
    """
    raise InvalidClient("this server fetches no jwks_uri: register the keys themselves, as jwks")


class JwksSource(Protocol):
    """Fetches what clients publish, at URIs that an operator registered."""

    async def __call__(self, uri: str, *, anew: bool) -> str:
        """Return the JWK Set document at a URI.

        With `anew` it is what stands there now, unless it was fetched a moment ago; else what was fetched lately will
        do.

        Raises:
            InvalidClient: what stands there will not do, and the next time it will not either.
            TemporarilyUnavailable: it could not be fetched for a reason that passes.
        """
        ...


async def no_request_objects(uri: str) -> str:  # noqa: ARG001 - the shape of `request_objects`
    """Fetch nothing.

    Raises:
        RequestUriNotSupported: always.
    """
    raise RequestUriNotSupported("this server fetches no request_uri: send the request object itself, as request")


class RequestObjectSource(Protocol):
    """Fetches request objects at the URIs that clients registered."""

    async def __call__(self, uri: str) -> str:
        """Return the document at a URI, which may have been fetched lately.

        Raises:
            InvalidRequestUri: what stands there will not do.
            TemporarilyUnavailable: it could not be fetched for a reason that passes.
        """
        ...


async def no_note(client_id: str, at: int) -> None:
    """Note nothing: no client is removed because nobody uses it."""


class LogoutNotice(StrEnum):
    """How clients learn that a session has ended. Each is the application's part, beside `end_session_endpoint`."""

    BACK_CHANNEL = "backchannel"
    """By logout tokens (Back-Channel Logout 1.0)."""
    FRONT_CHANNEL = "frontchannel"
    """By frames in the page that says so (Front-Channel Logout 1.0)."""
    SESSION_MANAGEMENT = "session management"
    """By asking a frame of ours, at `check_session_iframe` (Session Management 1.0)."""


def no_salt() -> bytes:
    """Return no salt: no client may have pairwise subjects."""
    return b""


def no_listener(event: Event) -> None:
    """Listen to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """A token request whose form is read and whose client is authenticated."""

    http: Request
    parameters: Parameters
    client: Client

    @property
    def grant_type(self) -> str:
        """Return which grant is asked for."""
        return self.parameters.get("grant_type", "")

    @property
    def idempotency_key(self) -> str:
        """Return the `Idempotency-Key` header, empty where there is none."""
        return self.http.headers.get("idempotency-key", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationServer:
    """Issues tokens for an issuer, out of a store, signed with keys.

    Raises:
        ValueError: it cannot be made of these; the message says what to change.
    """

    issuer: str
    """An https URL without query, fragment or trailing slash (RFC 8414 §2); for development it may be of http."""
    endpoints: str = ""
    """The absolute URL, without a trailing slash, below which the endpoints answer; the issuer where it is empty."""
    store: Store
    sealer: Sealer
    keys: Callable[[], KeySet]
    """Returns the signing keys of the moment."""
    scopes: Mapping[str, str] = field(default_factory=lambda: STANDARD_SCOPES)
    """All scope values there are, with words for a consent page."""
    default_scope: Scope = ()
    """What users are asked for where a request names no scope, as far as its client may have it (RFC 6749 §3.3); such a
    request is refused where this is empty."""
    claims: Callable[[str], Awaitable[Mapping[str, object] | None]] = no_claims
    """Returns a subject's claims for userinfo; None where there is no such user, or none that may be told of."""
    claims_of_scope: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: CLAIMS_OF_SCOPE)
    """Which of these a scope value gives, where its client does not say otherwise."""
    resources: Mapping[str, Resource] = field(default_factory=dict[str, Resource])
    """The protected resources that access tokens can be asked for, by their identifiers (RFC 8707)."""
    pairwise_salt: Callable[[], bytes] = no_salt
    """Returns 32 random bytes that pairwise subjects are made with. Who changes them changes all these subjects; who
    knows them can tell whom a pairwise subject stands for."""
    profile: Profile = STRICT
    """What clients may have without a setting of their own."""
    acr_values: tuple[str, ...] = ()
    """The `acr` values that sign-ins can have, for the metadata."""
    end_session: bool = False
    """Whether the application answers at `/oauth2/end_session` below the endpoints (RP-Initiated Logout 1.0), for the
    metadata."""
    logout_notices: frozenset[LogoutNotice] = frozenset()
    """How clients learn of a logout, for the metadata."""
    devices: DeviceStore | None = None
    """Keeps what devices ask that wait for their users (RFC 8628); None where there is no device authorization."""
    verification_uri: str = ""
    """Where users type the codes that devices show (RFC 8628 §3.2); `/device` below the issuer where it is empty."""
    polling_interval: int = 5
    """Seconds that a device is to wait between two polls."""
    grants: Mapping[str, Callable[[TokenRequest, AuthorizationServer], Awaitable[TokenResponse]]]
    """The grant of each `grant_type` that is enabled."""
    hooks: IssuanceHooks | None = None
    """What an application has to say about tokens before they are minted; None where it says nothing."""
    jwks: JwksSource = no_jwks
    """Fetches what clients publish at their `jwks_uri`, and keeps it for a while."""
    request_objects: RequestObjectSource = no_request_objects
    """Fetches request objects by their `request_uri`."""
    registration: ClientRegistration | None = None
    """How clients register themselves; None where they do not."""
    note_client_use: Callable[[str, int], Awaitable[None]] = no_note
    """Is told, now and then, which client that registered itself is in use, and when, where no grant tells of it."""
    now: Callable[[], int] = unix_now
    chance: Callable[[], float] = random_fraction
    """Returns a number from 0 to below 1: how much of its jitter shortens an access token's life."""
    notify: Callable[[Event], None] = no_listener
    """Is told of what happens at the endpoints, also of what the audit trail does not keep. It may not raise, and every
    request waits for it."""
    hears: Container[EventKind] = EVERY_KIND
    """What `notify` wants to be told of."""

    def __post_init__(self) -> None:
        check_fields(self, ADVICE)
        refuse(
            (
                *address_problems(issuer=self.issuer, endpoints=self.endpoints, verification_uri=self.verification_uri),
                *scope_problems(scopes=self.scopes, default_scope=self.default_scope),
                *resource_problems(self.resources),
                *polling_problems(self.polling_interval),
            )
        )

    @property
    def base(self) -> str:
        """Return the URL below which the endpoints answer."""
        return self.endpoints or self.issuer

    @property
    def grant_types(self) -> list[str]:
        """Return the names of the grants that there are: without somewhere to keep devices, not theirs."""
        return sorted(name for name in self.grants if name != DEVICE_CODE or self.devices is not None)

    def tell(self, event: Event) -> None:
        """Tell `notify` of an event, if it wants to hear of its kind."""
        if event.kind in self.hears:
            self.notify(event)
