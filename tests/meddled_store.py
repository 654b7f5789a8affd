"""A store that something happens to just before, or just after, one of its verbs: trouble, or somebody else's act."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.models import Grant
from everbearer.oauth.store import Spend
from everbearer.storage.store import AdminStore
from world import World

Happening = Callable[[], Awaitable[object]]


class MeddledStore:
    """Passes every verb on to a real store; the happening comes with the given call of one verb, and only then."""

    def __init__(self, store: AdminStore, verb: str, happening: Happening, *, after: bool, call: int) -> None:
        self._store = store
        self._verb = verb
        self._happening = happening
        self._after = after
        self._call = call
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._store, name)

        async def meddled(*args: Any, **keywords: Any) -> Any:
            self.calls.append(name)
            due = name == self._verb and self.calls.count(name) == self._call
            if due and not self._after:
                await self._happening()
            outcome = await verb(*args, **keywords)
            if due and self._after:
                await self._happening()
            return outcome

        return meddled


def meddled(world: World, verb: str, happening: Happening, *, after: bool = False, call: int = 1) -> World:
    """Return the same world as a node sees it whose store is meddled with."""
    return on_store(world, MeddledStore(world.store, verb, happening, after=after, call=call))


def on_store(world: World, store: MeddledStore) -> World:
    """Return the same world as a node sees it whose store is this one, for grants and for devices."""
    both = cast("AdminStore", store)
    return replace(world, server=replace(world.server, store=both, devices=both))


def calls_of(world: World) -> list[str]:
    """Return the verbs that a meddled world asked of its store."""
    return cast("MeddledStore", world.server.store).calls


class AlwaysSecond(MeddledStore):
    """A store in which somebody else spends every generation first."""

    async def spend(self, grant: Grant, *, expected: int) -> Spend:  # noqa: ARG002 - the shape of a verb
        return Spend.SUPERSEDED


def superseded(world: World) -> World:
    """Return the same world as a node sees it that loses every race."""
    return on_store(world, AlwaysSecond(world.store, "", nothing, after=False, call=0))


async def unavailable() -> None:
    raise StoreUnavailable


async def nothing() -> None:
    pass
