"""An SQLite file for an event loop, which never waits for the disk.

What is looked up by its key is read at once, on a connection of the loop's own thread: that takes microseconds, and
handing it to another thread takes longer. One thread of the process writes and two make long reads. Writes that are
asked for in one turn of the loop are handed over together; all that wait when the thread has the database share one
transaction, and so one flush to the disk. Each is told so only after the commit.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread, local
from typing import Any, TypeAlias, TypeVar

from everbearer.oauth.errors import StoreUnavailable
from everbearer.storage.sql.transaction import Verb
from everbearer.storage.sqlite_connection import DatabaseLocked, SQLiteConnection

T = TypeVar("T")

Written: TypeAlias = Callable[[int, float], None]
"""Is told of each transaction that writes: how many verbs shared it, 0 where it failed, and its seconds. It is called
by the thread that writes, and may not raise."""

READERS = 2
LARGEST_BATCH = 256


def tell_nobody(verbs: int, seconds: float) -> None:
    """Listen to nothing."""


@dataclass(slots=True, eq=False)
class _Job:
    """A verb, and where its outcome goes."""

    verb: Verb[Any]
    future: asyncio.Future[Any]


@dataclass(slots=True, eq=False)
class _Batch:
    """What one event loop handed over in one turn."""

    loop: asyncio.AbstractEventLoop
    deadline: float
    jobs: list[_Job]
    timer: asyncio.TimerHandle | None = None


_Queue: TypeAlias = "SimpleQueue[_Batch | None]"


@dataclass(slots=True, kw_only=True)
class _Workers:
    """The threads of one process."""

    process: int
    reads: _Queue = field(default_factory=SimpleQueue[_Batch | None])
    writes: _Queue = field(default_factory=SimpleQueue[_Batch | None])
    threads: list[Thread] = field(default_factory=list[Thread])
    connections: list[SQLiteConnection] = field(default_factory=list[SQLiteConnection])


class _AtHand(local):
    """What belongs to one thread that runs event loops."""

    def __init__(self) -> None:
        self.process = 0
        self.connection: SQLiteConnection | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.waiting: list[_Job] = []


class ThreadedSQLite:
    """Runs transactions; see `everbearer.storage.sql.transaction.Database`. Threads start at the first use."""

    def __init__(self, path: Path, patience: float, written: Written = tell_nobody) -> None:
        self._path = path
        self._written = written
        self._patience = patience
        self._starting = Lock()
        self._workers: _Workers | None = None
        self._inherited: list[object] = []
        self._at_hand = _AtHand()
        self._opened: list[SQLiteConnection] = []

    async def look_up(self, verb: Verb[T]) -> T:
        """See `Database`."""
        at_hand = self._at_hand
        connection = at_hand.connection
        if connection is None or at_hand.process != os.getpid():
            connection = self._connect_at_hand()
        try:
            return connection.read(verb)
        except DatabaseLocked:
            # Somebody puts the write-ahead log in order after a crash; another thread waits for that.
            return await self.read(verb)

    async def read(self, verb: Verb[T]) -> T:
        """See `Database`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._running().reads.put(_Batch(loop, 0.0, [_Job(verb, future)]))
        return await future

    async def write(self, verb: Verb[T]) -> T:
        """See `Database`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        at_hand = self._at_hand
        if at_hand.loop is not loop:
            at_hand.loop, at_hand.waiting = loop, []
        if not at_hand.waiting:
            loop.call_soon(self._hand_over)
        at_hand.waiting.append(_Job(verb, future))
        return await future

    async def close(self) -> None:
        """Let the threads finish what waits, and end them. The next verb would start others."""
        self._hand_over()
        workers, self._workers = self._workers, None
        if workers is not None and workers.process == os.getpid():
            workers.writes.put(None)
            workers.reads.put(None)
            for thread in workers.threads:
                # One that waits for another process ends when that lets it.
                await asyncio.to_thread(thread.join, self._patience)
        while self._opened:
            self._opened.pop().close()
        self._at_hand = _AtHand()

    def _hand_over(self) -> None:
        """Give the thread that writes what was asked for in this turn of the loop."""
        at_hand = self._at_hand
        jobs, at_hand.waiting = at_hand.waiting, []
        if at_hand.loop is None or not jobs:
            return
        batch = _Batch(at_hand.loop, time.monotonic() + self._patience, jobs)
        batch.timer = at_hand.loop.call_later(self._patience, _give_up, batch)
        self._running().writes.put(batch)

    def _connect_at_hand(self) -> SQLiteConnection:
        at_hand = self._at_hand
        if at_hand.connection is not None:
            # A child of a fork must neither use nor close what its parent opened.
            self._inherited.extend(self._opened)
            self._opened.clear()
        connection = SQLiteConnection(self._path, patience=0)
        self._opened.append(connection)
        at_hand.connection, at_hand.process = connection, os.getpid()
        return connection

    def _running(self) -> _Workers:
        workers = self._workers
        if workers is not None and workers.process == os.getpid():
            return workers
        with self._starting:
            if self._workers is None or self._workers.process != os.getpid():
                self._workers = self._start()
            return self._workers

    def _start(self) -> _Workers:
        if self._workers is not None:
            # A child of a fork has its parent's connections, without the threads. It must neither use nor close them.
            self._inherited.append(self._workers)
        workers = _Workers(process=os.getpid())
        targets = [self._write_all, *[self._read_all] * READERS]
        for target in targets:
            thread = Thread(target=target, args=(workers,), name=f"everbearer {target.__name__[1:]}", daemon=True)
            workers.threads.append(thread)
            thread.start()
        return workers

    def _connect(self, workers: _Workers) -> SQLiteConnection:
        connection = SQLiteConnection(self._path)
        workers.connections.append(connection)
        return connection

    def _read_all(self, workers: _Workers) -> None:
        connection: SQLiteConnection | None = None
        while batches := _take(workers.reads):
            (job,) = batches[0].jobs
            outcome: Any
            try:
                connection = connection or self._connect(workers)
                outcome = connection.read(job.verb)
            except Exception as error:  # noqa: BLE001 - it is the caller's
                outcome = error
            _deliver(batches, [outcome])
        if connection is not None:
            connection.close()

    def _write_all(self, workers: _Workers) -> None:
        connection: SQLiteConnection | None = None
        batches: list[_Batch] = []
        while batches := batches or _take(workers.writes):
            began, kept = time.monotonic(), 0
            outcomes: list[Any] = []
            try:
                connection = connection or self._connect(workers)
                with connection.locked():
                    batches = _still_waiting([*batches, *_more(workers.writes)])
                    outcomes = _write(connection, batches)
                kept = len(outcomes)
            except DatabaseLocked:
                # Those that came later have patience left; the others have been told.
                continue
            except Exception as error:  # noqa: BLE001 - it is the callers'
                outcomes = [StoreUnavailable(str(error)) for batch in batches for _ in batch.jobs]
            finally:
                self._written(kept, time.monotonic() - began)
            _deliver(batches, outcomes)
            batches = []
        if connection is not None:
            connection.close()


def _write(connection: SQLiteConnection, batches: Sequence[_Batch]) -> list[Any]:
    if not batches:
        return []
    patience = min(batch.deadline for batch in batches) - time.monotonic()
    return connection.write_locked([job.verb for batch in batches for job in batch.jobs], patience=patience)


def _still_waiting(batches: Iterable[_Batch]) -> list[_Batch]:
    now = time.monotonic()
    return [batch for batch in batches if batch.deadline > now]


def _take(queue: _Queue) -> list[_Batch]:
    """Wait for a batch and take it; nothing at the end of work."""
    batch = queue.get()
    if batch is None:
        queue.put(None)  # The end of work is for all threads at this queue, and for this one when it is back.
        return []
    return [batch]


def _more(queue: _Queue) -> list[_Batch]:
    """Take what waits."""
    batches: list[_Batch] = []
    with suppress(Empty):
        while sum(len(batch.jobs) for batch in batches) < LARGEST_BATCH:
            batch = queue.get_nowait()
            if batch is None:
                queue.put(None)
                break
            batches.append(batch)
    return batches


def _deliver(batches: Sequence[_Batch], outcomes: Sequence[Any]) -> None:
    """Tell each event loop what became of what it handed over."""
    at = 0
    for batch in batches:
        told = outcomes[at : at + len(batch.jobs)]
        at += len(batch.jobs)
        # A loop that was closed in the meantime has nobody left to tell.
        with suppress(RuntimeError):
            batch.loop.call_soon_threadsafe(_resolve, batch, told)


def _resolve(batch: _Batch, outcomes: Sequence[Any]) -> None:
    if batch.timer is not None:
        batch.timer.cancel()
    for job, outcome in zip(batch.jobs, outcomes, strict=True):
        if job.future.done():
            continue
        if isinstance(outcome, Exception):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)


def _give_up(batch: _Batch) -> None:
    _resolve(batch, [DatabaseLocked("the database is kept by others for too long") for _ in batch.jobs])
