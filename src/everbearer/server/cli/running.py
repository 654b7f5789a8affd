"""`everbearer dev` and `everbearer serve`: run the server."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from everbearer.oauth.authorization_server import unix_now
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.uris import is_loopback
from everbearer.server.cli.desk import ConfigOption, JsonOption, read_config
from everbearer.server.cli.output import USAGE, fail, say, say_json, warn
from everbearer.server.config import Config
from everbearer.server.config.environment import variable_of
from everbearer.server.config.file import DEFAULT_FILE, find_config, load_config
from everbearer.server.config.reading import ConfigError
from everbearer.server.config.rules import config_problems, serving_problems
from everbearer.server.config.secrets import secret_warnings
from everbearer.server.config.tls import tls_problems
from everbearer.server.config.weakenings import weakenings
from everbearer.server.declared import Applied, apply_declared
from everbearer.server.observing.logs import configure_logs
from everbearer.server.observing.scraping import metrics_port
from everbearer.server.opening import in_thread, open_sealer, open_store, shown
from everbearer.server.running.banner import banner, banner_members
from everbearer.server.running.dev import demo_credentials, listen, prepare_folder, with_demo
from everbearer.server.running.serving import Job
from everbearer.server.running.serving import serve as serve_job
from everbearer.server.running.workers import Workers
from everbearer.server.upkeep.pairwise_salt import PairwiseSalt, tend_salt
from everbearer.server.upkeep.signing_keys import KeysUnreadable, SigningKeys, tend_keys

log = logging.getLogger("everbearer")

_NO_FILE = f"there is no {DEFAULT_FILE} in this folder; name a file with --config, or try it out with: everbearer dev"


def serve(
    config: ConfigOption = None,
    database: Annotated[
        str, typer.Option(metavar="URL", help="A PostgreSQL database or an SQLite file, instead of the configured one.")
    ] = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Run the server. The database, the first keys and what the configuration declares are made ready before."""
    if database:
        os.environ[variable_of("server.database")] = database
    file = find_config(config)
    loaded = read_config(file)
    problems = (*serving_problems(loaded), *tls_problems(loaded.server))
    if problems and file is None:
        problems = (*problems, _NO_FILE)
    if problems:
        fail(*problems, code=USAGE)
    for warning in secret_warnings(loaded, os.environ):
        warn(f"warning: {warning}")
    host, port = loaded.server.host, loaded.server.port
    listening = _listen(host, port, otherwise="write another into server.port or server.host")
    if loaded.server.workers == 1:
        _tell_ready(loaded, as_json=as_json)
        with _metrics_folder(loaded) as folder:
            serve_job(Job(config=loaded, metrics_folder=folder), listening)
    _tell_ready(loaded, as_json=as_json)
    with Workers(listening, loaded.server.workers) as workers, _metrics_folder(loaded) as folder:
        raise typer.Exit(workers.run(Job(config=loaded, metrics_folder=folder)))


def _tell_ready(loaded: Config, *, as_json: bool) -> None:
    """Make ready what the server needs, and tell where it will answer."""
    applied, _ = _make_ready(loaded, lambda config, _: config)
    configure_logs(loaded.logs)
    for weaker in weakenings(loaded):
        log.warning("weaker by choice: %s", weaker)
    host, port = loaded.server.host, loaded.server.port
    where = {"issuer": loaded.issuer, "host": host, "port": port}
    if as_json:
        say_json(where | {"workers": loaded.server.workers, "clients": applied.clients, "users": applied.users})
    else:
        say(f"Everbearer serves {loaded.issuer} on {host}:{port}.")


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
    listening = _listen(host, port, otherwise="choose another with --port or --host; --port 0 takes a free one")
    try:
        file = prepare_folder(data, host=host, port=listening.getsockname()[1]).absolute()
        loaded = load_config(file, os.environ)
    except OSError as error:
        fail(f"{data}: cannot be written to ({error.strerror}); name a folder of yours with --data")
    except ConfigError as error:
        fail(*error.problems, code=USAGE)
    _, sealer = _make_ready(loaded, lambda config, sealer: _demo(config, sealer, client_redirect_uri or []))
    members = banner_members(loaded, demo_credentials(sealer), file)
    announce = (lambda: say_json(members)) if as_json else (lambda: say(banner(members)))
    with _metrics_folder(loaded) as folder:
        serve_job(Job(config=loaded, development=True, metrics_folder=folder), listening, announce=announce)


@contextmanager
def _metrics_folder(config: Config) -> Generator[Path | None]:
    """Answer Prometheus, if that is wanted; yields where processes tell what they have counted."""
    metrics = config.metrics
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(metrics_port(metrics.host, metrics.port)) if metrics.enabled else None
        except OSError as error:
            where = f"metrics: {metrics.host}, port {metrics.port}"
            fail(f"{where}: {_why(error)}; write another into metrics.port or metrics.host")
        yield folder


def _demo(config: Config, sealer: Sealer, redirect_uris: list[str]) -> Config:
    complete = with_demo(config, demo_credentials(sealer), redirect_uris)
    problems = config_problems(complete)
    if problems:
        raise ConfigError(*problems)
    return complete


def _listen(host: str, port: int, *, otherwise: str) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        fail(f"{host}, port {port}: {_why(error)}; {otherwise}")


def _why(error: OSError) -> str:
    return "is in use already" if error.errno == errno.EADDRINUSE else str(error.strerror or error)


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
            await tend_salt(store, sealer)
            await PairwiseSalt(store, sealer).read()
            return await apply_declared(whole, store, sealer, run=in_thread, now=now), sealer
        finally:
            await store.close()

    try:
        return asyncio.run(work())
    except ConfigError as error:
        fail(*error.problems, code=USAGE)
    except StoreUnavailable as error:
        fail(f"{shown(config.server.database)}: the database is not available: {error}")
    except KeysUnreadable as error:
        fail(str(error))
