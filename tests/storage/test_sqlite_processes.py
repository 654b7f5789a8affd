"""Several processes share one SQLite file, and any of them may die."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from everbearer.login.store import Counted
from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.store import Spend
from everbearer.storage.sql.migrations import migrations
from everbearer.storage.sqlite import SQLiteStore
from storage.values import EVENT, new_grant, rotated

PROGRAM = Path(__file__).with_name("sqlite_process.py")
ENOUGH = 60
"""Seconds after which something is stuck."""

Start: TypeAlias = Callable[[str], Awaitable[Process]]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "everbearer.db"


@pytest.fixture
async def sqlite(database: Path) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(database)
    await store.migrate()
    yield store
    await store.close()


@pytest.fixture
async def hurried(sqlite: SQLiteStore, database: Path) -> AsyncIterator[SQLiteStore]:  # noqa: ARG001 - its tables
    """Give a store that soon gives up waiting."""
    store = SQLiteStore(database, patience=0.3)
    yield store
    await store.close()


@pytest.fixture
async def start(database: Path) -> AsyncIterator[Start]:
    started: list[Process] = []

    async def begin(act: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, PROGRAM, act, database, stdin=PIPE, stdout=PIPE, limit=1 << 20
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def heard(process: Process) -> str:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), ENOUGH)
    return line.decode().strip()


async def go(*processes: Process) -> list[str]:
    """Let processes that are ready act at the same moment, and return what they tell."""
    for process in processes:
        assert await heard(process) == "ready"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
    return [await heard(process) for process in processes]


async def test_of_many_processes_that_spend_a_generation_one_does(sqlite: SQLiteStore, start: Start) -> None:
    await sqlite.create_grant(new_grant(), EVENT)
    told = await go(*[await start("spend") for _ in range(4)])

    assert sorted(told) == ["SPENT=1 SUPERSEDED=24", *["SUPERSEDED=25"] * 3]


async def test_processes_that_begin_at_once_migrate_once(database: Path, start: Start) -> None:
    told = await go(*[await start("migrate") for _ in range(4)])

    ran = [name for names in told if names != "nothing" for name in names.split()]
    assert sorted(ran) == [*migrations()]
    assert await SQLiteStore(database).pending_migrations() == []


@pytest.mark.parametrize("kept", [1, 2, 20])
async def test_what_a_killed_process_had_answered_is_kept(sqlite: SQLiteStore, start: Start, kept: int) -> None:
    process = await start("keep")
    told = [await heard(process) for _ in range(kept)]
    process.kill()
    rest, _ = await process.communicate()

    answered = [*told, *rest.decode().split()]
    found = {grant.grant_id for grant in await sqlite.grants(limit=1_000_000)}
    assert found >= set(answered)
    assert len(await sqlite.events(limit=1_000_000)) == len(found)


@pytest.mark.parametrize("act", ["hold", "hold_without_asking"])
async def test_while_another_process_holds_the_lock_reads_answer_and_writes_give_up(
    sqlite: SQLiteStore, database: Path, start: Start, act: str
) -> None:
    await sqlite.create_grant(new_grant(), EVENT)
    holder = await start(act)
    assert await heard(holder) == "ready"
    store, loop = SQLiteStore(database, patience=1.5), asyncio.get_running_loop()
    write = loop.create_task(store.spend(rotated(new_grant()), expected=2))
    begun, longest = loop.time(), 0.0
    while not write.done():
        before = loop.time()
        assert await store.grant("grant") is not None
        await asyncio.sleep(0)
        longest = max(longest, loop.time() - before)
    with pytest.raises(StoreUnavailable):
        await write

    assert 1.4 < loop.time() - begun < ENOUGH
    assert longest < 1
    await store.close()


@pytest.mark.parametrize("act", ["hold", "hold_without_asking"])
async def test_a_write_waits_for_another_process_and_then_happens(database: Path, start: Start, act: str) -> None:
    store = SQLiteStore(database, patience=20)
    await store.migrate()
    await store.create_grant(new_grant(), EVENT)
    holder = await start(act)
    assert await heard(holder) == "ready"
    writes = [asyncio.create_task(store.spend(rotated(new_grant()), expected=2)) for _ in range(3)]
    assert await store.grant("grant") is not None
    assert not any(write.done() for write in writes)
    assert holder.stdin is not None
    holder.stdin.write(b"go\n")

    outcomes = await asyncio.gather(*writes)
    assert sorted(outcome.name for outcome in outcomes) == ["SPENT", "SUPERSEDED", "SUPERSEDED"]
    await store.close()


async def test_a_store_that_gave_up_writes_again_when_the_lock_is_free(
    sqlite: SQLiteStore, hurried: SQLiteStore, start: Start
) -> None:
    await sqlite.create_grant(new_grant(), EVENT)
    holder = await start("hold")
    assert await heard(holder) == "ready"
    with pytest.raises(StoreUnavailable):
        await hurried.ping()
    assert holder.stdin is not None
    holder.stdin.write(b"go\n")
    assert await heard(holder) == "released"
    hurried._on_loop._patience = ENOUGH  # from now on it is to succeed, on a busy machine too

    assert await hurried.spend(rotated(new_grant()), expected=2) is Spend.SPENT


async def test_a_store_that_gave_up_does_not_take_the_lock_later(
    hurried: SQLiteStore, database: Path, start: Start
) -> None:
    holder = await start("hold")
    assert await heard(holder) == "ready"
    with pytest.raises(StoreUnavailable):
        await hurried.ping()
    assert holder.stdin is not None
    holder.stdin.write(b"go\n")
    assert await heard(holder) == "released"

    other = SQLiteStore(database, patience=5)
    await other.ping()
    await other.close()


async def test_the_lock_of_a_killed_process_is_free(sqlite: SQLiteStore, start: Start) -> None:
    holder = await start("hold")
    assert await heard(holder) == "ready"
    holder.kill()
    await holder.wait()

    await sqlite.ping()


async def test_a_child_of_a_fork_has_threads_of_its_own(sqlite: SQLiteStore, start: Start) -> None:
    assert await heard(await start("fork")) == "0 2"
    assert await sqlite.count_attempt("child", now=1, window=10) == Counted(attempts=2, until=10)
