"""Measures several servers in turns, A B C A B C, so that what the machine does meanwhile falls on all alike."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from measuring.load import Sample, Target, measure
from measuring.setup import say

SETTLE = 0.3
"""Seconds between two measurements, for what the one left behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often and how long to measure, in rounds and seconds."""

    rounds: int
    seconds: float
    warm_up: float

    @property
    def turn(self) -> float:
        """Return how long one measurement takes."""
        return self.seconds + self.warm_up + SETTLE


def in_turns(
    targets: Mapping[str, Target], load: str, *, connections: int, pace: Pace
) -> tuple[dict[str, list[Sample]], dict[str, str]]:
    """Return the samples of each server, one a round, and why those failed that did: they are left out from then on."""
    samples: dict[str, list[Sample]] = {name: [] for name in targets}
    failed: dict[str, str] = {}
    names = [name for name, target in targets.items() if load in target.calls]
    for number in range(pace.rounds):
        # Each round begins with another, so that nobody always follows the same neighbour's mess.
        for name in [*names[number % len(names) :], *names[: number % len(names)]] if names else []:
            if name in failed:
                continue
            target = targets[name]
            try:
                sample = measure(
                    target,
                    target.calls[load],
                    connections=connections,
                    warm_up=pace.warm_up,
                    seconds=pace.seconds,
                )
            except (RuntimeError, ValueError, OSError) as error:
                failed[name] = str(error)
                say(f"{name}: {load}: {error}")
                continue
            samples[name].append(sample)
            errors = f", errors {sample.errors}" if sample.errors else ""
            figures = f"{sample.rate:.0f}/s, p99 {sample.p99:.1f} ms{errors}"
            say(f"{load}, {connections} at once, {number + 1}: {name} {figures}")
            time.sleep(SETTLE)
    return {name: taken for name, taken in samples.items() if taken}, failed
