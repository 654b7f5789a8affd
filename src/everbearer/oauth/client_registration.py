"""Dynamic client registration as one frozen value: who may register what, and what that needs of the server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol, TypeAlias

from everbearer.oauth.arguments import check_fields, refuse
from everbearer.oauth.client import AUTHORIZATION_CODE, REFRESH_TOKEN, AuthMethod, Client, Lifetimes, RotationPolicy
from everbearer.oauth.client_registration_rules import life_problems, offer_problems
from everbearer.oauth.crypto.issuer_rules import issuer_problems
from everbearer.oauth.errors import InvalidClientMetadata
from everbearer.oauth.events import Event
from everbearer.oauth.initial_access_tokens import InitialAccessToken
from everbearer.oauth.models import Ended
from everbearer.oauth.scope import Scope


class Registered(Enum):
    """What came of registering a client."""

    REGISTERED = auto()
    """It is stored."""
    TOKEN_SPENT = auto()
    """The initial access token is gone, has expired or has no uses left. Nothing was written."""
    FULL = auto()
    """There are as many clients that registered themselves as there may be. Nothing was written."""


class RegistrationStore(Protocol):
    """Clients that register, change and delete themselves. The same rules as in `everbearer.oauth.store`."""

    async def initial_access_token(self, token_hash: str) -> InitialAccessToken | None:
        """Return the token of this hash, or None."""
        ...

    async def register_client(
        self, client: Client, event: Event, *, token_id: str = "", most: int | None = None
    ) -> Registered:
        """Store a new client that registers itself, at `event.at`.

        It takes one use of the initial access token of this id, where there is one; and it is not stored where `most`
        clients that registered themselves are there. All of it happens, or nothing.
        """
        ...

    async def change_client(self, client: Client, event: Event, *, was: Client, forget_consents: bool = False) -> bool:
        """Replace a client, if it still is `was`, the client as read; False where it is not, or is gone.

        With `forget_consents` nobody has consented to it any more; its grants live.
        """
        ...

    async def delete_client(self, client_id: str, event: Event, ends: Ended) -> bool:
        """Delete a client, ending all its grants in the same transaction; False where not there."""
        ...


DocumentSource: TypeAlias = Callable[[str], Awaitable[str]]
"""Returns the text at an https URL. Where none is there that could be used it raises `InvalidClientMetadata`,
and `TemporarilyUnavailable` where that may pass."""


async def no_document(url: str) -> str:  # noqa: ARG001 - the shape of a source
    """Fetch nothing.

    Raises:
        InvalidClientMetadata: always.
    """
    raise InvalidClientMetadata("this server fetches no sector_identifier_uri: leave it out")


async def no_wait(address: str) -> int:  # noqa: ARG001 - the shape of `wait`
    """Let everybody register at once."""
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementIssuer:
    """Somebody whose software statements are believed (RFC 7591 §2.3)."""

    issuer: str
    jwks: str = ""
    """Its public keys: a JWK Set in JSON."""
    jwks_uri: str = ""
    """Where they are published, instead of `jwks`."""

    def __post_init__(self) -> None:
        check_fields(self)
        refuse(issuer_problems(self.issuer, jwks=self.jwks, jwks_uri=self.jwks_uri))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRegistration:
    """How clients register themselves (RFC 7591), and what becomes of them."""

    store: RegistrationStore
    anybody: bool = False
    """Also without an initial access token."""
    scope: Scope = ()
    """All that such a client may ask for."""
    grant_types: tuple[str, ...] = (AUTHORIZATION_CODE, REFRESH_TOKEN)
    token_endpoint_auth_methods: tuple[AuthMethod, ...] = tuple(AuthMethod)
    redirect_hosts: tuple[str, ...] = ()
    """The hosts of https redirect URIs: `app.example`, or `*.app.example` for all below it; empty for any."""
    loopback: bool = True
    """Whether redirect URIs may lead to programs on the user's own machine (RFC 8252 §7.3)."""
    app_schemes: bool = True
    """Whether redirect URIs may have schemes of applications (RFC 8252 §7.1)."""
    require_pkce: bool | None = None
    """See `Client.require_pkce`; None: yes, unless the server's profile lets clients do without."""
    remember_consent: bool = False
    """See `Client.remember_consent`."""
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    rotation: RotationPolicy = field(default_factory=RotationPolicy)
    most_clients: int | None = None
    """How many clients that registered themselves there may be."""
    reserved_names: frozenset[str] = frozenset()
    """Names that no such client may have, each as `comparable_name` makes it."""
    statement_issuers: tuple[StatementIssuer, ...] = ()
    require_software_statement: bool = False
    fetch: DocumentSource = no_document
    """Fetches what stands at a `sector_identifier_uri`."""
    wait: Callable[[str], Awaitable[int]] = field(default=no_wait)
    """Counts a registration without a token from a network address, and returns for how many seconds there may be none
    from there; 0 where this one may be."""

    def __post_init__(self) -> None:
        check_fields(self)
        refuse(
            (
                *offer_problems(
                    scope=self.scope,
                    grant_types=self.grant_types,
                    methods=self.token_endpoint_auth_methods,
                    most_clients=self.most_clients,
                ),
                *life_problems(lifetimes=self.lifetimes, rotation=self.rotation, grant_types=self.grant_types),
                *self._statement_problems(),
            )
        )

    def _statement_problems(self) -> Iterator[str]:
        if self.require_software_statement and not self.statement_issuers:
            yield "require_software_statement: nobody's statements are believed, so name who signs them"
