"""PostgreSQL in trouble: every verb says so in time, nothing is half done, and all is well when the trouble is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.store import Spend
from everbearer.storage.postgresql import PostgreSQLStore
from everbearer.storage.postgresql.connection import checked_url
from everbearer.storage.postgresql.store import PostgreSQL
from everbearer.storage.sql.transaction import Transaction
from everbearer.storage.store import AdminStore
from postgresql_server import PostgreSQLServer, emptied, running_postgresql
from storage.values import EVENT, new_grant, rotated
from wire import wire_to
from world import new_world

PATIENCE = 1.0
"""Seconds after which those are refused that must be."""
ENOUGH = 30
"""Seconds after which something is stuck. Whatever is to succeed has longer, however busy the machine is."""
CONNECTIONS = 12
"""How many the server gives."""

VERBS: dict[str, Callable[[AdminStore], Awaitable[object]]] = {
    "read": lambda store: store.grant("grant"),
    "write": lambda store: store.record(EVENT),
    "spend": lambda store: store.spend(rotated(new_grant()), expected=2),
    "ping": lambda store: store.ping(),
}


@pytest.fixture(scope="module")
def troubled() -> Iterator[PostgreSQLServer]:
    """Give a server that may be stopped and killed."""
    with running_postgresql(fsync="off", max_connections=str(CONNECTIONS)) as server:
        yield server


@pytest.fixture
async def store(troubled: PostgreSQLServer) -> AsyncIterator[PostgreSQLStore]:
    store = PostgreSQLStore(emptied(troubled), patience=2 * ENOUGH, connections=4)
    await store.migrate()
    await store.create_grant(new_grant(), EVENT)
    yield store
    await store.close()


async def all_refuse_in_time(store: PostgreSQLStore, *names: str) -> bool:
    async def refuses(verb: Callable[[AdminStore], Awaitable[object]]) -> None:
        with pytest.raises(StoreUnavailable):
            await verb(store)

    database = store.database
    assert isinstance(database, PostgreSQL)
    patient, database.patience = database.patience, PATIENCE
    async with asyncio.timeout(ENOUGH):
        await asyncio.gather(*[refuses(VERBS[name]) for name in names or VERBS for _ in range(5)])
        # A batch outlives those that gave up waiting for it, and whoever came meanwhile would share its fate.
        while store._spends._batches or store._spends._singles:  # noqa: ASYNC110 - it ends by itself
            await asyncio.sleep(0.001)
    database.patience = patient
    return True


async def all_is_well(store: PostgreSQLStore) -> bool:
    await asyncio.gather(*[verb(store) for name, verb in VERBS.items() if name != "spend"])
    # What was refused may have happened all the same, and only now: then the grant is read anew.
    return await rotated_once(store) or await rotated_once(store)


async def rotated_once(store: PostgreSQLStore) -> bool:
    grant = await store.grant("grant")
    assert grant is not None
    after = replace(grant, generation=grant.generation + 1)
    return await store.spend(after, expected=grant.generation) is Spend.SPENT


async def test_a_database_that_is_down_is_told_at_once_and_used_when_it_is_back(
    troubled: PostgreSQLServer, store: PostgreSQLStore
) -> None:
    await asyncio.to_thread(troubled.stop, "fast")
    assert await all_refuse_in_time(store)
    await asyncio.to_thread(troubled.start, fsync="off", max_connections=str(CONNECTIONS))

    assert await all_is_well(store)


async def test_a_crash_is_survived(troubled: PostgreSQLServer, store: PostgreSQLStore) -> None:
    await asyncio.to_thread(troubled.kill)
    assert await all_refuse_in_time(store)
    await asyncio.to_thread(troubled.start, fsync="off", max_connections=str(CONNECTIONS))

    assert await all_is_well(store)


async def test_whoever_could_not_listen_hears_when_the_database_is_back(
    troubled: PostgreSQLServer, store: PostgreSQLStore
) -> None:
    heard = asyncio.Event()
    await asyncio.to_thread(troubled.stop, "fast")
    async with store.hearing_of_keys(heard.set):
        assert await all_refuse_in_time(store)
        assert not heard.is_set()
        await asyncio.to_thread(troubled.start, fsync="off", max_connections=str(CONNECTIONS))
        async with asyncio.timeout(ENOUGH):
            await heard.wait()

    assert await all_is_well(store)


async def test_connections_that_the_server_closed_meanwhile_are_not_used(
    troubled: PostgreSQLServer, store: PostgreSQLStore
) -> None:
    await asyncio.gather(*[store.grant("grant") for _ in range(8)])
    ended = "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE application_name = 'everbearer'"
    assert (True,) in await asyncio.to_thread(troubled.execute, ended)

    assert await all_is_well(store)


async def test_a_frozen_server_keeps_nobody_waiting(troubled: PostgreSQLServer, store: PostgreSQLStore) -> None:
    processes = troubled.freeze()
    try:
        assert await all_refuse_in_time(store)
    finally:
        troubled.thaw(processes)

    assert await all_is_well(store)


async def test_what_waits_for_a_lock_gives_up_and_leaves_nothing_behind(
    troubled: PostgreSQLServer, store: PostgreSQLStore
) -> None:
    async with await psycopg.AsyncConnection.connect(troubled.url("emptied")) as holder:
        await holder.execute("LOCK TABLE grants IN ACCESS EXCLUSIVE MODE")
        assert await all_refuse_in_time(store, "read", "spend")
        await store.ping()
        # The server notices within a second that nobody waits for these any more.
        async with asyncio.timeout(ENOUGH):
            while await waiting_for_locks(holder):  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.05)
        await holder.rollback()

    found = await store.grant("grant")
    assert found is not None
    assert found.generation == 2
    assert await all_is_well(store)


async def waiting_for_locks(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> bool:
    cursor = await connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
    return await cursor.fetchone() != (0,)


async def test_a_server_without_a_connection_to_spare_refuses_and_recovers(
    troubled: PostgreSQLServer, store: PostgreSQLStore
) -> None:
    await store.close()
    async with AsyncExitStack() as stack:
        taken = await take_all_connections(troubled, stack)
        assert await all_refuse_in_time(store)

        await given_back(taken.pop())
        # One connection is enough for all, one after the other.
        assert await asyncio.gather(*[store.count_attempt("bucket", now=0, window=9) for _ in range(40)])
    assert await all_is_well(store)


async def take_all_connections(
    server: PostgreSQLServer, stack: AsyncExitStack
) -> list[psycopg.AsyncConnection[tuple[object, ...]]]:
    """Return all connections that the server gives, those that others were just giving back included."""
    taken: list[psycopg.AsyncConnection[tuple[object, ...]]] = []
    async with asyncio.timeout(ENOUGH):
        while len(taken) < CONNECTIONS:
            try:
                taken.append(await psycopg.AsyncConnection.connect(server.url()))
            except psycopg.OperationalError:
                await asyncio.sleep(0.05)
            else:
                stack.push_async_callback(taken[-1].close)
    return taken


async def given_back(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
    """Close a connection and wait until its process at the server is gone, which then has one to give."""
    process = Path(f"/proc/{connection.info.backend_pid}")
    await connection.close()
    async with asyncio.timeout(ENOUGH):
        while await asyncio.to_thread(process.exists):  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.01)


async def test_a_read_only_database_is_read_and_refuses_to_write(
    troubled: PostgreSQLServer, store: PostgreSQLStore
) -> None:
    await asyncio.to_thread(troubled.execute, "ALTER SYSTEM SET default_transaction_read_only = on")
    await asyncio.to_thread(troubled.execute, "SELECT pg_reload_conf()")
    try:
        await read_only_is(troubled, store, "on")
        assert await store.grant("grant") is not None
        assert await all_refuse_in_time(store, "write", "spend", "ping")
    finally:
        with psycopg.connect(troubled.url(), autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connection.execute("SELECT pg_reload_conf()")
    await read_only_is(troubled, store, "off")

    assert await all_is_well(store)


async def read_only_is(server: PostgreSQLServer, store: PostgreSQLStore, value: str) -> None:
    """Wait until new connections and the store's know a setting that was changed for all."""
    asked = "SHOW default_transaction_read_only"
    async with asyncio.timeout(ENOUGH):
        while await asyncio.to_thread(server.execute, asked) != [(value,)]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        while await store.database.read(lambda tx: tx.run(asked)) != [(value,)]:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.01)


