"""A thread for hashing passwords: each hash takes tens of milliseconds of one CPU and 19 MiB."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from everbearer.oauth.errors import TemporarilyUnavailable

T = TypeVar("T")

RETRY_AFTER = 5
"""Seconds a browser is asked to wait where too many sign-ins are under way."""


def _nothing() -> None:
    pass


def _give_way() -> None:
    """Leave the processor to everybody else who wants it (see ADR 17)."""
    # Elsewhere a thread has no priority of its own; and a sandbox may forbid it, with which everything works.
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))


class PasswordPool:
    """Runs heavy work in at most `threads` threads and lets at most `waiting` more wait; more than that are refused.

    `refused` is called for each of these. The threads give way to all others. `turn` is a file whose lock they hold
    while they work: processes that share it take turns.

    So a flood of sign-ins can neither stop the event loop nor fill the memory, and leaves refreshes the processor.
    """

    def __init__(
        self, *, threads: int = 1, waiting: int = 64, refused: Callable[[], None] = _nothing, turn: Path | None = None
    ) -> None:
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="password", initializer=_give_way)
        self._most = threads + waiting
        self._under_way = 0
        self._refused = refused
        self._turn = turn

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
        future = asyncio.get_running_loop().run_in_executor(self._executor, self._in_turn, work)
        future.add_done_callback(self._done)
        return await future

    @property
    def under_way(self) -> int:
        """Return how much runs or waits."""
        return self._under_way

    def close(self) -> None:
        """Let what runs finish, drop what waits."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _in_turn(self, work: Callable[[], T]) -> T:
        if self._turn is None:
            return work()
        with self._turn.open("rb") as turn:
            # The kernel lets the next one in, also where this process is killed.
            fcntl.flock(turn, fcntl.LOCK_EX)
            return work()

    def _done(self, _future: asyncio.Future[T]) -> None:
        self._under_way -= 1
