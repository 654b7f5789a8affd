"""Thieves: what they copy, and when they refresh with it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from random import Random

from everbearer.oauth.models import MINUTE
from everbearer.simulation.clients import Device, uses
from everbearer.simulation.policy import REFUSED, Family
from everbearer.simulation.timeline import Program


class Thief(StrEnum):
    """Kinds of thieves. Each but the last copies the stored refresh token once."""

    FIRST = "first"
    """Refreshes at once, before his victim does, and then whenever his access token has expired."""
    SECOND = "second"
    """Waits until his victim has refreshed, comes at some moment before the victim's next, and then whenever his
    access token has expired."""
    ONCE = "once"
    """Comes hours later, knowing nothing of his victim, and then whenever his access token has expired."""
    IN_STEP = "in step"
    """Refreshes once for each refresh of his victim, at some moment before the victim's next."""
    SHADOW = "shadow"
    """Sees his victim refresh, and each time does the same within seconds."""
    AGAIN = "again"
    """Copies the stored token every few hours, and refreshes once with each copy."""


class Theft:
    """One thief at one victim: how long he stays."""

    __slots__ = ("busy", "device", "family", "first_at", "out_at", "random", "token")

    def __init__(self, device: Device, random: Random) -> None:
        self.device = device
        self.random = random
        self.family: Family = device.stored.family
        self.token = device.stored.token
        self.first_at: float | None = None
        """When he got his first tokens."""
        self.out_at: float | None = None
        """When the token he held had become worthless."""
        self.busy = False
        """He has seen his victim refresh, and is about to do the same."""

    @property
    def dwell(self) -> float:
        """Return for how many seconds he had tokens that refresh, once he is out."""
        return 0.0 if self.first_at is None or self.out_at is None else self.out_at - self.first_at

    def refresh(self) -> None:
        """Refresh with what he holds."""
        now = self.device.timeline.now
        answer = self.device.ask(self.family, self.token)
        if answer == REFUSED:
            self.out_at = now
            return
        self.token = answer
        if self.first_at is None:
            self.first_at = now
        if self.device.policy.sees:
            self.device.timeline.start(uses(self.device.timeline, self.family, answer))

    def look(self) -> bool:
        """Tell whether he is out, and note since when."""
        if self.out_at is None and self.family.ended:
            self.out_at = self.device.timeline.now
        return self.out_at is not None

    def wait_for_refresh(self, then: Callable[[], Program]) -> None:
        """Start a program at each refresh of the stolen sign-in by the victim, one at a time."""

        def refreshed(family: Family) -> None:
            if family is self.family and not self.busy:
                self.busy = True
                self.device.timeline.start(then())

        self.device.on_refresh = refreshed


def start_thief(kind: Thief, theft: Theft) -> None:
    """Let a thief begin, with what is stored now."""
    timeline, habits = theft.device.timeline, theft.device.habits
    if kind is Thief.FIRST:
        timeline.start(_goes_on(theft, 0))
    elif kind is Thief.ONCE:
        timeline.start(_goes_on(theft, theft.random.expovariate(1 / habits.steal_delay)))
    elif kind is Thief.SECOND:
        theft.wait_for_refresh(lambda: _comes_once_and_stays(theft))
    elif kind is Thief.IN_STEP:
        theft.wait_for_refresh(lambda: _refreshes_once(theft, _before_the_next(theft)))
    elif kind is Thief.SHADOW:
        theft.wait_for_refresh(lambda: _refreshes_once(theft, theft.random.uniform(1, habits.shadows_within)))
    else:
        timeline.start(_copies_again(theft))


def _before_the_next(theft: Theft) -> float:
    lifetime = theft.device.habits.access_token
    return theft.random.uniform(min(MINUTE, lifetime / 2), lifetime)


def _goes_on(theft: Theft, delay: float) -> Program:
    yield theft.device.timeline.now + delay
    while True:
        theft.refresh()
        yield theft.device.timeline.now + theft.device.habits.access_token


def _comes_once_and_stays(theft: Theft) -> Program:
    theft.device.on_refresh = None
    return _goes_on(theft, _before_the_next(theft))


def _refreshes_once(theft: Theft, delay: float) -> Program:
    yield theft.device.timeline.now + delay
    theft.busy = False
    theft.refresh()


def _copies_again(theft: Theft) -> Program:
    stored = theft.device.stored
    while True:
        if stored.family is theft.family:
            theft.token = stored.token
        theft.refresh()
        yield theft.device.timeline.now + theft.random.expovariate(1 / theft.device.habits.copies_again)
