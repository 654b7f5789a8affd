"""The connections to PostgreSQL that a process holds: few, opened when needed, dropped together when one is lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from everbearer.storage.postgresql_connection import ConnectionLost, PostgreSQLConnection

BETWEEN_TRIES = 0.05
"""Seconds between tries to connect while other connections of this process live, one of which may come free."""


class Pool:
    """At most `size` connections, for one event loop at a time."""

    def __init__(self, conninfo: str, *, size: int) -> None:
        self._conninfo = conninfo
        self._size = size
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._free = asyncio.Semaphore(self._size)
        self._idle: list[PostgreSQLConnection] = []
        self._busy = 0
        self._connecting = 0
        self._era = 0

    @asynccontextmanager
    async def connection(self, end: float) -> AsyncGenerator[PostgreSQLConnection]:
        """Lend a connection until `end` on the event loop's clock, when it is broken off.

        Raises:
            ConnectionLost: there is none to be had by then.

        """
        if self._process != os.getpid():
            self._begin()  # A child of a fork must not touch its parent's connections.
        free, loop = self._free, asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(end):
                await free.acquire()
        except TimeoutError:
            raise ConnectionLost("all connections to PostgreSQL are in use") from None
        try:
            connection = await self._take(end)
            era = self._era
            self._busy += 1
            try:
                with connection.limited(end - loop.time()):
                    yield connection
            except ConnectionLost:
                if era == self._era:
                    # What happened to one happened to all: the server is gone, or has become a standby.
                    await self._drop_idle()
                raise
            finally:
                self._busy -= 1
                if connection.usable and era == self._era:
                    self._idle.append(connection)
                else:
                    await connection.close()
        finally:
            free.release()

    async def close(self) -> None:
        """Close those that are idle; the others close when they come back."""
        if self._process == os.getpid():
            await self._drop_idle()
        self._begin()

    async def _take(self, end: float) -> PostgreSQLConnection:
        loop = asyncio.get_running_loop()
        while True:
            while self._idle:
                connection = self._idle.pop()
                if connection.usable:
                    return connection
                await connection.close()
            try:
                return await self._open(end - loop.time())
            except ConnectionLost:
                # The server may have no more connections to give; then those that we have must do.
                await self._others_connected(end)
                if not (self._busy or self._idle) or loop.time() + BETWEEN_TRIES >= end:
                    raise
            if not self._idle:
                await asyncio.sleep(BETWEEN_TRIES)

    async def _open(self, seconds: float) -> PostgreSQLConnection:
        self._connecting += 1
        try:
            return await PostgreSQLConnection.open(self._conninfo, timeout=max(0.0, seconds))
        finally:
            self._connecting -= 1

    async def _others_connected(self, end: float) -> None:
        while self._connecting and asyncio.get_running_loop().time() + BETWEEN_TRIES < end:  # noqa: ASYNC110 - in trouble
            await asyncio.sleep(BETWEEN_TRIES)

    async def _drop_idle(self) -> None:
        self._era += 1
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.close()
