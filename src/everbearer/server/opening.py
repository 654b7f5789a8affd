"""Opens what the configuration names: the store and the sealer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

from everbearer.login.models import SessionLifetimes
from everbearer.oauth.sealing import Sealer
from everbearer.server.config import Config
from everbearer.server.secrets import server_secrets
from everbearer.storage.sqlite import SQLiteStore, Written, tell_nobody
from everbearer.storage.store import AdminStore

T = TypeVar("T")


def open_store(config: Config, *, written: Written = tell_nobody) -> AdminStore:
    """Return the store of the configured database; nothing is touched before its first verb.

    `written` is told of each transaction that writes, for those who count.
    """
    sessions = SessionLifetimes(absolute=config.sessions.absolute, idle=config.sessions.idle)
    return SQLiteStore(config.server.database, session_lifetimes=sessions, written=written)


def open_sealer(config: Config, environ: Mapping[str, str]) -> Sealer:
    """Return the sealer of the server's secrets.

    Raises:
        ConfigError: there is no secret, or none that will do.

    """
    return Sealer(server_secrets(config, environ))


async def in_thread(work: Callable[[], T]) -> T:
    """Run heavy work in a thread: for commands and start-up, where nobody else can be kept waiting by it."""
    return await asyncio.to_thread(work)
