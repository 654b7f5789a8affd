"""A few threads for hashing passwords: each hash takes tens of milliseconds of one CPU and 19 MiB."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from everbearer.oauth.errors import TemporarilyUnavailable

T = TypeVar("T")

RETRY_AFTER = 5
"""Seconds a browser is asked to wait where too many sign-ins are under way."""


def _nothing() -> None:
    pass


class PasswordPool:
    """Runs heavy work in at most `threads` threads and lets at most `waiting` more wait; more than that are refused.

    `refused` is called for each of these.

    So a flood of sign-ins can neither stop the event loop nor fill the memory.
    """

    def __init__(self, *, threads: int = 2, waiting: int = 64, refused: Callable[[], None] = _nothing) -> None:
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="password")
        self._most = threads + waiting
        self._under_way = 0
        self._refused = refused

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns.

        Raises:
            TemporarilyUnavailable: too much is waiting already.

        """
        if self._under_way >= self._most:
            self._refused()
            raise TemporarilyUnavailable(
                "too many people are signing in at this moment; try again soon", retry_after=RETRY_AFTER
            )
        self._under_way += 1
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        future.add_done_callback(self._done)
        return await future

    @property
    def under_way(self) -> int:
        """Return how much runs or waits."""
        return self._under_way

    def close(self) -> None:
        """Let what runs finish, drop what waits."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _done(self, _future: asyncio.Future[T]) -> None:
        self._under_way -= 1
