"""What a command works with: configuration, store and clock, opened before it and closed after it."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import typer

from everbearer.oauth.authorization_server import unix_now
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.errors import StoreUnavailable
from everbearer.server.cli.output import FAILED, USAGE, fail
from everbearer.server.config import Config
from everbearer.server.config.file import find_config, load_config
from everbearer.server.config.reading import ConfigError
from everbearer.server.opening import on_postgresql, open_sealer, open_store, shown
from everbearer.server.upkeep.signing_keys import KeysUnreadable
from everbearer.storage.store import AdminStore

T = TypeVar("T")

ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--config", envvar="EVERBEARER_CONFIG", help="The file; ./everbearer.toml if it is there."),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
YesOption: TypeAlias = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


class NotDone(Exception):
    """The command was right, but what it wants cannot be done; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a command works with."""

    config: Config
    store: AdminStore
    now: int
    actor: str
    """Who is at the desk, for the audit trail."""

    def sealer(self) -> Sealer:
        """Return the sealer; only commands that need the server's secret ask for it."""
        return open_sealer(self.config, os.environ)


def read_config(path: Path | None) -> Config:
    """Return the configuration, or tell what is wrong with it and exit."""
    try:
        return load_config(find_config(path), os.environ)
    except ConfigError as error:
        fail(*error.problems, code=USAGE)


def at_desk(path: Path | None, work: Callable[[Desk], Awaitable[T]], *, migrated: bool = True) -> T:
    """Do the work of a command and return its result, or tell why it cannot be done and exit."""
    config = read_config(path)
    try:
        if migrated:
            _require_database(config.server.database)
        return asyncio.run(_open(config, work, migrated=migrated))
    except ConfigError as error:
        fail(*error.problems, code=USAGE)
    except StoreUnavailable as error:
        fail(f"{shown(config.server.database)}: the database is not available: {error}", code=FAILED)
    except (NotDone, KeysUnreadable) as error:
        fail(str(error), code=FAILED)


async def _open(config: Config, work: Callable[[Desk], Awaitable[T]], *, migrated: bool) -> T:
    store = open_store(config)
    try:
        if migrated and await store.pending_migrations():
            raise NotDone(f"{shown(config.server.database)}: is not up to date; run: everbearer migrate")
        return await work(Desk(config=config, store=store, now=unix_now(), actor=f"admin:{_account()}"))
    finally:
        await store.close()


def _require_database(database: str) -> None:
    # To open an SQLite file that is not there would make one.
    if not on_postgresql(database) and not Path(database).exists():
        raise NotDone(
            f"{database}: there is no such database; name the file that says where it is, such as --config "
            ".everbearer/everbearer.toml for that of development mode, or make a new one with: everbearer migrate"
        )


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone; where nobody can be asked, refuse without `--yes`."""
    if yes:
        return
    if not typer.get_text_stream("stdin").isatty():
        fail(f"{question} Say so with --yes.", code=USAGE)
    if not typer.confirm(question):
        fail("Nothing was done.")
