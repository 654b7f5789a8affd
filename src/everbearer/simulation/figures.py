"""Figures: rates with their confidence intervals, and quantiles of times of which some never ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

MILLION = 1_000_000

_Z = 1.959964
"""The normal quantile of a 95 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often something happened."""

    happened: int
    of: int

    @property
    def per_million(self) -> float:
        """Return the rate."""
        return self.happened / self.of * MILLION

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % confidence interval of the rate per million (Poisson, Byar's approximation)."""
        low, high = self.happened, self.happened + 1
        lower = low * (1 - 1 / (9 * low) - _Z / (3 * sqrt(low))) ** 3 if low else 0.0
        upper = high * (1 - 1 / (9 * high) + _Z / (3 * sqrt(high))) ** 3
        return lower / self.of * MILLION, upper / self.of * MILLION

    def __add__(self, other: Rate) -> Rate:
        return Rate(happened=self.happened + other.happened, of=self.of + other.of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dwell:
    """How long thieves of one kind stayed, in seconds; None stands for longer than the simulation looked."""

    median: float | None
    percentile_95: float | None
    never_caught: float
    """The share."""
    thefts: int


def dwell_of(stays: Sequence[float | None]) -> Dwell:
    """Sum up stays, of which None was longer than the simulation looked."""
    ended = sorted(each for each in stays if each is not None)

    def quantile(share: float) -> float | None:
        position = int(share * len(stays))
        return ended[position] if position < len(ended) else None

    return Dwell(
        median=quantile(0.5),
        percentile_95=quantile(0.95),
        never_caught=1 - len(ended) / len(stays),
        thefts=len(stays),
    )
