"""The ready server as one application: protocol, pages and health, out of a configuration and a store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from everbearer.http.asgi import Application, Observe, asgi_application
from everbearer.http.cors import share
from everbearer.http.protocol_routes import client_routes, issuer_path, public_routes
from everbearer.http.routes import Routes, dispatch, not_found
from everbearer.login.models import SessionLifetimes
from everbearer.login.passwords import RunHeavy
from everbearer.login.sign_in import SignInLimits
from everbearer.oauth.authorization_server import (
    AuthorizationServer,
    JwksSource,
    no_jwks,
    no_listener,
    no_salt,
    unix_now,
)
from everbearer.oauth.events import Event
from everbearer.oauth.grants import GRANTS
from everbearer.oauth.messages import Endpoint, Request, Response, redirect
from everbearer.oauth.redirect_uris import origin_of
from everbearer.oauth.sealing import Sealer
from everbearer.server.clock import SharedClock
from everbearer.server.config import Config
from everbearer.server.config.file import find_config, load_config
from everbearer.server.fetching import Fetching
from everbearer.server.health import health_routes, never
from everbearer.server.housekeeping import Housekeeping
from everbearer.server.jwks_uris import JwksUris
from everbearer.server.observing.logs import configure_logs, log_theft
from everbearer.server.observing.metrics import KEY_AGE, PASSWORDS_REFUSED, PASSWORDS_UNDER_WAY, Metrics
from everbearer.server.observing.requests import Trace, observing
from everbearer.server.observing.scraping import telling
from everbearer.server.opening import open_sealer, open_store
from everbearer.server.pages.app_session import APP_SESSION_TOKEN, app_session_token
from everbearer.server.pages.playground import playground_routes
from everbearer.server.pages.problems import problem_page
from everbearer.server.pages.routes import guarded, page_routes
from everbearer.server.pages.sign_in import SETTINGS
from everbearer.server.pages.site import Site
from everbearer.server.pairwise_salt import PairwiseSalt
from everbearer.server.password_pool import PasswordPool
from everbearer.server.signing_keys import SigningKeys
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
    others: Routes

    @property
    def routes(self) -> Routes:
        """Return all of them."""
        return {**self.public, **self.clients, **self.others}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """The whole server, for whatever speaks HTTP for it."""

    endpoint: Endpoint
    observe: Observe
    """Asks the endpoint for each answer; see `everbearer.http.asgi`."""
    lifespan: Callable[[], AbstractAsyncContextManager[None]]
    """Is entered before the first request and left after the last answer: it opens and closes the store."""
    max_body: int


def create() -> Application:
    """Return the application of the configuration that the environment names: for each worker of a server.

    `EVERBEARER_CONFIG` is the path of the file; `EVERBEARER_DEV=1` adds what development mode has.
    """
    named = os.environ.get("EVERBEARER_CONFIG")
    config = load_config(find_config(Path(named) if named else None), os.environ)
    configure_logs(config.logs)
    return application(config, os.environ, development=os.environ.get("EVERBEARER_DEV") == "1")


def application(
    config: Config,
    environ: Mapping[str, str],
    *,
    development: bool = False,
    metrics_folder: Path | None = None,
    stopping: Callable[[], bool] = never,
) -> Application:
    """Return the ASGI application of a configuration. It opens its store at start and closes it at shutdown.

    Arguments and errors are those of `assemble`.
    """
    whole = assemble(config, environ, development=development, metrics_folder=metrics_folder, stopping=stopping)
    return asgi_application(whole.endpoint, lifespan=whole.lifespan, max_body=whole.max_body, observe=whole.observe)


def assemble(
    config: Config,
    environ: Mapping[str, str],
    *,
    development: bool = False,
    metrics_folder: Path | None = None,
    stopping: Callable[[], bool] = never,
    hashing_turn: Path | None = None,
) -> Assembled:
    """Return the whole server of a configuration.

    `metrics_folder` is where its process tells what it has counted; see `everbearer.server.observing.scraping`.
    `hashing_turn` is a file by whose lock processes take turns at hashing passwords.

    Raises:
        ConfigError: the server's secret is missing or will not do.
    """
    metrics = Metrics()
    trace, stop_tracing = _tracing(config)
    store = open_store(config, written=metrics.written)
    sealer = open_sealer(config, environ)
    pool = PasswordPool(refused=lambda: metrics.add(PASSWORDS_REFUSED), turn=hashing_turn)
    clock = SharedClock(store)
    keys = SigningKeys(store, sealer, clock)
    salt = PairwiseSalt(store, sealer)
    metrics.watch_connections(store.connections)
    metrics.watch(PASSWORDS_UNDER_WAY, lambda: {(): pool.under_way})
    metrics.watch(KEY_AGE, lambda: {(alg,): clock() - since for alg, since in keys.signing_since().items()})

    def notify(event: Event) -> None:
        metrics.hear(event)
        log_theft(event)

    parts = Parts(
        config=config,
        store=store,
        sealer=sealer,
        keys=keys,
        pairwise_salt=salt,
        run=pool.run,
        jwks=JwksUris(Fetching(private=config.server.fetch_from_private_addresses), clock),
        now=clock,
        notify=notify,
        stopping=stopping,
    )
    chores = Housekeeping(
        store=store, sealer=sealer, keys=keys, salt=salt, clock=clock, settings=config.keys, run=pool.run
    )

    @asynccontextmanager
    async def lifespan() -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(chores.going_on())
            if metrics_folder is not None:
                await stack.enter_async_context(telling(metrics, metrics_folder))
            yield
        pool.close()
        await store.close()
        # It may wait for the network.
        await asyncio.to_thread(stop_tracing)

    tables = tables_of(parts, development=development)
    return Assembled(
        endpoint=_endpoint(tables, parts),
        observe=observing(metrics, tables.routes, trace=trace),
        lifespan=lifespan,
        max_body=config.server.max_body,
    )


def _tracing(config: Config) -> tuple[Trace | None, Callable[[], None]]:
    if not config.traces.endpoint:
        return None, _nothing
    # Only who wants traces needs the packages for them; that they are there was checked with the configuration.
    from everbearer.server.observing.tracing import start_tracing  # noqa: PLC0415

    return start_tracing(config.traces)


def _nothing() -> None:
    pass


def build(parts: Parts, *, development: bool = False) -> Endpoint:
    """Return the endpoint of the whole server."""
    return _endpoint(tables_of(parts, development=development), parts)


def tables_of(parts: Parts, *, development: bool = False) -> Tables:
    """Return all paths of the server."""
    site = site_of(parts)
    base = issuer_path(site.server)
    public = public_routes(site.server)
    clients = {**client_routes(site.server), base + APP_SESSION_TOKEN: {"POST": guarded(app_session_token, site)}}
    front = playground_routes(site) if development else {"/": {"GET": _to_settings(site)}}
    others = {**page_routes(site), **health_routes(parts.store, stopping=parts.stopping), **front}
    return Tables(
        site=site,
        public=public,
        clients=clients,
        others={base + path: methods for path, methods in others.items()},
    )


def _endpoint(tables: Tables, parts: Parts) -> Endpoint:
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
        grants=GRANTS,
        jwks=parts.jwks,
        now=parts.now,
        notify=parts.notify,
        acr_values=(config.sign_in.acr,) if config.sign_in.acr else (),
    )
    sign_in = config.sign_in
    return Site(
        server=server,
        store=store,
        run=parts.run,
        name=config.name,
        limits=SignInLimits(window=sign_in.window, per_account=sign_in.per_account, per_address=sign_in.per_address),
        lifetimes=SessionLifetimes(absolute=config.sessions.absolute, idle=config.sessions.idle),
        acr=sign_in.acr,
    )


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
        wants_page = "text/html" in request.headers.get("accept", "")
        return problem_page(404, site) if wants_page else await not_found(request)

    return missing
