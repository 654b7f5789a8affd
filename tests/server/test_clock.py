"""The clock that all nodes share."""

from __future__ import annotations

import time

import pytest

from everbearer.oauth.errors import StoreUnavailable
from everbearer.server.upkeep.clock import SharedClock
from everbearer.storage.memory import MemoryStore
from everbearer.storage.store import AdminStore
from every_store import ON_EVERY_STORE


class Wrong:
    """A clock of a machine that is wrong by some seconds."""

    def __init__(self, by: float) -> None:
        self.by = by

    def __call__(self) -> float:
        return time.time() + self.by


@ON_EVERY_STORE
@pytest.mark.parametrize("by", [-300.0, 0.0, 300.0])
async def test_a_node_whose_clock_is_wrong_tells_the_stores_time(store: AdminStore, by: float) -> None:
    wrong = Wrong(by)
    clock = SharedClock(store, wrong)

    await clock.synchronize()
    # On a busy machine an answer may take long, and is not believed then.
    for _ in range(20):
        if by and abs(clock() - wrong()) <= 2:
            await clock.synchronize()

    assert abs(clock() - time.time()) <= 2


async def test_before_it_asked_it_tells_the_machines_time() -> None:
    assert SharedClock(MemoryStore(), lambda: 7.9)() == 7


async def test_an_answer_that_took_long_is_not_believed() -> None:
    local = iter([0.0, 5.0, 6.0])
    clock = SharedClock(MemoryStore(), lambda: next(local))

    await clock.synchronize()

    assert clock() == 6


async def test_what_was_known_stays_while_the_store_cannot_answer() -> None:
    class Troubled(MemoryStore):
        down = False

        async def clock(self) -> float:
            if self.down:
                raise StoreUnavailable("down")
            return 1000.0

    store = Troubled()
    clock = SharedClock(store, lambda: 0.0)
    await clock.synchronize()
    store.down = True

    with pytest.raises(StoreUnavailable):
        await clock.synchronize()

    assert clock() == 1000
