"""An SQLite file for an event loop, which waits for the disk only where that is a matter of microseconds.

- What is looked up by its key is read at once, on a connection of the loop's own thread: handing it to another thread
  takes longer than reading it.
- Refreshes that are spent in one turn of the loop share a transaction and its flush. They are written at once too, as
  long as no other process has the lock and the disk is prompt.
- Everything else is for threads: long reads, all other writes, waiting for the lock, flushing to a slow disk, and
  moving the write-ahead log into the file.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock, local
from typing import Any, TypeVar, cast

from everbearer.oauth.errors import StoreUnavailable
from everbearer.storage.sql.transaction import Row, Value, Verb, Written, tell_nobody
from everbearer.storage.sqlite.connection import DatabaseLocked, SQLiteConnection
from everbearer.storage.sqlite.spends import SpendVerb
from everbearer.storage.sqlite.threads import Batch, Threads, Write

T = TypeVar("T")
Found = TypeVar("Found")

PROMPT = 0.002
"""Seconds that a flush may take on the loop, on the average of the last ten or so. After that threads write for a
while."""
SLOW_FOR = 1.0
"""Seconds of that while: then the disk is tried again."""
TRIES = 50
"""How many turns of the loop another process may keep the lock for, before a thread waits for it."""
LAST = 0.1
"""What the last flush counts for. One that stalls counts for no more than a few times what is prompt."""


class _AtHand(local):
    """What belongs to one thread that runs event loops."""

    def __init__(self) -> None:
        self.process = 0
        self.connection: SQLiteConnection | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.waiting: list[Write] = []
        self.handed_over = 0
        """How many batches the thread that writes has."""
        self.flushed_in = 0.0
        self.slow_until = 0.0
        self.tries = 0
        self.tidying: asyncio.Future[Any] | None = None


class SQLiteOnLoop:
    """Runs transactions; see `everbearer.storage.sql.transaction.Database`. Threads start at the first use."""

    def __init__(self, path: Path, patience: float, written: Written = tell_nobody) -> None:
        self._path = path
        self._written = written
        self._patience = patience
        self._starting = Lock()
        self._threads: Threads | None = None
        self._at_hand = _AtHand()
        self._opened: list[SQLiteConnection] = []
        self._inherited: list[object] = []
        """What a child of a fork has of its parent: it must neither use nor close it."""

    async def find(self, statement: str, parameters: Mapping[str, Value], read: Callable[[Row], Found]) -> Found | None:
        """Return what one statement finds by a key, if it finds something: `look_up` without a verb around it."""
        try:
            rows = self._connection().rows(statement, parameters)
        except DatabaseLocked:
            rows = await self._running().read(lambda connection: connection.rows(statement, parameters))
        return read(rows[0]) if rows else None

    async def look_up(self, verb: Verb[T]) -> T:
        """See `Database`."""
        try:
            return self._connection().read(verb)
        except DatabaseLocked:
            # Somebody puts the write-ahead log in order after a crash; another thread waits for that.
            return await self.read(verb)

    async def read(self, verb: Verb[T]) -> T:
        """See `Database`."""
        return cast("T", await self._running().read(lambda connection: connection.read(verb)))

    async def write(self, verb: Verb[T]) -> T:
        """See `Database`."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()
        at_hand = self._at_hand
        if at_hand.loop is not loop:
            at_hand.loop, at_hand.waiting, at_hand.handed_over, at_hand.tidying = loop, [], 0, None
        if not at_hand.waiting:
            loop.call_soon(self._write_waiting)
        at_hand.waiting.append(Write(verb, outcome))
        return await outcome

    async def close(self) -> None:
        """Let the threads finish what waits, and end them. The next verb would start others."""
        writes, self._at_hand.waiting = self._at_hand.waiting, []
        if writes:
            self._hand_over(writes)
        threads, self._threads = self._threads, None
        if threads is not None and threads.process == os.getpid():
            await threads.finish(self._patience)
        while self._opened:
            self._opened.pop().close()
        self._at_hand = _AtHand()

    def _write_waiting(self) -> None:
        """Write what was asked for in this turn of the loop."""
        at_hand = self._at_hand
        writes, at_hand.waiting = at_hand.waiting, []
        if not writes:
            return
        if self._belongs_here(writes):
            if self._written_here(writes):
                at_hand.tries = 0
                return
            # Another process has the lock, mostly for no longer than a few requests take to read: those come along.
            at_hand.tries += 1
            if at_hand.tries < TRIES and at_hand.loop is not None:
                at_hand.waiting = writes
                at_hand.loop.call_soon(self._write_waiting)
                return
        at_hand.tries = 0
        self._hand_over(writes)

    def _belongs_here(self, writes: list[Write]) -> bool:
        at_hand = self._at_hand
        # What the thread has is before these; whatever is not one row by its key may take long.
        if at_hand.handed_over or time.monotonic() < at_hand.slow_until:
            return False
        return all(type(write.verb) is SpendVerb for write in writes)

    def _written_here(self, writes: list[Write]) -> bool:
        began, kept = time.monotonic(), len(writes)
        try:
            connection = self._connection()
            if not connection.try_lock():
                return False
            try:
                outcomes = connection.write_locked([write.verb for write in writes], patience=0)
            finally:
                connection.unlock()
        except DatabaseLocked:
            return False
        except StoreUnavailable as error:
            outcomes, kept = [StoreUnavailable(str(error)) for _ in writes], 0
        self._note(kept, time.monotonic() - began)
        for write, outcome in zip(writes, outcomes, strict=True):
            write.tell(outcome)
        return True

    def _note(self, kept: int, seconds: float) -> None:
        at_hand = self._at_hand
        self._written(kept, seconds)
        connection = self._connection()
        at_hand.flushed_in += LAST * (min(connection.flushed_in, 3 * PROMPT) - at_hand.flushed_in)
        if at_hand.flushed_in > PROMPT:
            at_hand.slow_until, at_hand.flushed_in = time.monotonic() + SLOW_FOR, 0.0
        if connection.log_is_long and (at_hand.tidying is None or at_hand.tidying.done()):
            at_hand.tidying = self._running().read(SQLiteConnection.move_log)

    def _hand_over(self, writes: list[Write]) -> None:
        at_hand = self._at_hand
        loop = at_hand.loop or asyncio.get_running_loop()

        def done() -> None:
            at_hand.handed_over -= 1

        at_hand.handed_over += 1
        batch = Batch(loop, time.monotonic() + self._patience, writes, done)
        batch.timer = loop.call_later(self._patience, batch.give_up)
        self._running().write(batch)

    def _connection(self) -> SQLiteConnection:
        at_hand, process = self._at_hand, os.getpid()
        if at_hand.connection is None or at_hand.process != process:
            if at_hand.process not in (0, process):
                self._inherited.extend(self._opened)
                self._opened.clear()
            at_hand.connection, at_hand.process = SQLiteConnection(self._path, patience=0, tidies=False), process
            self._opened.append(at_hand.connection)
        return at_hand.connection

    def _running(self) -> Threads:
        threads, process = self._threads, os.getpid()
        if threads is not None and threads.process == process:
            return threads
        with self._starting:
            if self._threads is None or self._threads.process != process:
                self._inherited.append(self._threads)
                self._threads = Threads(self._path, self._written)
            return self._threads
