"""The configuration as one typed value. The words beside each setting become `docs/configuration.md`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from everbearer.login.models import SessionLifetimes
from everbearer.login.sign_in import SignInLimits
from everbearer.oauth.authorization_server import CLAIMS_OF_SCOPE, STANDARD_SCOPES
from everbearer.oauth.models import DAY
from everbearer.oauth.resource import Resource
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.devices import DevicesSection
from everbearer.server.config.lifetimes import LifetimesSection, RotationSection
from everbearer.server.config.registration import RegistrationSection
from everbearer.server.config.resources import ResourceSection, resource_of
from everbearer.server.config.section import Alg, FilePath, Seconds, Section
from everbearer.server.config.trusted_issuers import TrustedIssuerSection

POSTGRESQL_SCHEMES = ("postgresql", "postgres")
FULL_ACCESS = "https://authgear.com/scopes/full-access"
"""What the Authgear SDKs ask for on behalf of first-party applications."""
KNOWN_SCOPES = {**STANDARD_SCOPES, FULL_ACCESS: "Act for you in everything this service offers"}
"""The scopes that are always known, in the words of the consent page."""

_limits = SignInLimits()
_sessions = SessionLifetimes()


class ServerSection(Section, frozen=True, kw_only=True):
    """Where the server listens and what it keeps its data in."""

    host: Annotated[str, Meta(description="The address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="The port to listen on.")] = 8000
    workers: Annotated[int, Meta(ge=1, le=256, description="How many processes answer requests.")] = 1
    database: Annotated[
        FilePath,
        Meta(
            description="The SQLite file, as a path or `sqlite:///…`, relative to the folder of this file; or a "
            "PostgreSQL database, as `postgresql://user@host/database`."
        ),
    ] = "everbearer.db"
    database_connections: Annotated[
        int, Meta(ge=2, le=1000, description="How many connections to PostgreSQL each process may hold open.")
    ] = 8
    tls_certificate: Annotated[
        FilePath,
        Meta(
            description="A file with the server's certificate and those it is signed by, in PEM. With it the server "
            "speaks https itself; without, a reverse proxy does."
        ),
    ] = ""
    tls_key: Annotated[FilePath, Meta(description="A file with the key of that certificate, in PEM.")] = ""
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(description="Addresses or networks of reverse proxies whose `X-Forwarded-For` and `-Proto` are believed."),
    ] = ()
    drain_delay: Annotated[
        Seconds,
        Meta(
            ge=0,
            description="How long the server goes on after it was told to stop, while `/readyz` says 503, so that load "
            "balancers look away first.",
        ),
    ] = 0
    fetch_from_private_addresses: Annotated[
        bool,
        Meta(
            description="For development: what clients publish, such as a `jwks_uri`, is fetched from loopback and "
            "private addresses too, and logout tokens are sent to such. Otherwise these are refused, so that nobody "
            "can have the server ask its own network."
        ),
    ] = False
    max_body: Annotated[int, Meta(ge=1024, description="The longest request body that is read, in bytes.")] = 65536

    def __repr__(self) -> str:
        # The URL of a database may hold its password.
        return f"ServerSection(host={self.host!r}, port={self.port!r})"


class SessionsSection(Section, frozen=True, kw_only=True):
    """How long a browser stays signed in, and who may watch that."""

    absolute: Annotated[Seconds, Meta(ge=1, description="From sign-in to the end.")] = _sessions.absolute
    idle: Annotated[Seconds, Meta(ge=1, description="From the last use to the end.")] = _sessions.idle
    tell_of_expiry: Annotated[
        bool,
        Meta(
            description="End sessions that have expired within about an hour, so that applications with a "
            "`backchannel_logout_uri` are told as of a sign-out. It signs users out of applications that they are "
            "using, where they have not been here for `idle`."
        ),
    ] = False
    check_session_iframe: Annotated[
        bool,
        Meta(
            description="Let applications ask a frame of ours whether the user is still signed in (OpenID Connect "
            "Session Management). It takes a cookie that frames and scripts can read; many browsers keep such from "
            "frames of other sites, and there the frame answers `error`."
        ),
    ] = False


class SignInSection(Section, frozen=True, kw_only=True):
    """What a sign-in is worth, and how often somebody may try before having to wait."""

    acr: Annotated[
        str,
        Meta(
            pattern=r"^[!#-\[\]-~]*$",
            description="What applications are told of how sure a sign-in by password is, as `acr`: a value that they "
            "know the meaning of, best an absolute URI, without spaces; nothing where empty.",
        ),
    ] = ""
    allow_password_grant: Annotated[
        bool,
        Meta(
            description="For migrations: first-party clients whose `grant_types` have `password` may send users' "
            "passwords themselves. RFC 9700 §2.4 forbids it: the application sees the password, and nothing but a "
            "password can ever be asked for."
        ),
    ] = False
    window: Annotated[Seconds, Meta(ge=1, description="The time in which attempts are counted.")] = _limits.window
    per_account: Annotated[int, Meta(ge=1, description="Failures on one account in that time.")] = _limits.per_account
    per_address: Annotated[int, Meta(ge=1, description="Attempts from one network address in that time.")] = (
        _limits.per_address
    )


class KeysSection(Section, frozen=True, kw_only=True):
    """The keys that sign tokens. They are made at the first start, sealed in the database, and rotate by age."""

    algorithms: Annotated[tuple[Alg, ...], Meta(min_length=1, description="The algorithms to keep a key for.")] = (
        "ES256",
        "RS256",
        "PS256",
        "EdDSA",
    )
    rotate_after: Annotated[
        Seconds | None, Meta(description="The age at which a key is replaced; `none`: only by `everbearer key rotate`.")
    ] = 90 * DAY
    publish_before: Annotated[
        Seconds, Meta(ge=0, description="How long a new key is published before it signs, so that verifiers know it.")
    ] = DAY
    keep_after: Annotated[
        Seconds,
        Meta(ge=0, description="How long a replaced key stays published; at least as long as the longest token lasts."),
    ] = 7 * DAY


class MetricsSection(Section, frozen=True, kw_only=True):
    """Metrics for Prometheus, at `/metrics` of a port of their own, of all processes together.

    They hold no secret and name no user and no client; keep them from the public all the same.
    """

    enabled: Annotated[bool, Meta(description="Whether there are any.")] = False
    host: Annotated[str, Meta(description="The address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="The port to listen on.")] = 9464


class LogsSection(Section, frozen=True, kw_only=True):
    """What is told on standard error. No query, header or body of a request stands there."""

    format: Annotated[
        Literal["text", "json"], Meta(description="`text` for people; `json`: one object a line, for machines.")
    ] = "text"
    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="What is less important than that is left out.")
    ] = "info"


class TracesSection(Section, frozen=True, kw_only=True):
    """Traces of requests, for OpenTelemetry. They need the extra `otel`: `pip install 'everbearer[server,otel]'`."""

    endpoint: Annotated[
        str,
        Meta(
            description="Where spans are sent, by OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`; "
            "nowhere where empty."
        ),
    ] = ""
    sample: Annotated[float, Meta(ge=0, le=1, description="The share of requests that are traced.")] = 0.01


class UserSection(Section, frozen=True, kw_only=True):
    """A user, declared. Created or updated at start; a changed password ends all of the user's grants.

    A `password` or `password_file` is set again at each start; a `password_hash` when it has changed here, so that what
    the user or an operator set since stays.
    """

    login: Annotated[str, Meta(min_length=1, description="What the user types to sign in.")]
    password: Annotated[str, Meta(description="The password; better in a file, or as a hash.")] = ""
    password_file: Annotated[FilePath, Meta(description="A file with the password.")] = ""
    password_hash: Annotated[
        str,
        Meta(
            description="The password's argon2id hash in PHC form; other parameters become today's at the next sign-in."
        ),
    ] = ""
    subject: Annotated[str, Meta(description="The `sub` of all tokens; a random one where empty.")] = ""
    claims: Annotated[
        dict[str, Any], Meta(description="Claims such as `email` and `name` (OpenID Connect Core §5.1).")
    ] = msgspec.field(default_factory=dict[str, Any])

    def __repr__(self) -> str:
        return f"UserSection(login={self.login!r})"


class Config(Section, frozen=True, kw_only=True):
    """The whole file."""

    issuer: Annotated[
        str, Meta(description="The URL under which clients and browsers reach the server, without a slash at its end.")
    ] = ""
    name: Annotated[str, Meta(min_length=1, description="What the pages call this service.")] = "Everbearer"
    secret_file: Annotated[
        FilePath,
        Meta(
            description="A file with the server's secret or secrets, newest first, one a line. "
            "`EVERBEARER_SECRET` and `EVERBEARER_SECRET_FILE` come before it."
        ),
    ] = ""
    profile: Annotated[
        Literal["strict", "openid-certification"],
        Meta(
            description="What clients may have without a setting of their own. `strict`: nothing that is weaker than "
            "it could be. `openid-certification`: what the OpenID Foundation's plans need; `config check` says what "
            "that weakens."
        ),
    ] = "strict"
    server: ServerSection = ServerSection()
    lifetimes: LifetimesSection = LifetimesSection()
    rotation: RotationSection = RotationSection()
    sessions: SessionsSection = SessionsSection()
    sign_in: SignInSection = SignInSection()
    registration: RegistrationSection = RegistrationSection()
    devices: DevicesSection = DevicesSection()
    keys: KeysSection = KeysSection()
    metrics: MetricsSection = MetricsSection()
    logs: LogsSection = LogsSection()
    traces: TracesSection = TracesSection()
    scopes: Annotated[
        dict[str, str], Meta(description="Scopes of your own, each with the words of the consent page.")
    ] = msgspec.field(default_factory=dict[str, str])
    claims: Annotated[
        dict[str, tuple[str, ...]],
        Meta(
            description="The claims about users that a scope gives, for scopes of your own and for standard ones that "
            "are to give others."
        ),
    ] = msgspec.field(default_factory=dict[str, tuple[str, ...]])
    resources: tuple[ResourceSection, ...] = ()
    clients: tuple[ClientSection, ...] = ()
    users: tuple[UserSection, ...] = ()
    trusted_issuers: tuple[TrustedIssuerSection, ...] = ()

    @property
    def all_scopes(self) -> dict[str, str]:
        """Return every known scope with the words of the consent page."""
        return KNOWN_SCOPES | self.scopes

    @property
    def all_claims(self) -> dict[str, tuple[str, ...]]:
        """Return the claims that each scope gives, where there are any."""
        return {**CLAIMS_OF_SCOPE, **self.claims}

    @property
    def all_resources(self) -> dict[str, Resource]:
        """Return the protected resources by their identifiers."""
        return {section.resource: resource_of(section) for section in self.resources}
