"""The configuration as one typed value. The words beside each setting become `docs/configuration.md`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from everbearer.login.models import SessionLifetimes
from everbearer.login.sign_in import SignInLimits
from everbearer.oauth.authorization_server import STANDARD_SCOPES
from everbearer.oauth.client_rules import MOST_JITTER
from everbearer.oauth.models import DAY, Lifetimes, RotationPolicy

Seconds: TypeAlias = Annotated[int, Meta(extra={"kind": "duration"})]
"""Seconds; in the file also text such as "15m"."""
FilePath: TypeAlias = Annotated[str, Meta(extra={"kind": "path"})]
"""A path, made absolute when the configuration is read."""
Alg: TypeAlias = Literal["ES256", "RS256", "PS256", "EdDSA"]
GrantType: TypeAlias = Literal["authorization_code", "refresh_token", "client_credentials"]
ClientType: TypeAlias = Literal["spa", "native", "web", "machine"]

POSTGRESQL_SCHEMES = ("postgresql", "postgres")
FULL_ACCESS = "https://authgear.com/scopes/full-access"
"""What the Authgear SDKs ask for on behalf of first-party applications."""
KNOWN_SCOPES = {**STANDARD_SCOPES, FULL_ACCESS: "Act for you in everything this service offers"}
"""The scopes that are always known, in the words of the consent page."""

_lifetimes = Lifetimes()
_rotation = RotationPolicy()
_limits = SignInLimits()
_sessions = SessionLifetimes()


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all tables of the file have in common: no key that is not known."""


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
            description="For development: what clients publish at a `jwks_uri` is fetched from loopback and private "
            "addresses too. Otherwise such an address is refused, so that nobody can have the server ask its own "
            "network."
        ),
    ] = False
    max_body: Annotated[int, Meta(ge=1024, description="The longest request body that is read, in bytes.")] = 65536

    def __repr__(self) -> str:
        # The URL of a database may hold its password.
        return f"ServerSection(host={self.host!r}, port={self.port!r})"


class LifetimesSection(Section, frozen=True, kw_only=True):
    """How long what is issued lasts, for all clients whose own `lifetimes` table does not say otherwise."""

    access_token: Annotated[Seconds, Meta(description="An access token.")] = _lifetimes.access_token
    access_token_jitter: Annotated[
        float,
        Meta(
            ge=0,
            le=MOST_JITTER,
            description="Each access token lives shorter by a random part of this share of its life, so that clients "
            "that refreshed together do not come again together.",
        ),
    ] = _lifetimes.access_token_jitter
    refresh_token: Annotated[
        Seconds, Meta(description="From sign-in to the end of access, however often it is refreshed.")
    ] = _lifetimes.refresh_token
    refresh_token_idle: Annotated[
        Seconds | None, Meta(description="From the last refresh to the end of access; `none` for no such limit.")
    ] = _lifetimes.refresh_token_idle
    id_token: Annotated[Seconds, Meta(description="An ID token.")] = _lifetimes.id_token
    authorization_code: Annotated[
        Seconds, Meta(description="An authorization code, at most 10 minutes (RFC 6749 §4.1.2).")
    ] = _lifetimes.authorization_code


class RotationSection(Section, frozen=True, kw_only=True):
    """What a refresh does to the refresh token, and how long its answer may be asked for again.

    For all clients whose own `rotation` table does not say otherwise.
    """

    rotate: Annotated[
        bool | None,
        Meta(description="Issue a new refresh token at each refresh; `none`: for clients without a secret only."),
    ] = _rotation.rotate
    retry_window: Annotated[
        Seconds | None,
        Meta(
            description="How long the newest spent refresh token is answered again with the same successor; "
            "`none`: until the successor is used; `0`: never (strict single use)."
        ),
    ] = _rotation.retry_window
    late_after: Annotated[Seconds, Meta(description="After how long a retry counts as late.")] = _rotation.late_after
    late_limit: Annotated[
        int | None,
        Meta(
            description="Late retries in this many generations in a row end the grant of a client without a secret "
            "as theft; `none`: no limit."
        ),
    ] = _rotation.late_limit
    retry_limit: Annotated[
        int, Meta(description="How many retries one generation may have; more are refused, the grant lives.")
    ] = _rotation.retry_limit
    arrival_after: Annotated[
        Seconds,
        Meta(
            description="After how long the use of a new access token, at userinfo or introspection, proves that the "
            "answer it came in arrived, so that the refresh token before is answered no more. More than a minute, for "
            "browsers throttle the timers of background tabs."
        ),
    ] = _rotation.arrival_after


class SessionsSection(Section, frozen=True, kw_only=True):
    """How long a browser stays signed in."""

    absolute: Annotated[Seconds, Meta(ge=1, description="From sign-in to the end.")] = _sessions.absolute
    idle: Annotated[Seconds, Meta(ge=1, description="From the last use to the end.")] = _sessions.idle


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


