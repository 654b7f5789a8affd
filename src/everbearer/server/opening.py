"""Opens what the configuration names: the store and the sealer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from everbearer.login.models import SessionLifetimes
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.server.config import POSTGRESQL_SCHEMES, Config
from everbearer.server.config.reading import ConfigError
from everbearer.server.config.secrets import server_secrets
from everbearer.storage.sql.store import SqlStore
from everbearer.storage.sql.transaction import Written, tell_nobody
from everbearer.storage.sqlite import SQLiteStore

T = TypeVar("T")

MASK = "********"
"""What stands where a secret is hidden."""


def open_store(config: Config, *, written: Written = tell_nobody) -> SqlStore:
    """Return the store of the configured database; nothing is touched before its first verb.

    `written` is told of each transaction that writes, for those who count.
    """
    sessions = SessionLifetimes(absolute=config.sessions.absolute, idle=config.sessions.idle)
    server = config.server
    return open_database(
        server.database, connections=server.database_connections, session_lifetimes=sessions, written=written
    )


def open_database(
    database: str,
    *,
    connections: int = 2,
    session_lifetimes: SessionLifetimes | None = None,
    written: Written = tell_nobody,
) -> SqlStore:
    """Return the store on a database: a URL of PostgreSQL, or the path of an SQLite file.

    Raises:
        ConfigError: it is a URL that cannot be understood.

    """
    if not on_postgresql(database):
        return SQLiteStore(database, session_lifetimes=session_lifetimes, written=written)
    # psycopg comes with an extra.
    from everbearer.storage.postgresql import PostgreSQLStore  # noqa: PLC0415

    try:
        return PostgreSQLStore(database, connections=connections, session_lifetimes=session_lifetimes, written=written)
    except ValueError as error:
        raise ConfigError(f"server.database: {error}; write postgresql://user@host/database") from None


def on_postgresql(database: str) -> bool:
    """Return whether a database is one of PostgreSQL."""
    scheme, separator, _ = database.partition("://")
    return bool(separator) and scheme in POSTGRESQL_SCHEMES


def shown(database: str) -> str:
    """Return how a database is called before people: a password in its URL is hidden."""
    hidden = re.sub(r"(?<=://)([^:@/]*):[^/]*@", rf"\1:{MASK}@", database)
    return re.sub(r"(password=)[^&]*", rf"\1{MASK}", hidden) if "://" in database else database


def open_sealer(config: Config, environ: Mapping[str, str]) -> Sealer:
    """Return the sealer of the server's secrets.

    Raises:
        ConfigError: there is no secret, or none that will do.

    """
    return Sealer(server_secrets(config, environ))


async def in_thread(work: Callable[[], T]) -> T:
    """Run heavy work in a thread: for commands and start-up, where nobody else can be kept waiting by it."""
    return await asyncio.to_thread(work)
