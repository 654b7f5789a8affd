"""Discrete events: programs are generators that yield when they want to go on."""

from __future__ import annotations

from collections.abc import Generator
from heapq import heappop, heappush
from typing import TypeAlias

Program: TypeAlias = Generator[float, None, None]


class Timeline:
    """What happens next, and when. Programs that want to go on at the same moment do so in the order they came."""

    __slots__ = ("_count", "_queue", "now")

    def __init__(self) -> None:
        self.now = 0.0
        self._queue: list[tuple[float, int, Program]] = []
        self._count = 0

    def start(self, program: Program) -> None:
        """Run a program up to its first wait."""
        self._go_on(program)

    def step(self, until: float) -> bool:
        """Let the next program go on; return False where none wants to before `until`."""
        if not self._queue or self._queue[0][0] >= until:
            return False
        self.now, _, program = heappop(self._queue)
        self._go_on(program)
        return True

    def _go_on(self, program: Program) -> None:
        wants = next(program, None)
        if wants is not None:
            self._count += 1
            heappush(self._queue, (max(wants, self.now), self._count, program))
