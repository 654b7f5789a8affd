"""Runs steps that may need something fetched, blocking or awaiting; all who want the same wait for one fetch."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from typing import TypeVar, cast

from everbearer.resource_server.fetching import NO_ANSWER, AsyncFetch, BlockingFetch, Fetch, Fetched, Steps

T = TypeVar("T")

PATIENCE = 15
"""Seconds for which anybody waits for another's fetch."""

log = logging.getLogger("everbearer")


class Flights:
    """The fetches under way, of all threads and event loops of the process together."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[Fetched]] = {}
        self._tasks: set[asyncio.Task[Fetched]] = set()

    def run(self, steps: Steps[T], fetch: BlockingFetch) -> T:
        """Run steps to their end, blocking while something is fetched."""
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send(self._fetched(wanted, fetch))
        except StopIteration as end:
            return cast("T", end.value)

    async def run_async(self, steps: Steps[T], fetch: AsyncFetch) -> T:
        """Run steps to their end, awaiting what is fetched."""
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send(await self._fetched_async(wanted, fetch))
        except StopIteration as end:
            return cast("T", end.value)

    def _fetched(self, wanted: Fetch, fetch: BlockingFetch) -> Fetched:
        future, is_first = self._join(wanted)
        if not is_first:
            return self._waited(wanted, future)
        fetched = NO_ANSWER
        try:
            fetched = fetch(wanted)
        except Exception as error:  # noqa: BLE001 - it is passed in, and may fail in whichever way
            _complain(wanted, error)
        finally:
            self._land(wanted, future, fetched)
        return fetched

    def _waited(self, wanted: Fetch, future: Future[Fetched]) -> Fetched:
        try:
            return future.result(self._patience)
        except TimeoutError:
            self._land(wanted, future, NO_ANSWER)
            return NO_ANSWER

    async def _fetched_async(self, wanted: Fetch, fetch: AsyncFetch) -> Fetched:
        future, is_first = self._join(wanted)
        if is_first:
            # A task of its own: who gives up waiting takes nothing from the others.
            task = asyncio.ensure_future(_fetch(wanted, fetch))
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._land_task(wanted, future, done))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._patience)
        except TimeoutError:
            self._land(wanted, future, NO_ANSWER)
            return NO_ANSWER

    def _join(self, wanted: Fetch) -> tuple[Future[Fetched], bool]:
        """Return what will hold the answer, and whether it is for the caller to get it."""
        with self._lock:
            future = self._under_way.get(wanted.key or wanted.url)
            if future is not None:
                return future, False
            future = self._under_way[wanted.key or wanted.url] = Future()
            # So that it cannot be cancelled by one of those who wait for it.
            future.set_running_or_notify_cancel()
            return future, True

    def _land_task(self, wanted: Fetch, future: Future[Fetched], task: asyncio.Task[Fetched]) -> None:
        self._tasks.discard(task)
        # Cancelled is what an event loop's tasks are when it ends.
        self._land(wanted, future, NO_ANSWER if task.cancelled() or task.exception() else task.result())

    def _land(self, wanted: Fetch, future: Future[Fetched], fetched: Fetched) -> None:
        with self._lock:
            if self._under_way.get(wanted.key or wanted.url) is future:
                del self._under_way[wanted.key or wanted.url]
            if not future.done():
                future.set_result(fetched)


async def _fetch(wanted: Fetch, fetch: AsyncFetch) -> Fetched:
    try:
        return await fetch(wanted)
    except Exception as error:  # noqa: BLE001 - it is passed in, and may fail in whichever way
        _complain(wanted, error)
        return NO_ANSWER


def _complain(wanted: Fetch, error: Exception) -> None:
    # Its message may hold what was sent.
    log.warning("%s of %s failed: %s", wanted.method, wanted.url.partition("?")[0], type(error).__name__)
