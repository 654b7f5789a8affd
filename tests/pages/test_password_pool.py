from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from everbearer.oauth.errors import TemporarilyUnavailable
from everbearer.server.password_pool import PasswordPool


@pytest.fixture
def pool() -> Iterator[PasswordPool]:
    pool = PasswordPool(threads=1, waiting=1)
    yield pool
    pool.close()


async def test_it_returns_and_raises_what_the_work_does(pool: PasswordPool) -> None:
    assert await pool.run(lambda: 6 * 7) == 42
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 // 0)


async def test_more_than_may_wait_are_refused_and_later_ones_are_not(pool: PasswordPool) -> None:
    go_on = Event()
    running = [asyncio.create_task(pool.run(go_on.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(TemporarilyUnavailable) as refused:
        await pool.run(lambda: None)
    assert refused.value.retry_after == 5

    go_on.set()
    assert all(await asyncio.gather(*running))
    assert await pool.run(lambda: "free again") == "free again"


async def test_who_stops_waiting_makes_room(pool: PasswordPool) -> None:
    go_on = Event()
    running = asyncio.create_task(pool.run(go_on.wait))
    waiting = asyncio.create_task(pool.run(go_on.wait))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    third = asyncio.create_task(pool.run(go_on.wait))
    await asyncio.sleep(0)
    go_on.set()

    assert all(await asyncio.gather(running, third))


async def test_hashing_gives_way_to_everything_else(pool: PasswordPool) -> None:
    def policy() -> int:
        return os.sched_getscheduler(threading.get_native_id())

    own = policy()
    of_hashing = await pool.run(policy)

    assert of_hashing == (os.SCHED_IDLE if sys.platform == "linux" else own)
    assert policy() == own


async def test_pools_that_share_a_turn_work_one_at_a_time(tmp_path: Path) -> None:
    turn = tmp_path / "turn"
    turn.touch()
    first, second = PasswordPool(turn=turn), PasswordPool(turn=turn)
    begun, go_on = Event(), Event()

    def hold() -> None:
        begun.set()
        go_on.wait(120)

    holding = asyncio.create_task(first.run(hold))
    await asyncio.to_thread(begun.wait, 120)
    waiting = asyncio.create_task(second.run(lambda: "at last"))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    go_on.set()

    assert await waiting == "at last"
    await holding
    first.close()
    second.close()


async def test_where_priorities_are_forbidden_hashing_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", forbidden)
    pool = PasswordPool()

    assert await pool.run(lambda: 6 * 7) == 42
    pool.close()
