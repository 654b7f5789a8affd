"""Tasks that go on as long as there is work, and that go when nobody else is coming."""

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


async def until_all_came(coming: Callable[[], int], *, enough: int) -> None:
    """Let the loop turn until a turn brings no more, or there are enough.

    What the loop has at hand then travels together: under load a trip costs more than a turn, and without load a turn
    costs nothing.
    """
    came = 0
    while came < (came := coming()) < enough:  # noqa: ASYNC110 - it is turns that bring them
        await asyncio.sleep(0)
