"""Every interleaving of a few requests: a stateless model checker over the real endpoints and the store in memory.

The endpoints await nothing but the store, and each verb of the store is atomic. So a schedule is an order of verbs, and
all schedules are tried: the actor to move is chosen anew before every verb, and an actor may die before its verb takes
effect, or after it did and before anything of it got out (`Crash`). Coroutines cannot be copied, so that each
schedule is replayed from the start; two schedules that lead to one state (the same rows, and the same answers of the
store to each actor) have one future, which is explored once and counted for both.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.events import Event
from everbearer.oauth.models import DeviceAuthorization, Ended, Everything, Grant
from everbearer.oauth.store import Spend
from everbearer.storage.memory import MemoryStore
from heart.heart_world import Answer, Clock, refresh, server_over

T = TypeVar("T")
Script: TypeAlias = "Callable[[Actor], Coroutine[Any, Any, None]]"
Scenario: TypeAlias = "Callable[[World], Iterable[tuple[str, Actor]]]"
"""Fills a new world and returns who acts in it."""


class Crash(Enum):
    """What befalls an actor's request in a move."""

    NONE = "moves"
    BEFORE = "dies before its verb"
    AFTER = "dies after its verb"


Move: TypeAlias = tuple[str, Crash]
Schedule: TypeAlias = tuple[Move, ...]


class Died(BaseException):
    """The server died under a request. No code of the server sees it; its client may try again."""


class Turn:
    """Where an actor waits for its turn."""

    def __await__(self) -> Generator[Turn, None, None]:
        yield self


@dataclass(kw_only=True)
class World:
    """One run: the store that all actors share, and the time."""

    store: MemoryStore = field(default_factory=MemoryStore)
    clock: Clock = field(default_factory=Clock)
    ended: set[str] = field(default_factory=set)
    """Grants of which the store has said that they have ended, or that it has ended them."""
    answers: list[Answer] = field(default_factory=list)
    """All answers that reached somebody."""
    clients_turn: bool = False
    """Whether reading the client has a turn of its own: where clients change, or time passes, in between."""

    def state(self) -> object:
        """Return what the future depends on. A history is written and never read; nor are events."""
        grants = tuple(replace(grant, history=()) for _, grant in sorted(self.store.tables.grants.items()))
        clients = tuple(repr(client) for _, client in sorted(self.store.tables.clients.items()))
        devices = tuple(device for _, device in sorted(self.store.tables.devices.items()))
        return self.clock.now, grants, tuple(self.store.tables.ends.items()), clients, devices, frozenset(self.ended)


@dataclass(kw_only=True)
class Actor:
    """Somebody who sends requests: by a server process of its own, over the shared store."""

    world: World
    script: Script
    client: Client
    holds: str = ""
    """The token it would present next."""
    key: str = ""
    deaths: int = 0
    """How many of its requests may yet die under it."""
    skew: int = 0
    """How wrong the clock of its server process is."""
    dying: bool = False
    answers: list[Answer] = field(default_factory=list)
    seen: list[object] = field(default_factory=list)
    """All that the store answered to the request under way, and when: what the request has in hand follows from it."""

    @property
    def server(self) -> AuthorizationServer:
        store = Turns(self)
        return server_over(store, lambda: self.world.clock.now + self.skew, devices=store)

    def take(self, answer: Answer) -> Answer:
        """Receive an answer and keep its refresh token."""
        self.answers.append(answer)
        self.world.answers.append(answer)
        if answer.ok and "refresh_token" in answer.members:
            self.holds = answer.refresh_token
        self.seen = [self.world.clock.now]
        return answer

    async def refresh(self) -> Answer:
        """Refresh with what it holds.

        Raises:
            Died: the answer was lost.
        """
        try:
            return self.take(await refresh(self.server, self.client, self.holds, key=self.key))
        except Died:
            self.seen = [self.world.clock.now]
            raise

    def state(self) -> object:
        answered = tuple((answer.status, answer.error, answer.members.get("refresh_token")) for answer in self.answers)
        return self.deaths, self.holds, answered, tuple(self.seen)

    async def turn(self) -> None:
        """Wait for the turn to do something that no store sees."""
        await Turn()
        self.saw(None)

    def saw(self, result: T) -> T:
        """Note what the store answered; a request that dies now learns no more of it."""
        self.seen.append((result, self.world.clock.now, self.dying))
        if self.dying:
            self.dying = False
            raise Died
        return result


