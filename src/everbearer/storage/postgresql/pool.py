"""The connections to PostgreSQL that a process holds: few, opened when needed, dropped together when one is lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Literal, TypeVar

from everbearer.storage.postgresql.connection import ConnectionLost, PostgreSQLConnection, Work

T = TypeVar("T")

BETWEEN_TRIES = 0.05
"""Seconds between tries to connect while other connections of this process live, one of which may come free."""


class _Places(asyncio.Semaphore):
    """A semaphore that tells how many wait."""

    waiting = 0

    async def acquire(self) -> Literal[True]:
        self.waiting += 1
        try:
            return await super().acquire()
        finally:
            self.waiting -= 1


class Pool:
    """At most `size` connections, for one event loop at a time."""

    def __init__(self, conninfo: str, *, size: int) -> None:
        self._conninfo = conninfo
        self._size = size
        self._begin()

    @property
    def states(self) -> Mapping[str, int]:
        """Return how many connections are in use and idle, and how much work waits for one."""
        return {"in_use": self._busy, "idle": len(self._idle), "waiting": self._free.waiting}

    def _begin(self) -> None:
        self._process = os.getpid()
        self._free = _Places(self._size)
        self._idle: list[PostgreSQLConnection] = []
        self._busy = 0
        self._connecting = 0
        self._era = 0

    async def lend(self, work: Work[T], *, end: float) -> T:
        """Do some work on a connection, which is broken off at `end` on the event loop's clock.

        Raises:
            ConnectionLost: there is none to be had by then.

        """
        if self._process != os.getpid():
            self._begin()  # A child of a fork must not touch its parent's connections.
        free = self._free
        if free.locked():
            await _wait_for(free, end)
        else:
            await free.acquire()
        try:
            return await self._work(work, await self._take(end), end)
        finally:
            free.release()

    async def _work(self, work: Work[T], connection: PostgreSQLConnection, end: float) -> T:
        era = self._era
        self._busy += 1
        timer = asyncio.get_running_loop().call_at(end, connection.break_off)
        try:
            return await work(connection)
        except ConnectionLost:
            if era == self._era:
                # What happened to one happened to all: the server is gone, or has become a standby.
                await self._drop_idle()
            raise
        finally:
            timer.cancel()
            self._busy -= 1
            if connection.in_order and era == self._era:
                self._idle.append(connection)
            else:
                await connection.close()

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


async def _wait_for(free: asyncio.Semaphore, end: float) -> None:
    try:
        async with asyncio.timeout_at(end):
            await free.acquire()
    except TimeoutError:
        raise ConnectionLost("all connections to PostgreSQL are in use") from None
