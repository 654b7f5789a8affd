"""The threads of a process that wait for an SQLite file, so that an event loop need not: one writes and two read.

All writes that wait when the thread has the database share one transaction, and so one flush to the disk. Each is told
of its outcome on its own event loop, and only after the commit.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeAlias

from everbearer.oauth.errors import StoreUnavailable
from everbearer.storage.sql.transaction import Verb, Written
from everbearer.storage.sqlite.connection import DatabaseLocked, SQLiteConnection

READERS = 2
LARGEST_BATCH = 256


@dataclass(slots=True, eq=False)
class Write:
    """A verb that waits, and where its outcome goes."""

    verb: Verb[Any]
    outcome: asyncio.Future[Any]

    def tell(self, outcome: Any) -> None:  # noqa: ANN401 - what a verb gives
        """Tell a result or an exception, unless whoever asked has gone."""
        tell(self.outcome, outcome)


@dataclass(slots=True, eq=False)
class Batch:
    """What an event loop handed over in one turn."""

    loop: asyncio.AbstractEventLoop
    deadline: float
    writes: list[Write]
    done: Callable[[], None]
    """Is called on the loop when all have been told."""
    timer: asyncio.TimerHandle | None = None

    def tell(self, outcomes: Iterable[Any]) -> None:
        """Tell each its outcome."""
        if self.timer is not None:
            self.timer.cancel()
        for write, outcome in zip(self.writes, outcomes, strict=True):
            write.tell(outcome)
        self.done()

    def give_up(self) -> None:
        """Tell all that they have waited too long."""
        self.tell([DatabaseLocked("others keep the database locked for too long") for _ in self.writes])


@dataclass(slots=True, eq=False)
class _Reading:
    """What is done on a connection that reads, and where its outcome goes."""

    work: Callable[[SQLiteConnection], Any]
    loop: asyncio.AbstractEventLoop
    outcome: asyncio.Future[Any]


_Writes: TypeAlias = "SimpleQueue[Batch | None]"


class Threads:
    """The threads of one process; a child of its fork has none of them."""

    def __init__(self, path: Path, written: Written) -> None:
        self.process = os.getpid()
        self._path = path
        self._written = written
        self._reads: SimpleQueue[_Reading | None] = SimpleQueue()
        self._writes: _Writes = SimpleQueue()
        self._connections: list[SQLiteConnection] = []
        """So that a child of a fork does not close them by letting go of them."""
        self._threads = [
            Thread(target=target, name=f"everbearer {target.__name__[1:]}", daemon=True)
            for target in (self._write_all, *[self._read_all] * READERS)
        ]
        for thread in self._threads:
            thread.start()

    def read(self, work: Callable[[SQLiteConnection], Any]) -> asyncio.Future[Any]:
        """Do something that may take long on a connection that reads."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Any] = loop.create_future()
        self._reads.put(_Reading(work, loop, outcome))
        return outcome

    def write(self, batch: Batch) -> None:
        """Write what a loop hands over."""
        self._writes.put(batch)

    async def finish(self, patience: float) -> None:
        """Let the threads end what waits, and themselves."""
        self._writes.put(None)
        self._reads.put(None)
        for thread in self._threads:
            # One that waits for another process ends when that lets it.
            await asyncio.to_thread(thread.join, patience)

    def _connect(self) -> SQLiteConnection:
        connection = SQLiteConnection(self._path)
        self._connections.append(connection)
        return connection

    def _read_all(self) -> None:
        connection: SQLiteConnection | None = None
        while (reading := self._reads.get()) is not None:
            outcome: Any
            try:
                connection = connection or self._connect()
                outcome = reading.work(connection)
            except Exception as error:  # noqa: BLE001 - it is the caller's
                outcome = error
            _on(reading.loop, tell, reading.outcome, outcome)
        self._reads.put(None)  # It is for all threads at this queue.
        if connection is not None:
            connection.close()

    def _write_all(self) -> None:
        connection: SQLiteConnection | None = None
        batches: list[Batch] = []
        while batches or (batches := _take(self._writes)):
            began, kept = time.monotonic(), 0
            try:
                connection = connection or self._connect()
                with connection.locked():
                    batches = _still_waiting([*batches, *_more(self._writes)])
                    outcomes = _write(connection, batches)
                kept = len(outcomes)
            except DatabaseLocked:
                # Those that came later have patience left; the others have been told.
                continue
            except Exception as error:  # noqa: BLE001 - it is the callers'
                outcomes = [StoreUnavailable(str(error)) for batch in batches for _ in batch.writes]
            self._deliver(batches, outcomes, kept, time.monotonic() - began)
            batches = []
        if connection is not None:
            connection.close()

    def _deliver(self, batches: Sequence[Batch], outcomes: Sequence[Any], kept: int, seconds: float) -> None:
        """Tell each event loop what became of what it handed over, and the first of them of the transaction."""
        at = 0
        for batch in batches:
            if at == 0:
                _on(batch.loop, self._written, kept, seconds)
            _on(batch.loop, batch.tell, outcomes[at : at + len(batch.writes)])
            at += len(batch.writes)


def tell(future: asyncio.Future[Any], outcome: Any) -> None:  # noqa: ANN401 - whatever was asked for
    """Give a future its result or exception, unless whoever asked has gone."""
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _on(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: object) -> None:
    # A loop that was closed in the meantime has nobody left to tell.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(function, *arguments)


def _write(connection: SQLiteConnection, batches: Sequence[Batch]) -> list[Any]:
    if not batches:
        return []
    patience = min(batch.deadline for batch in batches) - time.monotonic()
    return connection.write_locked([write.verb for batch in batches for write in batch.writes], patience=patience)


def _still_waiting(batches: Iterable[Batch]) -> list[Batch]:
    now = time.monotonic()
    return [batch for batch in batches if batch.deadline > now]


def _take(queue: _Writes) -> list[Batch]:
    """Wait for a batch and take it; nothing at the end of work."""
    batch = queue.get()
    return [] if batch is None else [batch]


def _more(queue: _Writes) -> list[Batch]:
    """Take what waits."""
    batches: list[Batch] = []
    with suppress(Empty):
        while sum(len(batch.writes) for batch in batches) < LARGEST_BATCH:
            batch = queue.get_nowait()
            if batch is None:
                queue.put(None)
                break
            batches.append(batch)
    return batches
