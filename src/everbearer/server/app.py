"""The ready server as one application: protocol, pages and health, out of a configuration and a store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from everbearer.http.asgi import Application, Observe, asgi_application
from everbearer.oauth.events import Event
from everbearer.oauth.messages import Endpoint
from everbearer.server.config import Config
from everbearer.server.config.file import find_config, load_config
from everbearer.server.health import never
from everbearer.server.observing.logs import configure_logs, log_theft, log_unusable_keys
from everbearer.server.observing.metrics import KEY_AGE, PASSWORDS_REFUSED, PASSWORDS_UNDER_WAY, Metrics
from everbearer.server.observing.requests import Trace, observing
from everbearer.server.observing.scraping import telling
from everbearer.server.opening import open_sealer, open_store
from everbearer.server.outward.fetching import Fetching
from everbearer.server.outward.jwks_uris import JwksUris
from everbearer.server.outward.logout_delivery import LogoutDelivery
from everbearer.server.outward.request_uris import ACCEPT, RequestUris
from everbearer.server.password_pool import PasswordPool
from everbearer.server.self_registration import documents
from everbearer.server.tables import Parts, endpoint_of, tables_of
from everbearer.server.upkeep.clock import SharedClock
from everbearer.server.upkeep.housekeeping import Housekeeping
from everbearer.server.upkeep.pairwise_salt import PairwiseSalt
from everbearer.server.upkeep.signing_keys import SigningKeys


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
        log_unusable_keys(event)

    fetching = Fetching(private=config.server.fetch_from_private_addresses)
    parts = Parts(
        config=config,
        store=store,
        sealer=sealer,
        keys=keys,
        pairwise_salt=salt,
        run=pool.run,
        jwks=JwksUris(fetching, clock),
        request_objects=RequestUris(replace(fetching, accept=ACCEPT), clock),
        fetch=documents(fetching),
        now=clock,
        notify=notify,
        stopping=stopping,
    )
    chores = Housekeeping(
        store=store,
        sealer=sealer,
        keys=keys,
        salt=salt,
        clock=clock,
        settings=config.keys,
        run=pool.run,
        unused_after=config.registration.unused_after,
        tell_of_expiry=config.sessions.tell_of_expiry,
    )

    tables = tables_of(parts, development=development)
    logouts = LogoutDelivery(store=store, server=tables.site.server, post=fetching.post)

    @asynccontextmanager
    async def lifespan() -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(chores.going_on())
            await stack.enter_async_context(logouts.going_on())
            if metrics_folder is not None:
                await stack.enter_async_context(telling(metrics, metrics_folder))
            yield
        pool.close()
        await store.close()
        # It may wait for the network.
        await asyncio.to_thread(stop_tracing)

    return Assembled(
        endpoint=endpoint_of(tables, parts),
        observe=observing(metrics, tables.routes, trace=trace, refused=tables.refused),
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
