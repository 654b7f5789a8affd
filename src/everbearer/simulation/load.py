"""The load of refreshes: how much there is, and what an outage makes of it. Clients are a fluid, time is seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, pi, sin

from everbearer.oauth.client import Lifetimes
from everbearer.oauth.models import DAY, HOUR, MINUTE

_BACKOFF = (1, 2, 4, 8, 16, 32, 60)
"""Seconds a client waits after each failure in a row, the last for all that follow; it draws between half and all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Who uses it, and how. Times in seconds."""

    users: int = 1_000_000
    sessions: float = 1.5
    """Signed-in applications for each user."""
    busiest: float = 0.2
    """Share of the sessions that are in use at the busiest time of the day."""
    quietest: float = 0.02
    """Share at the quietest time. Between the two, the day is a sine."""
    sitting: int = 45 * MINUTE
    """Mean time for which an application is in use without a break."""
    access_token: int = Lifetimes().access_token
    jitter: float = 0.0
    """An access token lives for a random time between (1 - jitter) and 1 of its lifetime."""
    outage: int = 10 * MINUTE
    """For so long nothing answers, at the busiest time."""
    capacity: float = 2.0
    """Refreshes per second that are answered at most, in multiples of those of the busiest time. More are refused at
    once, and come again."""

    @property
    def stays(self) -> float:
        """Return the share of clients that are still in use when their access token expires."""
        if not self.jitter:
            return exp(-self.access_token / self.sitting)
        shortest, longest = self.access_token * (1 - self.jitter) / self.sitting, self.access_token / self.sitting
        return (exp(-shortest) - exp(-longest)) / (longest - shortest)

    def starts(self, share: float) -> float:
        """Return how many sittings begin per second where this share of the sessions is in use."""
        return self.users * self.sessions * share / self.sitting

    def refreshes(self, share: float) -> float:
        """Return the refreshes per second: one when a sitting begins, and one for each access token that expires."""
        return self.starts(share) / (1 - self.stays)

    def share_at(self, time: float) -> float:
        """Return the share of sessions in use at a time of the day; the busiest is at 16 h."""
        middle, swing = (self.busiest + self.quietest) / 2, (self.busiest - self.quietest) / 2
        return middle + swing * sin(2 * pi * (time - 10 * HOUR) / DAY)

    @property
    def of_a_day(self) -> float:
        """Return the mean refreshes per second over a day."""
        return self.refreshes((self.busiest + self.quietest) / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What happened, second by second; the outage begins at the first. In multiples of the busiest time's refreshes."""

    load: Load
    asked: Sequence[float]
    answered: Sequence[float]
    recovered_at: int | None
    """Second after the end of the outage from which on nobody is refused; None where that did not come."""

    @property
    def highest_ask(self) -> float:
        """Return the most that was asked in one second once something answered again, refused requests included."""
        return max(self.asked[self.load.outage :])

    @property
    def echo(self) -> float:
        """Return the most that was asked in one second when those who had waited come again."""
        if self.recovered_at is None:
            return self.highest_ask
        begins = self.load.outage + self.recovered_at + self.load.access_token // 2
        return max(self.asked[begins:], default=1.0)


def storm(load: Load, seconds: int = 4 * HOUR) -> Course:
    """Play an outage at the busiest time, and what comes after it, for this long."""
    waits = _Waits(load, seconds)
    usual = load.refreshes(load.busiest)
    start = load.starts(load.busiest) / usual
    asked: list[float] = []
    answered: list[float] = []
    recovered_at: int | None = None
    for second in range(seconds):
        coming = waits.coming(second)
        asked.append(start + sum(coming))
        room = load.capacity if second >= load.outage else 0.0
        share = min(1.0, room / asked[-1])
        answered.append(asked[-1] * share)
        waits.renew(second, answered[-1])
        waits.come_again(second, [start + coming[0], *coming[1:]], 1 - share)
        if share < 1:
            recovered_at = None
        elif recovered_at is None and second >= load.outage:
            recovered_at = second - load.outage
    return Course(load=load, asked=asked, answered=answered, recovered_at=recovered_at)


class _Waits:
    """Who comes when: first those whose access token expires, then those who were refused once, twice and so on.

    Each is a difference array: to spread something evenly over a span of seconds touches its two ends.
    """

    def __init__(self, load: Load, seconds: int) -> None:
        longest = load.access_token + _BACKOFF[-1] + 2
        self.load = load
        self.changes = [[0.0] * (seconds + longest) for _ in range(len(_BACKOFF) + 1)]
        self.current = [0.0] * len(self.changes)
        for second in range(-load.access_token, 0):
            self.renew(second, 1.0)

    def coming(self, second: int) -> list[float]:
        for number, changes in enumerate(self.changes):
            self.current[number] += changes[second]
        # What is left where differences cancel out is not a client.
        return [max(0.0, round(each, 9)) for each in self.current]

    def renew(self, second: int, answered: float) -> None:
        lifetime = self.load.access_token
        self._spread(
            0, second + round(lifetime * (1 - self.load.jitter)), second + lifetime, answered * self.load.stays
        )

    def come_again(self, second: int, failed: Sequence[float], share: float) -> None:
        for number, amount in enumerate(failed):
            wait = _BACKOFF[min(number, len(_BACKOFF) - 1)]
            patient = exp(-wait / self.load.sitting)
            later = min(number + 1, len(_BACKOFF))
            self._spread(later, second + max(1, wait // 2), second + wait, amount * share * patient)

    def _spread(self, number: int, first: int, last: int, amount: float) -> None:
        if amount <= 0 or last < 0:
            return
        each = amount / (last - first + 1)
        self.changes[number][max(first, 0)] += each
        self.changes[number][last + 1] -= each


def storms(load: Load, capacities: Sequence[float]) -> list[Course]:
    """Play the same outage at several capacities, each without and with the jitter."""
    jitters = dict.fromkeys((0.0, load.jitter))
    return [storm(replace(load, capacity=capacity, jitter=jitter)) for capacity in capacities for jitter in jitters]
