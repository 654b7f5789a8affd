"""The store on one SQLite file, which any number of processes of one machine may share.

An event loop never waits for the disk: one thread of the process writes and two read. All writes that wait at the
same moment share one transaction, and so one flush to the disk; each is told so only after the commit.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread, local
from typing import Any, TypeAlias, TypeVar

from everbearer.login.models import SessionLifetimes
from everbearer.oauth.errors import StoreUnavailable
from everbearer.storage.sql.store import SqlStore
from everbearer.storage.sql.transaction import Verb
from everbearer.storage.sqlite_connection import PATIENCE, DatabaseLocked, SQLiteConnection

T = TypeVar("T")

Written: TypeAlias = Callable[[int, float], None]
"""Is told of each transaction that writes: how many verbs shared it, 0 where it failed, and its seconds. It is called
by the thread that writes, and may not raise."""

READERS = 2
LARGEST_BATCH = 256


def tell_nobody(verbs: int, seconds: float) -> None:
    """Listen to nothing."""


class SQLiteStore(SqlStore):
    """The store for an event loop."""

    def __init__(
        self,
        path: str | Path,
        *,
        patience: float = PATIENCE,
        session_lifetimes: SessionLifetimes | None = None,
        written: Written = tell_nobody,
    ) -> None:
        super().__init__(ThreadedSQLite(Path(path), patience, written), session_lifetimes=session_lifetimes)


class BlockingSQLiteStore(SqlStore):
    """The store for callers that may block: its verbs never suspend, so `send(None)` finishes them."""

    def __init__(
        self, path: str | Path, *, patience: float = PATIENCE, session_lifetimes: SessionLifetimes | None = None
    ) -> None:
        super().__init__(BlockingSQLite(Path(path), patience), session_lifetimes=session_lifetimes)


class BlockingSQLite:
    """Runs each transaction at once in the calling thread, on a connection of that thread."""

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._local = local()
        self._opened: list[SQLiteConnection] = []

    async def look_up(self, verb: Verb[T]) -> T:
        """See `Database`."""
        return self._connection().read(verb)

    async def read(self, verb: Verb[T]) -> T:
        """See `Database`."""
        return self._connection().read(verb)

    async def write(self, verb: Verb[T]) -> T:
        """See `Database`."""
        (outcome,) = self._connection().write([verb], patience=self._patience)
        if isinstance(outcome, Exception):
            raise outcome
        result: T = outcome
        return result

    async def close(self) -> None:
        """Close the connections of all threads."""
        while self._opened:
            self._opened.pop().close()
        self._local = local()

    def _connection(self) -> SQLiteConnection:
        found: SQLiteConnection | None = getattr(self._local, "connection", None)
        # A connection must not be used after a fork; `_opened` keeps it from being closed by the child.
        if found is None or self._local.process != os.getpid():
            found = SQLiteConnection(self._path)
            self._local.connection, self._local.process = found, os.getpid()
            self._opened.append(found)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A verb, and where its outcome goes."""

    verb: Verb[Any]
    deadline: float
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


_Queue: TypeAlias = "SimpleQueue[_Job | None]"


@dataclass(slots=True, kw_only=True)
class _Workers:
    """The threads of one process."""

    process: int
    reads: _Queue = field(default_factory=SimpleQueue[_Job | None])
    writes: _Queue = field(default_factory=SimpleQueue[_Job | None])
    threads: list[Thread] = field(default_factory=list[Thread])
    connections: list[SQLiteConnection] = field(default_factory=list[SQLiteConnection])


class ThreadedSQLite:
    """Runs transactions in threads, which start at the first use in each process."""

    def __init__(self, path: Path, patience: float, written: Written = tell_nobody) -> None:
        self._path = path
        self._written = written
        self._patience = patience
        self._starting = Lock()
        self._workers: _Workers | None = None
        self._inherited: list[_Workers] = []

    async def look_up(self, verb: Verb[T]) -> T:
        """See `Database`."""
        return await self._submit(self._running().reads, verb)

    async def read(self, verb: Verb[T]) -> T:
        """See `Database`."""
        return await self._submit(self._running().reads, verb)

    async def write(self, verb: Verb[T]) -> T:
        """See `Database`."""
        return await self._submit(self._running().writes, verb)

    async def close(self) -> None:
        """Let the threads finish what waits, and end them. The next verb would start others."""
        workers, self._workers = self._workers, None
        if workers is not None and workers.process == os.getpid():
            workers.writes.put(None)
            workers.reads.put(None)
            for thread in workers.threads:
                await asyncio.to_thread(thread.join)

    async def _submit(self, queue: _Queue, verb: Verb[T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        queue.put(_Job(verb=verb, deadline=time.monotonic() + self._patience, loop=loop, future=future))
        return await future

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
        while jobs := _take(workers.reads):
            outcomes: list[Any] = []
            for job in jobs:
                try:
                    connection = connection or self._connect(workers)
                    outcomes.append(connection.read(job.verb))
                except Exception as error:  # noqa: BLE001 - it is the caller's
                    outcomes.append(error)
            _deliver(jobs, outcomes)
        if connection is not None:
            connection.close()

    def _write_all(self, workers: _Workers) -> None:
        connection: SQLiteConnection | None = None
        waiting: list[_Job] = []
        while jobs := waiting or _take(workers.writes):
            waiting = []
            outcomes: list[Any]
            began, kept = time.monotonic(), 0
            try:
                connection = connection or self._connect(workers)
                patience = max(0.0, min(job.deadline for job in jobs) - time.monotonic())
                outcomes = connection.write([job.verb for job in jobs], patience=patience)
                kept = len(jobs)
            except DatabaseLocked as error:
                # Those that came later have patience left.
                now = time.monotonic()
                waiting = [job for job in jobs if job.deadline > now]
                jobs = [job for job in jobs if job.deadline <= now]
                outcomes = [DatabaseLocked(str(error)) for _ in jobs]
            except Exception as error:  # noqa: BLE001 - it is the callers'
                outcomes = [StoreUnavailable(str(error)) for _ in jobs]
            self._written(kept, time.monotonic() - began)
            _deliver(jobs, outcomes)
        if connection is not None:
            connection.close()


def _take(queue: _Queue) -> list[_Job]:
    """Wait for a job and take all that wait with it; none at the end of work."""
    jobs: list[_Job] = []
    job = queue.get()
    with suppress(Empty):
        while job is not None:
            jobs.append(job)
            if len(jobs) == LARGEST_BATCH:
                return jobs
            job = queue.get_nowait()
        queue.put(None)  # The end of work is for all threads at this queue, and for this one when it is back.
    return jobs


def _deliver(jobs: Sequence[_Job], outcomes: Sequence[Any]) -> None:
    """Wake each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for job, outcome in zip(jobs, outcomes, strict=True):
        by_loop.setdefault(job.loop, []).append((job.future, outcome))
    for loop, pairs in by_loop.items():
        # A loop that was closed in the meantime has nobody left to tell.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, pairs)


def _resolve(pairs: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, outcome in pairs:
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