class ClientSection(Section, frozen=True, kw_only=True):
    """An application, declared. It is created or updated at start; taking it out of the file deletes nothing."""

    client_id: Annotated[str, Meta(min_length=1, description="Its public name on the wire.")]
    type: Annotated[
        ClientType,
        Meta(
            description="`spa` and `native`: public, PKCE required, refresh tokens rotate. `web`: confidential, PKCE "
            "by `require_pkce`, no rotation by default. `machine`: `client_credentials` only."
        ),
    ]
    client_name: Annotated[str, Meta(description="What users see; the client id where it is empty.")] = ""
    client_secret: Annotated[
        str,
        Meta(
            description="Its secret: 43 random characters are best, fewer than 32 are warned of, fewer than 16 refused."
        ),
    ] = ""
    client_secret_file: Annotated[
        FilePath, Meta(description="A file with its secret or secrets, newest first, one a line.")
    ] = ""
    client_secrets: Annotated[tuple[str, ...], Meta(description="Several secrets, newest first.")] = ()
    token_endpoint_auth_method: Annotated[
        Literal["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"] | None,
        Meta(
            description="The only way it may prove who it is; `none`: it sends its secret, by HTTP Basic or in the "
            "body. For `client_secret_jwt` the secret is stored sealed; with `private_key_jwt` there is none, but a "
            "key of the client's own."
        ),
    ] = None
    token_endpoint_auth_signing_alg: Annotated[
        Alg | Literal["HS256"] | None,
        Meta(
            description="The only algorithm that its assertions may be signed with: `HS256` for `client_secret_jwt`, "
            "another for `private_key_jwt`; `none`: any of them that fits its keys."
        ),
    ] = None
    jwks_uri: Annotated[
        str,
        Meta(
            description="Where it publishes its public keys, for `private_key_jwt`: https, with an address that is not "
            "private (see `fetch_from_private_addresses`)."
        ),
    ] = ""
    jwks: Annotated[
        str, Meta(description="Its public keys themselves, instead of `jwks_uri`: a JWK Set in JSON, as text.")
    ] = ""
    redirect_uris: Annotated[
        tuple[str, ...], Meta(description="Where users may be sent back to; compared exactly.")
    ] = ()
    post_logout_redirect_uris: Annotated[
        tuple[str, ...], Meta(description="Where users may be sent after signing out; compared exactly.")
    ] = ()
    grant_types: Annotated[
        tuple[GrantType, ...] | None, Meta(description="How it may get tokens; `none`: what its type needs.")
    ] = None
    scope: Annotated[
        str | None,
        Meta(
            description="All it may ask for, separated by spaces; `none`: all standard scopes, for a machine nothing."
        ),
    ] = None
    subject_type: Annotated[
        Literal["public", "pairwise"],
        Meta(
            description="`public`: every application knows a user by the same `sub`. `pairwise`: each sector by "
            "another, so that applications cannot compare users. A change changes every `sub` that it knows."
        ),
    ] = "public"
    sector_identifier: Annotated[
        str,
        Meta(
            description="The host that pairwise subjects are made for, common to applications that are to know users "
            "by the same `sub`; the host of its redirect URIs where empty."
        ),
    ] = ""
    first_party: Annotated[bool, Meta(description="The operator's own: no consent page, all claims at userinfo.")] = (
        False
    )
    require_pkce: Annotated[
        bool | None,
        Meta(description="Refuse authorization requests without PKCE; `none`: yes unless its type is `web`."),
    ] = None
    access_token_format: Annotated[
        Literal["jwt", "opaque"],
        Meta(description="`jwt` (RFC 9068): anyone can verify it. `opaque`: ends at once with its grant."),
    ] = "jwt"
    access_token_signing_alg: Annotated[Alg, Meta(description="How its JWT access tokens are signed.")] = "ES256"
    id_token_signed_response_alg: Annotated[Alg, Meta(description="How its ID tokens are signed.")] = "ES256"
    audience: Annotated[str, Meta(description="The `aud` of its JWT access tokens; the issuer where empty.")] = ""
    introspects_all: Annotated[
        bool, Meta(description="It is a resource server: introspection shows it every token.")
    ] = False
    lifetimes: Annotated[LifetimesSection, Meta(description="Overrides of `[lifetimes]`.")] = LifetimesSection()
    rotation: Annotated[RotationSection, Meta(description="Overrides of `[rotation]`.")] = RotationSection()
    client_uri: Annotated[str, Meta(description="Its home page.")] = ""
    logo_uri: Annotated[str, Meta(description="Its logo.")] = ""
    policy_uri: Annotated[str, Meta(description="Its privacy policy.")] = ""
    tos_uri: Annotated[str, Meta(description="Its terms of service.")] = ""

    def __repr__(self) -> str:
        return f"ClientSection(client_id={self.client_id!r})"


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
    ] = {}

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
    server: ServerSection = ServerSection()
    lifetimes: LifetimesSection = LifetimesSection()
    rotation: RotationSection = RotationSection()
    sessions: SessionsSection = SessionsSection()
    sign_in: SignInSection = SignInSection()
    keys: KeysSection = KeysSection()
    metrics: MetricsSection = MetricsSection()
    logs: LogsSection = LogsSection()
    traces: TracesSection = TracesSection()
    scopes: Annotated[
        dict[str, str], Meta(description="Scopes of your own, each with the words of the consent page.")
    ] = {}
    clients: tuple[ClientSection, ...] = ()
    users: tuple[UserSection, ...] = ()

    @property
    def all_scopes(self) -> dict[str, str]:
        """Return every known scope with the words of the consent page."""
        return KNOWN_SCOPES | self.scopes