class Turns:
    """The shared store, where each verb of an actor waits for that actor's turn."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._world = actor.world
        self._store = actor.world.store

    async def client(self, client_id: str) -> Client | None:
        client = await self._store.client(client_id)
        if not self._world.clients_turn:
            return client
        await Turn()
        client = await self._store.client(client_id)
        self._actor.saw(repr(client))
        return client

    async def create_grant(self, grant: Grant, event: Event) -> None:
        await Turn()
        await self._store.create_grant(grant, event)
        self._actor.saw(None)

    async def grant(self, grant_id: str) -> Grant | None:
        await Turn()
        grant = await self._store.grant(grant_id)
        if grant is not None and grant.ended is not None:
            self._world.ended.add(grant_id)
        assert grant is None or grant.ended is not None or grant_id not in self._world.ended, "an ended grant lives"
        self._actor.saw(grant and replace(grant, history=()))
        return grant

    async def spend(self, grant: Grant, *, expected: int) -> Spend:
        await Turn()
        outcome = await self._store.spend(grant, expected=expected)
        assert outcome is not Spend.SPENT or grant.grant_id not in self._world.ended, "an ended grant was spent"
        return self._actor.saw(outcome)

    async def confirm(self, grant_id: str, generation: int) -> None:
        await Turn()
        await self._store.confirm(grant_id, generation)
        self._actor.saw(None)

    async def end_grant(self, grant_id: str, ended: Ended) -> bool:
        await Turn()
        self._world.ended.add(grant_id)
        return self._actor.saw(await self._store.end_grant(grant_id, ended))

    async def end_all(self, everything: Everything, key: str, ended: Ended) -> None:
        await Turn()
        await self._store.end_all(everything, key, ended)
        self._all_ended()

    async def put_client(self, client: Client, event: Event, *, ends: Ended | None = None) -> None:
        await Turn()
        await self._store.put_client(client, event, ends=ends)
        self._all_ended()

    async def create_device_authorization(self, device: DeviceAuthorization) -> bool:
        await Turn()
        return self._actor.saw(await self._store.create_device_authorization(device))

    async def device_authorization(self, *, grant_id: str = "", user_code: str = "") -> DeviceAuthorization | None:
        await Turn()
        return self._actor.saw(await self._store.device_authorization(grant_id=grant_id, user_code=user_code))

    async def note_device_poll(self, device: DeviceAuthorization, *, was: DeviceAuthorization) -> bool:
        await Turn()
        return self._actor.saw(await self._store.note_device_poll(device, was=was))

    async def decide_device_authorization(
        self, device: DeviceAuthorization, event: Event, *, grant: Grant | None = None
    ) -> bool:
        await Turn()
        return self._actor.saw(await self._store.decide_device_authorization(device, event, grant=grant))

    async def remember(self, purpose: str, value: str, *, until: int) -> bool:
        await Turn()
        return self._actor.saw(await self._store.remember(purpose, value, until=until))

    async def remembers(self, purpose: str, value: str) -> bool:
        await Turn()
        return self._actor.saw(await self._store.remembers(purpose, value))

    async def allows_origin(self, origin: str) -> bool:
        await Turn()
        return self._actor.saw(await self._store.allows_origin(origin))

    async def record(self, event: Event) -> None:
        await Turn()
        await self._store.record(event)
        self._actor.saw(None)

    def _all_ended(self) -> None:
        # In each scenario all grants are of one user and client.
        self._world.ended.update(self._store.tables.grants)
        self._actor.saw(None)


class Run:
    """One schedule under way."""

    def __init__(self, scenario: Scenario) -> None:
        self.world = World()
        self.actors = dict(scenario(self.world))
        self._coroutines = {name: actor.script(actor) for name, actor in self.actors.items()}
        for name in tuple(self._coroutines):
            self._go_on(name)

    def choices(self) -> tuple[Move, ...]:
        """Return who may move, and how; nobody where the schedule is complete."""
        return tuple((name, crash) for name in self._coroutines for crash in Crash if self._may(name, crash))

    def _may(self, name: str, crash: Crash) -> bool:
        return crash is Crash.NONE or self.actors[name].deaths > 0

    def move(self, move: Move) -> None:
        """Let an actor's verb take effect, or let it die."""
        name, crash = move
        actor = self.actors[name]
        actor.deaths -= crash is not Crash.NONE
        if crash is Crash.BEFORE:
            actor.seen.append(crash)
            self._go_on(name, Died())
            return
        actor.dying = crash is Crash.AFTER
        self._go_on(name)

    def state(self) -> object:
        actors = tuple(actor.state() for actor in self.actors.values())
        return self.world.state(), frozenset(self._coroutines), actors

    def close(self) -> None:
        for coroutine in self._coroutines.values():
            coroutine.close()

    def _go_on(self, name: str, death: Died | None = None) -> None:
        coroutine = self._coroutines[name]
        try:
            if death is None:
                coroutine.send(None)
            else:
                coroutine.throw(death)
        except (StopIteration, Died):
            del self._coroutines[name]


