"""Tasks that go on as long as there is work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


def keep_going(
    tasks: set[asyncio.Task[None]], work: Callable[[], Coroutine[None, None, None]], *, at_most: int
) -> None:
    """Start a task that does some work, unless so many are at it."""
    # A task that has just ended is in the set until the loop's next turn.
    if len(tasks) < at_most or sum(not task.done() for task in tasks) < at_most:
        task = asyncio.create_task(work())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