async def test_one_pool_for_too_many_gives_up_in_time(store: PostgreSQLStore) -> None:
    go_on, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def hold(transaction: Transaction) -> object:
        begun.release()
        await go_on.wait()
        return await transaction.run("SELECT 1")

    patient = [asyncio.create_task(store.database.read(hold)) for _ in range(8)]
    for _ in range(4):
        await begun.acquire()
    assert await all_refuse_in_time(store, "read", "write", "ping")
    go_on.set()

    assert await asyncio.gather(*patient) == [[(1,)]] * 8
    assert await all_is_well(store)


async def test_a_caller_that_goes_away_leaves_the_connections_in_order(store: PostgreSQLStore) -> None:
    tasks = [asyncio.create_task(store.database.write(lambda tx: tx.run("SELECT pg_sleep(0.3)"))) for _ in range(4)]
    await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert await all_is_well(store)


async def test_a_refresh_whose_commit_nobody_heard_of_gets_its_successor_again(troubled: PostgreSQLServer) -> None:
    url = emptied(troubled)
    async with wire_to(troubled.port) as wire:
        store = PostgreSQLStore(url.replace(str(troubled.port), str(wire.port)), patience=2 * ENOUGH)
        await store.migrate()
        world = await new_world(store)
        token = await world.refresh_token()
        before = await world.grant(token)
        wire.lose_answer_to = before.grant_id.encode()
        # The grant's first sight is the read, whose answer must come.
        read = store.grant

        async def read_through(grant_id: str) -> object:
            wire.lose_answer_to = None
            found = await read(grant_id)
            wire.lose_answer_to = grant_id.encode()
            return found

        store.grant = read_through  # type: ignore[method-assign, assignment] # the wire is cut after the read
        answer = await world.refresh(token)
        wire.lose_answer_to = None
        store.grant = read  # type: ignore[method-assign] # whole again

        assert (answer.status, answer.error) == (503, "temporarily_unavailable")
        assert wire.lost == 1
        assert (await world.grant(token)).generation == before.generation + 1
        retried = await world.refresh(token)
        assert retried.status == 200
        assert (await world.refresh(retried.refresh_token)).status == 200
        await store.close()


@pytest.mark.parametrize("url", ["postgresql://me:secret@[::1/db", "postgresql://me:secret@%zz/db", "host=a b=c"])
def test_a_url_that_cannot_be_understood_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(ValueError, match="is not a URL") as refused:
        checked_url(url)

    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


async def test_what_is_told_of_trouble_holds_no_values(store: PostgreSQLStore) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        await store.create_grant(new_grant(), EVENT)

    assert str(refused.value) == "PostgreSQL cannot answer: UniqueViolation 23505"


async def test_what_is_there_already_is_told_after_a_few_tries(store: PostgreSQLStore) -> None:
    tried = 0

    async def add_again(transaction: Transaction) -> None:
        nonlocal tried
        tried += 1
        await transaction.run("INSERT INTO migrations SELECT * FROM migrations")

    with pytest.raises(StoreUnavailable):
        await store.database.write(add_again)

    assert 1 < tried < 10
    assert await all_is_well(store)
