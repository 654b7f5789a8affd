"""`everbearer dev` and `everbearer serve`: run the server."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal, TypedDict

import typer
import uvicorn

from everbearer.oauth.authorization_server import unix_now
from everbearer.oauth.client_rules import is_loopback
from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.sealing import Sealer
from everbearer.server.banner import banner, banner_members
from everbearer.server.cli.desk import ConfigOption, JsonOption, read_config
from everbearer.server.cli.output import FAILED, USAGE, fail, say, say_json, warn
from everbearer.server.config import Config
from everbearer.server.config_file import find_config, load_config
from everbearer.server.config_reading import ConfigError
from everbearer.server.config_rules import config_problems, serving_problems
from everbearer.server.declared import Applied, apply_declared
from everbearer.server.dev import demo_credentials, listen, prepare_folder, with_demo
from everbearer.server.opening import in_thread, open_sealer, open_store
from everbearer.server.secrets import secret_warnings
from everbearer.server.signing_keys import KeysUnreadable, SigningKeys, tend_keys

APPLICATION = "everbearer.server.app:create"
CONFIG = "EVERBEARER_CONFIG"
DEV = "EVERBEARER_DEV"
GRACE = 10
"""Seconds that requests under way have to finish when the server is told to stop."""


def serve(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Run the server. The database, the first keys and what the configuration declares are made ready before."""
    file = find_config(config)
    loaded = read_config(file)
    problems = serving_problems(loaded)
    if problems:
        fail(*problems, code=USAGE)
    for warning in secret_warnings(loaded, os.environ):
        warn(f"warning: {warning}")
    applied, _ = _make_ready(loaded, lambda config, _: config)
    if file:
        os.environ[CONFIG] = str(file.absolute())
    where = {"issuer": loaded.issuer, "host": loaded.server.host, "port": loaded.server.port}
    if as_json:
        say_json(where | {"workers": loaded.server.workers, "clients": applied.clients, "users": applied.users})
    else:
        say(f"Everbearer serves {loaded.issuer} on {loaded.server.host}:{loaded.server.port}.")
    uvicorn.run(**_settings(loaded), workers=loaded.server.workers)


def dev(
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    data: Annotated[Path, typer.Option(help="The folder for the database and the secret.")] = Path(".everbearer"),
    client_redirect_uri: Annotated[
        list[str] | None, typer.Option(metavar="URI", help="Let the demo clients use it; may be repeated.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Run a server for development: on this machine only, with demo clients and a demo user."""
    if not is_loopback(host):
        fail(
            f"--host {host}: development mode prints its secrets and listens on this machine only; write 127.0.0.1, "
            "::1 or localhost. For others to reach the server, run: everbearer serve",
            code=USAGE,
        )
    listening = _listen(host, port)
    file = prepare_folder(data, host=host, port=listening.getsockname()[1]).absolute()
    try:
        loaded = load_config(file, os.environ)
    except ConfigError as error:
        fail(*error.problems, code=USAGE)
    _, sealer = _make_ready(loaded, lambda config, sealer: _demo(config, sealer, client_redirect_uri or []))
    os.environ[CONFIG] = str(file)
    os.environ[DEV] = "1"
    members = banner_members(loaded, demo_credentials(sealer), file)
    announce = (lambda: say_json(members)) if as_json else (lambda: say(banner(members)))
    server = _Announcing(uvicorn.Config(**_settings(loaded, log_level="warning")), announce)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    if not server.started:
        raise typer.Exit(FAILED)


def _demo(config: Config, sealer: Sealer, redirect_uris: list[str]) -> Config:
    complete = with_demo(config, demo_credentials(sealer), redirect_uris)
    problems = config_problems(complete)
    if problems:
        raise ConfigError(*problems)
    return complete


def _listen(host: str, port: int) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            fail(f"port {port} on {host} is in use already: choose another with --port; --port 0 takes a free one")
        fail(f"{host}, port {port}: {os.strerror(error.errno or 0)}; choose another --host or --port")


def _make_ready(config: Config, complete: Callable[[Config, Sealer], Config]) -> tuple[Applied, Sealer]:
    """Migrate, make the first keys and apply what is declared: once, before any worker answers."""

    async def work() -> tuple[Applied, Sealer]:
        sealer = open_sealer(config, os.environ)
        whole = complete(config, sealer)
        store = open_store(config)
        try:
            await store.migrate()
            now = unix_now()
            await tend_keys(store, sealer, config.keys, now=now, run=in_thread)
            # Workers would die of a key that cannot be read; here it can be told.
            await SigningKeys(store, sealer, unix_now).refresh()
            return await apply_declared(whole, store, sealer, run=in_thread, now=now), sealer
        finally:
            await store.close()

    try:
        return asyncio.run(work())
    except ConfigError as error:
        fail(*error.problems, code=USAGE)
    except StoreUnavailable as error:
        fail(f"{config.server.database}: the database is not available: {error}")
    except KeysUnreadable as error:
        fail(str(error))


class _Settings(TypedDict):
    app: str
    factory: bool
    host: str
    port: int
    loop: str
    http: str
    ws: str
    lifespan: Literal["on"]
    log_level: str
    access_log: bool
    server_header: bool
    proxy_headers: bool
    forwarded_allow_ips: list[str]
    timeout_graceful_shutdown: int


class _Announcing(uvicorn.Server):
    """Says that the server is ready when it is, not before."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


def _settings(config: Config, *, log_level: str = "info") -> _Settings:
    return {
        "app": APPLICATION,
        "factory": True,
        "host": config.server.host,
        "port": config.server.port,
        "loop": "asyncio" if sys.platform == "win32" else "uvloop",
        "http": "httptools",
        "ws": "none",
        "lifespan": "on",
        "log_level": log_level,
        # An access log would hold what users and clients send in queries.
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(config.server.trusted_proxies),
        "forwarded_allow_ips": list(config.server.trusted_proxies),
        "timeout_graceful_shutdown": GRACE,
    }
