"""Honest clients: one that loses answers and sleeps, tabs that race, processes that share a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from everbearer.simulation.habits import Habits
from everbearer.simulation.policy import FIRST, REFUSED, Family, Policy
from everbearer.simulation.timeline import Program, Timeline

USED_AT = (0.5, 15, 90, 165, 600)
"""Seconds after an access token came at which the server sees it used, where it sees that at all."""


class Population(StrEnum):
    """Kinds of honest clients. All of them lose answers."""

    APP = "app"
    """One program on one device: a phone, a desktop application."""
    TABS = "tabs"
    """A browser: now and then two tabs send the same token."""
    PROCESSES = "processes"
    """Processes that share one file and read it before each refresh, without a lock."""
    COPIES = "copies"
    """Two processes that share one file and run for hours: each reads it when it starts, and again when refused."""


@dataclass(slots=True, kw_only=True)
class Holding:
    """What a file, or a program's memory, holds of a sign-in."""

    family: Family
    token: int
    expires_at: float
    pending_key: str = ""
    pending: bool = False
    """A refresh was sent, and its answer has not come."""

    def copy(self, other: Holding) -> None:
        """Hold what the other holds."""
        self.family, self.token, self.expires_at = other.family, other.token, other.expires_at
        self.pending, self.pending_key = False, ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What a sitting's network is like."""

    loss: float
    latency: float


def network_of(habits: Habits, random: Random) -> Network:
    """Draw a sitting's network."""
    if random.random() < habits.bad_network:
        return Network(loss=habits.answer_lost_bad, latency=habits.latency_bad)
    return Network(loss=habits.answer_lost, latency=habits.latency)


class Device:
    """Where a sign-in is stored, and what is counted of it."""

    __slots__ = ("_keys", "habits", "on_refresh", "policy", "random", "refreshes", "sign_outs", "stored", "timeline")

    def __init__(self, policy: Policy, habits: Habits, timeline: Timeline, random: Random) -> None:
        self.policy = policy
        self.habits = habits
        self.timeline = timeline
        self.random = random
        self.stored = Holding(family=policy.start(), token=FIRST, expires_at=0)
        self.refreshes = 0
        self.sign_outs = 0
        self.on_refresh: Callable[[Family], None] | None = None
        """Told of each answer that arrives: a thief may be watching."""
        self._keys = 0

    def ask(self, family: Family, token: int, key: str = "") -> int:
        """Send a refresh; the server has judged it, whether or not the answer arrives."""
        return family.refresh(token, int(self.timeline.now), key)

    def key(self) -> str:
        """Make up a key for a new attempt, where the policy's clients send one."""
        self._keys += 1
        return f"key {self._keys}" if self.policy.keyed else ""

    def receive(self, holding: Holding, family: Family, token: int, answer: int) -> None:
        """Take the answer to what this token asked."""
        if answer == REFUSED:
            self._refused(holding, family, token)
        else:
            self._keep(holding, family, answer)

    def _keep(self, holding: Holding, family: Family, token: int) -> None:
        # Whose answer comes last writes last.
        if family is not self.stored.family:
            self._take_over(holding)
            return
        holding.family, holding.token = family, token
        holding.expires_at = self.timeline.now + self.habits.access_token
        holding.pending, holding.pending_key = False, ""
        if holding is not self.stored:
            self.stored.copy(holding)
        if self.policy.sees:
            self.timeline.start(uses(self.timeline, family, token))
        if self.on_refresh is not None:
            self.on_refresh(family)

    def _refused(self, holding: Holding, family: Family, token: int) -> None:
        # Another may have stored a newer token; otherwise the user has to sign in again.
        stored = self.stored
        another = family is not stored.family
        if another or (token != stored.token and self.random.random() < self.habits.looks_again):
            self._take_over(holding)
            return
        self.sign_outs += 1
        stored.family, stored.token, stored.pending, stored.pending_key = self.policy.start(), FIRST, False, ""
        stored.expires_at = self.timeline.now + self.habits.access_token
        self._take_over(holding)

    def _take_over(self, holding: Holding) -> None:
        if holding is not self.stored:
            holding.copy(self.stored)


def uses(timeline: Timeline, family: Family, token: int) -> Program:
    """Use the access token that came with a refresh token: at once, and when the application asks again."""
    came_at = timeline.now
    for age in USED_AT:
        yield came_at + age
        family.seen(token, int(timeline.now))


def start_client(device: Device, population: Population) -> None:
    """Start all programs of a device."""
    if population is Population.COPIES:
        for _ in range(2):
            memory = Holding(family=device.stored.family, token=device.stored.token, expires_at=0)
            device.timeline.start(_program(device, memory, population))
    else:
        device.timeline.start(_program(device, device.stored, population))


def _program(device: Device, holding: Holding, population: Population) -> Program:
    """Refresh whenever an access token has expired while the application is in use."""
    timeline, habits, random = device.timeline, device.habits, device.random
    copies = population is Population.COPIES
    ends = timeline.now
    while True:
        begins, ends = habits.sitting_after(ends, random, length=habits.run if copies else habits.sitting)
        network = network_of(habits, random)
        yield begins
        if copies and not holding.pending:
            holding.copy(device.stored)
        while True:
            waits = random.expovariate(1 / habits.calls_every) if copies else 0
            due = max(begins, holding.expires_at + waits)
            if due >= ends:
                break
            yield due
            if holding.expires_at > timeline.now:
                continue
            device.refreshes += not holding.pending
            _bring_others(device, population, network)
            yield from _ask_until_answered(device, holding, network, ends)
            if holding.pending:
                break


def _ask_until_answered(device: Device, holding: Holding, network: Network, ends: float) -> Program:
    """Send the same refresh until its answer comes or the sitting ends."""
    timeline = device.timeline
    family, token = holding.family, holding.token
    if not holding.pending:
        holding.pending_key = device.key()
    holding.pending = True
    key = holding.pending_key
    while True:
        answer = device.ask(family, token, key)
        if device.random.random() >= network.loss:
            yield timeline.now + device.random.expovariate(1 / network.latency)
            holding.pending = False
            device.receive(holding, family, token, answer)
            return
        delay = device.habits.retry_delay(device.random)
        if delay is None or timeline.now + delay >= ends:
            return
        yield timeline.now + delay
        if not holding.pending:
            return  # another tab has stored an answer meanwhile


def _bring_others(device: Device, population: Population, network: Network) -> None:
    """Have other tabs or processes, which have read the same token already, send it too."""
    habits, random = device.habits, device.random
    if population is Population.TABS and random.random() < habits.tabs_race:
        throttled = random.random() < habits.tabs_throttled
        delay = random.uniform(0, 60) if throttled else random.expovariate(1)
        device.timeline.start(_another(device, delay, network))
    if population is Population.PROCESSES:
        for _ in range(habits.siblings - 1):
            if random.random() < habits.siblings_race:
                device.timeline.start(_another(device, random.expovariate(0.5), network))


def _another(device: Device, delay: float, network: Network) -> Program:
    family, token = device.stored.family, device.stored.token
    yield device.timeline.now + delay
    answer = device.ask(family, token, device.key())
    yield device.timeline.now + device.random.expovariate(1 / network.latency)
    device.receive(device.stored, family, token, answer)
