"""The connections that a process holds to PostgreSQL: what is told of them is what there is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from everbearer.server.observing.metrics import CONNECTIONS, CONNECTIONS_AWAITED, Metrics
from everbearer.storage.postgresql import PostgreSQLStore
from everbearer.storage.sql.transaction import Transaction
from everbearer.storage.sqlite import SQLiteStore
from postgresql_server import PostgreSQLServer, emptied


@pytest.fixture
async def store(postgresql: PostgreSQLServer) -> AsyncIterator[PostgreSQLStore]:
    store = PostgreSQLStore(emptied(postgresql), connections=2)
    await store.migrate()
    yield store
    await store.close()


async def test_connections_are_told_by_what_they_do(store: PostgreSQLStore) -> None:
    go_on, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def hold(_: Transaction) -> None:
        begun.release()
        await go_on.wait()

    holding = [asyncio.create_task(store.database.read(hold)) for _ in range(3)]
    await begun.acquire()
    await begun.acquire()
    told = dict(store.connections())
    go_on.set()
    await asyncio.gather(*holding)

    assert told == {"in_use": 2, "idle": 0, "waiting": 1}
    assert store.connections() == {"in_use": 0, "idle": 2, "waiting": 0}


async def test_who_gives_up_waiting_is_not_counted_any_more(store: PostgreSQLStore) -> None:
    go_on, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def hold(_: Transaction) -> None:
        begun.release()
        await go_on.wait()

    holding = [asyncio.create_task(store.database.read(hold)) for _ in range(3)]
    await begun.acquire()
    await begun.acquire()
    holding[2].cancel()
    await asyncio.wait([holding[2]])

    assert store.connections()["waiting"] == 0
    go_on.set()
    await asyncio.gather(*holding[:2])


async def test_metrics_tell_of_connections_where_there_are_any(store: PostgreSQLStore, tmp_path: Path) -> None:
    with_server, with_file = Metrics(), Metrics()
    with_server.watch_connections(store.connections)
    with_file.watch_connections(SQLiteStore(tmp_path / "everbearer.db").connections)
    await store.ping()

    told = with_server.snapshot()
    assert dict(told[CONNECTIONS.name]) == {("in_use",): [0.0], ("idle",): [1.0]}
    assert told[CONNECTIONS_AWAITED.name] == [((), [0.0])]
    assert with_file.snapshot()[CONNECTIONS.name] == []