@dataclass(kw_only=True)
class Explored:
    """How much was explored."""

    schedules: int = 0
    """How many orders of verbs and deaths there are."""
    states: int = 0
    """How many different states they went through."""
    outcomes: int = 0
    """How many different states they ended in: each was checked."""


def explore(scenario: Scenario, check: Callable[[Run], None], *, merge: bool = True) -> Explored:
    """Try every schedule and check each outcome. Without `merge`, schedules that meet in a state go on apart."""
    explored = Explored()
    known: dict[object, int] = {}

    def count(schedule: Schedule, run: Run) -> int:
        state = run.state()
        if merge and state in known:
            run.close()
            return known[state]
        explored.states += 1
        choices = run.choices()
        if not choices:
            _checked(run, schedule, check)
            explored.outcomes += 1
        futures = 0 if choices else 1
        for last, choice in enumerate(choices, 1 - len(choices)):
            # The last choice goes on with the run itself; the others need one of their own.
            futures += count(
                (*schedule, choice), _moved(run if last == 0 else replay(scenario, schedule), choice, schedule)
            )
        known[state] = futures
        return futures

    explored.schedules = count((), Run(scenario))
    return explored


def replay(scenario: Scenario, schedule: Schedule) -> Run:
    """Return a run that has come along a schedule."""
    run = Run(scenario)
    for move in schedule:
        run.move(move)
    return run


def _moved(run: Run, move: Move, schedule: Schedule) -> Run:
    try:
        run.move(move)
    except AssertionError as error:
        error.add_note(f"in the schedule {_told((*schedule, move))}")
        raise
    return run


def _checked(run: Run, schedule: Schedule, check: Callable[[Run], None]) -> None:
    try:
        check(run)
    except AssertionError as error:
        error.add_note(f"after the schedule {_told(schedule)}")
        raise


def _told(schedule: Schedule) -> str:
    return ", ".join(f"{name} {crash.value}" for name, crash in schedule)


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine over a store whose verbs never suspend."""
    try:
        work.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("it suspended")


def gets_on(run: Run, name: str) -> bool:
    """Return whether an actor can go on with what it holds: by trying the same again, and then the next."""
    actor, store = run.actors[name], deepcopy(run.world.store)
    server = server_over(store, run.world.clock)
    again = finish(refresh(server, actor.client, actor.holds, key=actor.key))
    return again.ok and finish(refresh(server, actor.client, again.refresh_token)).ok
