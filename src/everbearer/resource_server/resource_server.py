"""The resource server: a frozen value of whose tokens it takes and for whom, and what it knows of the issuer so far."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import unquote

from everbearer.oauth.arguments import check_fields
from everbearer.oauth.crypto.client_keys import ClientKey
from everbearer.oauth.crypto.jws import take_apart
from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.oauth.messages import Response
from everbearer.resource_server import challenges, metadata
from everbearer.resource_server.access_token import AccessToken, Expected
from everbearer.resource_server.bearer import check_form
from everbearer.resource_server.clock import unix_now
from everbearer.resource_server.errors import InvalidToken, OAuthError
from everbearer.resource_server.fetching import AsyncFetch, BlockingFetch, Fetch, Fetched, Steps
from everbearer.resource_server.flights import Flights
from everbearer.resource_server.introspection import IntrospectedAccessTokens, Introspection
from everbearer.resource_server.issuer import fetch_keys, fetch_metadata, static_keys
from everbearer.resource_server.jwt_access_tokens import JwtAccessTokens
from everbearer.resource_server.kept import Kept
from everbearer.resource_server.requirement import VALID, Requirement
from everbearer.resource_server.settings_rules import ADVICE, check_metadata, check_settings, is_resource_identifier
from everbearer.resource_server.standard_fetch import StandardFetch
from everbearer.resource_server.trouble import Trouble

log = logging.getLogger("everbearer")


def log_trouble(reason: str) -> None:
    """Write into the log why access tokens cannot be checked."""
    log.error("access tokens cannot be checked: %s", reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What validates, with all that it keeps."""

    jwts: JwtAccessTokens
    introspected: IntrospectedAccessTokens | None
    flights: Flights


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResourceServer:
    """Takes the access tokens of one issuer for one resource.

    Make one for a process and keep it: it holds what it fetched. Threads and event loops may share it.

    Raises:
        ValueError: the settings contradict each other or a specification; the message says what to change.
    """

    issuer: str
    """The authorization server, exactly as it names itself."""
    audience: str | tuple[str, ...]
    """What this resource server is called in the `aud` of tokens; one of several names will do."""
    introspection: Introspection | None = None
    """How to ask about tokens that are not JWTs; without it these are refused."""
    resource: str = ""
    """Its identifier, an https URL (RFC 9728 §1.2), for its metadata; where there is none, the first audience is taken
    that is such a URL."""
    scopes: tuple[str, ...] = ()
    """What there is to ask for, for its metadata."""
    more_metadata: Mapping[str, object] = field(default_factory=dict[str, object])
    """More members of its metadata (RFC 9728 §2), such as `resource_name` and `resource_documentation`."""
    realm: str = "api"
    """What challenges call it."""
    algorithms: tuple[str, ...] = ALGORITHMS
    """What JWTs may be signed with, of ES256, RS256, PS256 and EdDSA."""
    leeway: int = 30
    """Seconds by which the clocks of issuer and resource server may differ."""
    jwks: str = ""
    """The issuer's keys themselves, a JWK Set document; nothing is fetched then."""
    jwks_uri: str = ""
    """Where the issuer's keys stand; empty for where its metadata says."""
    jwks_lifetime: int = 10 * 60
    """Seconds for which keys and metadata are good. Unknown keys are looked for earlier, every ten seconds at most."""
    jwks_stale_lifetime: int = 60 * 60
    """Seconds for which they will do while the issuer cannot be reached; so long may a key be used that it has
    withdrawn."""
    fetch: BlockingFetch = field(default_factory=StandardFetch)
    """Sends what is asked of the issuer."""
    fetch_async: AsyncFetch | None = None
    """The same for asynchronous programs; None to let `fetch` do it in a thread."""
    now: Callable[[], int] = unix_now
    notify: Callable[[str], None] = log_trouble
    """Is told why tokens cannot be checked, for an operator. The client is told to come again (503)."""
    _known: _Known = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_fields(self, ADVICE)
        check_settings(
            issuer=self.issuer,
            audience=self.audiences,
            resource=self.resource,
            algorithms=self.algorithms,
            leeway=self.leeway,
            lifetimes=(self.jwks_lifetime, self.jwks_stale_lifetime),
            urls=(self.jwks_uri, self.introspection.endpoint if self.introspection else ""),
        )
        check_metadata(self.more_metadata)
        object.__setattr__(self, "_known", _known(self))

    @property
    def audiences(self) -> tuple[str, ...]:
        """Return the names of this resource server."""
        return (self.audience,) if isinstance(self.audience, str) else self.audience

    def validate(self, text: str, required: Requirement = VALID) -> AccessToken:
        """Return what an access token says if it is valid here and meets a requirement.

        It blocks while the issuer is asked.

        Raises:
            InvalidToken: it is not valid (RFC 6750 §3.1).
            InsufficientScope: it reaches less than is required.
            InsufficientUserAuthentication: the user must sign in anew, or by better means (RFC 9470).
            TemporarilyUnavailable: that cannot be known now.
        """
        token = self._known.flights.run(self._steps(text), self.fetch)
        self.check(token, required)
        return token

    async def validate_async(self, text: str, required: Requirement = VALID) -> AccessToken:
        """Do as `validate` does, and await what the issuer is asked."""
        token = await self._known.flights.run_async(self._steps(text), self.fetch_async or self._fetch_in_thread)
        self.check(token, required)
        return token

    def check(self, token: AccessToken, required: Requirement) -> None:
        """Return if a valid token meets a requirement, such as one that depends on the data.

        Raises:
            InsufficientScope: it reaches less.
            InsufficientUserAuthentication: the user must sign in anew, or by better means.
        """
        required.check(token, self.now(), self.leeway)

    def refusal(self, error: OAuthError, required: Requirement = VALID) -> Response:
        """Return the response that refuses a request, with its challenge (RFC 6750 §3)."""
        url = self.metadata_url
        return challenges.refusal(error, required, realm=self.realm, resource_metadata=url)

    @property
    def resource_identifier(self) -> str:
        """Return its resource identifier; empty where it has none, and so no metadata."""
        urls = (name for name in self.audiences if is_resource_identifier(name))
        return self.resource or next(urls, "")

    @property
    def metadata_path(self) -> str:
        """Return the path on its host at which its metadata is to be served, decoded; empty where it has none."""
        return unquote(metadata.metadata_path(self.resource_identifier)) if self.resource_identifier else ""

    @property
    def metadata_url(self) -> str:
        """Return the URL of its metadata; empty where it has none."""
        return metadata.metadata_url(self.resource_identifier) if self.resource_identifier else ""

    def metadata_response(self, method: str = "GET") -> Response:
        """Return the answer to a request for its metadata (RFC 9728 §3.2)."""
        document = metadata.document(
            resource=self.resource_identifier, issuer=self.issuer, scopes=self.scopes, more=self.more_metadata
        )
        return metadata.metadata_response(document, method)

    def _steps(self, text: str) -> Steps[AccessToken]:
        check_form(text)
        introspected = self._known.introspected
        jwt = take_apart(text)
        if introspected is not None and (jwt is None or introspected.always):
            return (yield from introspected.validate(text))
        if jwt is None:
            raise InvalidToken("the access token is not a JWT")
        return (yield from self._known.jwts.validate(jwt))

    async def _fetch_in_thread(self, wanted: Fetch) -> Fetched:
        return await asyncio.to_thread(self.fetch, wanted)


def _known(server: ResourceServer) -> _Known:
    expected = Expected(issuer=server.issuer, audience=server.audiences, leeway=server.leeway)
    trouble = Trouble(server.now, server.notify)
    lifetimes = server.jwks_lifetime, server.jwks_stale_lifetime
    of_issuer: Kept[Mapping[str, Any]] = Kept(partial(fetch_metadata, server.issuer), server.now, trouble, *lifetimes)
    published: Callable[[], Steps[tuple[ClientKey, ...]]] = partial(fetch_keys, server.jwks_uri, of_issuer)
    keys = Kept(static_keys(server.jwks) if server.jwks else published, server.now, trouble, *lifetimes)
    return _Known(
        jwts=JwtAccessTokens(expected=expected, algorithms=server.algorithms, keys=keys, now=server.now),
        introspected=IntrospectedAccessTokens(
            server.introspection, expected, of_issuer, server.now, Trouble(server.now, server.notify)
        )
        if server.introspection
        else None,
        flights=Flights(),
    )
