"""News from other nodes, by LISTEN and NOTIFY: that signing keys have changed.

It is told within the transaction that changes them, and heard on a connection of its own. Nothing depends on it:
whoever hears reads anew, and whoever cannot hear reads anew after a while.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from everbearer.oauth.errors import StoreUnavailable
from everbearer.storage.postgresql.connection import PostgreSQLConnection
from everbearer.storage.sql.transaction import Transaction

CONNECT_WITHIN = 10.0
AGAIN_AFTER = 1.0
"""Seconds until a connection that was lost is opened anew."""

TELL_OF_KEYS = "SELECT pg_notify('everbearer_keys', '')"
LISTEN_FOR_KEYS = b"LISTEN everbearer_keys"

log = logging.getLogger("everbearer")


async def tell_of_keys(transaction: Transaction) -> None:
    """Tell all nodes that keys have changed; they hear of it when the transaction is committed."""
    await transaction.run(TELL_OF_KEYS)


@asynccontextmanager
async def hearing_of_keys(conninfo: str, heard: Callable[[], None]) -> AsyncGenerator[None]:
    """Call `heard` when any node has changed keys, and when that may have been missed, until the block is left."""
    task = asyncio.create_task(_hear(conninfo, heard))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _hear(conninfo: str, heard: Callable[[], None]) -> None:
    direct = True
    while direct:
        with suppress(StoreUnavailable):
            connection = await PostgreSQLConnection.open(conninfo, timeout=CONNECT_WITHIN)
            try:
                direct = connection.direct
                if direct:
                    await _listen(connection, heard)
            finally:
                await connection.close()
        if direct:
            await asyncio.sleep(AGAIN_AFTER)
    log.info(
        "between here and PostgreSQL is a pooler, which passes no news on: new signing keys are looked for instead"
    )


async def _listen(connection: PostgreSQLConnection, heard: Callable[[], None]) -> None:
    await connection.execute(LISTEN_FOR_KEYS)
    while True:
        # At first, for nobody listened until now.
        heard()
        await connection.news()
