"""The paths of the whole server, and who answers each, out of the parts that it is made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from everbearer.http.cors import share
from everbearer.http.protocol_routes import base_path, client_routes, public_routes, registration_routes
from everbearer.http.routes import Routes, below, dispatch, not_found
from everbearer.login.models import SessionLifetimes
from everbearer.login.passwords import RunHeavy
from everbearer.login.user_code_limits import UserCodeLimits
from everbearer.oauth.authorization_server import (
    AuthorizationServer,
    JwksSource,
    LogoutNotice,
    RequestObjectSource,
    no_jwks,
    no_listener,
    no_request_objects,
    no_salt,
    unix_now,
)
from everbearer.oauth.client_registration import DocumentSource, no_document
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.endpoints.metadata import PATHS
from everbearer.oauth.events import Event
from everbearer.oauth.messages import Endpoint, Request, Response, redirect
from everbearer.oauth.profile import PROFILES
from everbearer.oauth.redirect_uris import origin_of
from everbearer.server.config import Config
from everbearer.server.device_requests import limited_device_authorization
from everbearer.server.enabled_grants import enabled_grants, sign_in_limits
from everbearer.server.health import health_routes, never
from everbearer.server.observing.metrics import HEARS
from everbearer.server.pages.app_session import APP_SESSION_TOKEN, app_session_token
from everbearer.server.pages.playground import playground_routes
from everbearer.server.pages.problems import as_page, problem_page, wants_page
from everbearer.server.pages.routes import guarded, page_routes
from everbearer.server.pages.sign_in import SETTINGS
from everbearer.server.pages.site import Site
from everbearer.server.self_registration import client_registration_of
from everbearer.server.upkeep.signing_keys import SigningKeys
from everbearer.storage.store import AdminStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an application is made of; whoever opened it closes it."""

    config: Config
    store: AdminStore
    sealer: Sealer
    keys: SigningKeys
    run: RunHeavy
    jwks: JwksSource = no_jwks
    request_objects: RequestObjectSource = no_request_objects
    fetch: DocumentSource = no_document
    """Fetches what clients name as they register."""
    pairwise_salt: Callable[[], bytes] = no_salt
    now: Callable[[], int] = unix_now
    notify: Callable[[Event], None] = no_listener
    stopping: Callable[[], bool] = never
    """Whether the process has been told to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The paths of the whole server, by who may read them from scripts of other origins."""

    site: Site
    public: Routes
    clients: Routes
    pages: Routes
    health: Routes

    @property
    def routes(self) -> Routes:
        """Return all of them."""
        return {**self.public, **self.clients, **self.pages, **self.health}

    def refused(self, request: Request, response: Response) -> Response:
        """Return the answer of a request that was refused: a page where a browser asked for one."""
        return as_page(response, self.site) if request.path in self.pages and wants_page(request) else response


def build(parts: Parts, *, development: bool = False) -> Endpoint:
    """Return the endpoint of the whole server."""
    return endpoint_of(tables_of(parts, development=development), parts)


def tables_of(parts: Parts, *, development: bool = False) -> Tables:
    """Return all paths of the server."""
    site = site_of(parts)
    base = base_path(site.server)
    public = {**public_routes(site.server), **registration_routes(site.server)}
    clients = {
        **client_routes(site.server),
        **_limited(site, parts),
        base + APP_SESSION_TOKEN: {"POST": guarded(app_session_token, site)},
    }
    front = playground_routes(site) if development else {"/": {"GET": _to_settings(site)}}
    health = health_routes(parts.store, stopping=parts.stopping)
    return Tables(
        site=site,
        public=public,
        clients=clients,
        pages=below(base, {**page_routes(site), **front}),
        health=below(base, health),
    )


def _limited(site: Site, parts: Parts) -> Routes:
    device = limited_device_authorization(site.server, parts.store, parts.config.devices)
    return {base_path(site.server) + PATHS["device_authorization_endpoint"]: {"POST": device}}


def endpoint_of(tables: Tables, parts: Parts) -> Endpoint:
    """Return the endpoint that answers at these paths."""
    return share(
        dispatch(tables.routes, otherwise=_missing(tables.site)),
        with_everybody=frozenset(tables.public),
        # Not the pages: "Authorization servers [...] MUST NOT [support CORS] at the Authorization Endpoint" (RFC 9700
        # §2.6), and nothing else of them is for scripts of other origins.
        with_clients=frozenset(tables.clients),
        allows_origin=_allows_origin(parts.store, origin_of(tables.site.server.issuer)),
    )


def site_of(parts: Parts) -> Site:
    """Return the authorization server with its pages."""
    config, store = parts.config, parts.store
    server = AuthorizationServer(
        issuer=config.issuer,
        store=store,
        sealer=parts.sealer,
        keys=parts.keys,
        pairwise_salt=parts.pairwise_salt,
        scopes=config.all_scopes,
        claims=_claims(store),
        claims_of_scope=config.all_claims,
        resources=config.all_resources,
        grants=enabled_grants(config, store, run=parts.run, now=parts.now, notify=parts.notify),
        jwks=parts.jwks,
        request_objects=parts.request_objects,
        registration=client_registration_of(config, store, fetch=parts.fetch, now=parts.now),
        note_client_use=store.note_client_use,
        now=parts.now,
        notify=parts.notify,
        hears=HEARS,
        profile=PROFILES[config.profile],
        devices=store,
        polling_interval=config.devices.polling_interval,
        acr_values=(config.sign_in.acr,) if config.sign_in.acr else (),
        end_session=True,
        logout_notices=frozenset(_logout_notices(config)),
    )
    sign_in, devices = config.sign_in, config.devices
    return Site(
        server=server,
        store=store,
        run=parts.run,
        name=config.name,
        limits=sign_in_limits(config),
        user_code_limits=UserCodeLimits(
            window=devices.window, per_user=devices.codes_per_user, per_address=devices.codes_per_address
        ),
        lifetimes=SessionLifetimes(absolute=config.sessions.absolute, idle=config.sessions.idle),
        acr=sign_in.acr,
    )


def _logout_notices(config: Config) -> Iterator[LogoutNotice]:
    yield from (LogoutNotice.BACK_CHANNEL, LogoutNotice.FRONT_CHANNEL)
    if config.sessions.check_session_iframe:
        yield LogoutNotice.SESSION_MANAGEMENT


def _claims(store: AdminStore) -> Callable[[str], Awaitable[Mapping[str, object] | None]]:
    async def claims(subject: str) -> Mapping[str, object] | None:
        user = await store.user(subject)
        if user is None or user.disabled_at is not None:
            return None
        return {"updated_at": user.updated_at, **user.claims}

    return claims


def _allows_origin(store: AdminStore, own: str) -> Callable[[str], Awaitable[bool]]:
    async def allows_origin(origin: str) -> bool:
        return origin == own or await store.allows_origin(origin)

    return allows_origin


def _to_settings(site: Site) -> Endpoint:
    async def to_settings(request: Request) -> Response:  # noqa: ARG001 - an endpoint
        return redirect(site.path(SETTINGS))

    return to_settings


def _missing(site: Site) -> Endpoint:
    async def missing(request: Request) -> Response:
        return problem_page(404, site) if wants_page(request) else await not_found(request)

    return missing
