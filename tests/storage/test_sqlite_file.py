"""The SQLite file itself: shared transactions, threads, trouble with the disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import apsw
import pytest

from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.store import Spend
from everbearer.storage.sql import counters
from everbearer.storage.sql.migrations import migrations
from everbearer.storage.sql.transaction import Transaction, numbered
from everbearer.storage.sqlite import BlockingSQLiteStore, SQLiteStore
from everbearer.storage.sqlite.connection import SQLiteConnection
from storage.statements import every_statement
from storage.values import CLIENT, EVENT, new_grant, rotated

T = TypeVar("T")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "everbearer.db"


@pytest.fixture
async def sqlite(database: Path) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(database)
    await store.migrate()
    yield store
    await store.close()


def finished(verb: Coroutine[Any, Any, T]) -> T:
    """Finish a verb without an event loop."""
    try:
        verb.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("the verb suspended")


def modes_in(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def remember_x(transaction: Transaction) -> bool:
    return await counters.remember(transaction, "jti", "x", until=1)


async def break_a_rule(transaction: Transaction) -> None:
    await counters.remember(transaction, "jti", "poison", until=1)
    await transaction.run("INSERT INTO users (subject) VALUES (NULL)")


async def fail(transaction: Transaction) -> None:
    await counters.remember(transaction, "jti", "poison", until=1)
    raise ValueError("poison")


@pytest.mark.parametrize(("poison", "error"), [(break_a_rule, StoreUnavailable), (fail, ValueError)])
async def test_a_poisoned_verb_fails_alone_in_a_shared_transaction(
    sqlite: SQLiteStore, database: Path, poison: Any, error: type[Exception]
) -> None:
    connection = SQLiteConnection(database)
    outcomes = connection.write([remember_x, poison, remember_x])
    connection.close()

    assert (outcomes[0], outcomes[2]) == (True, False)
    assert isinstance(outcomes[1], error)
    assert await sqlite.remembers("jti", "x") is True
    assert await sqlite.remembers("jti", "poison") is False


async def test_nothing_is_kept_of_a_transaction_that_sqlite_gave_up(sqlite: SQLiteStore, database: Path) -> None:
    async def give_up(transaction: Transaction) -> None:
        await transaction.run("ROLLBACK")
        raise StoreUnavailable("the disk is gone")

    connection = SQLiteConnection(database)
    with pytest.raises(StoreUnavailable, match="the disk is gone"):
        connection.write([remember_x, give_up, remember_x])
    connection.close()

    assert await sqlite.remembers("jti", "x") is False


async def test_a_verb_that_suspends_is_refused(sqlite: SQLiteStore, database: Path) -> None:
    async def dawdle(transaction: Transaction) -> None:
        await remember_x(transaction)
        await asyncio.sleep(0)

    connection = SQLiteConnection(database)
    (outcome,) = connection.write([dawdle])
    connection.close()

    assert isinstance(outcome, RuntimeError)
    assert await sqlite.remembers("jti", "x") is False


def test_a_blocking_store_raises_what_its_verb_raised(database: Path) -> None:
    store = BlockingSQLiteStore(database)
    finished(store.migrate())
    finished(store.create_grant(new_grant(), EVENT))

    with pytest.raises(StoreUnavailable):
        finished(store.create_grant(new_grant(), EVENT))
    assert len(finished(store.events())) == 1
    finished(store.close())


WHOLE_TABLES = {
    "clients.CLIENTS", "consents.CONSENT", "events.EVENTS", "grants.GRANTS", "keys.KEYS", "logouts.LOGOUTS",
    "logouts.NOTE_CLIENT", "logouts.RETRY_LOGOUTS", "migrations.APPLIED", "migrations.TOUCH", "purge.REMOVE_KEYS",
    "purge.REMOVE_LOGOUTS", "registrations.COUNT_REGISTERED", "registrations.TOKENS",
}  # fmt: skip
"""Lists of everything, and keys, of which there are few."""


async def test_every_other_statement_finds_its_rows_by_an_index(sqlite: SQLiteStore, database: Path) -> None:
    await sqlite.ping()
    connection = apsw.Connection(str(database))
    scanning = set[str]()
    for name, statement in every_statement().items():
        if not statement.startswith("CREATE"):
            nothing = dict.fromkeys(numbered(statement)[1])
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", nothing).fetchall()
            steps = {str(step) for *_, step in plan}
            # What is gone through row by row may be a window that an index found.
            scanning |= {
                name for step in steps if step.startswith("SCAN") and step.replace("SCAN", "CO-ROUTINE") not in steps
            }
    connection.close()

    assert scanning == WHOLE_TABLES


async def test_many_writes_at_once_succeed_but_the_poisoned_one(sqlite: SQLiteStore) -> None:
    grants = [new_grant(str(number)) for number in range(600)]
    poisoned = replace(new_grant("poison"), subject="\ud800")
    outcomes = await asyncio.gather(
        *[sqlite.create_grant(grant, EVENT) for grant in (*grants[:300], poisoned, *grants[300:])],
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes if outcome is not None] == [UnicodeEncodeError]
    assert len(await sqlite.grants(limit=1000)) == 600


async def test_a_write_that_was_answered_is_seen_by_the_next_read(sqlite: SQLiteStore) -> None:
    grant = new_grant()
    await sqlite.create_grant(grant, EVENT)
    for generation in range(3, 50):
        await sqlite.spend(replace(grant, generation=generation), expected=generation - 1)
        found = await sqlite.grant("grant")

        assert found is not None
        assert found.generation == generation


async def test_a_cancelled_caller_harms_nobody(sqlite: SQLiteStore) -> None:
    tasks = [asyncio.create_task(sqlite.remember("jti", str(number), until=1)) for number in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert outcomes[1::2] == [True] * 10


def test_of_many_threads_that_spend_a_generation_one_does(database: Path) -> None:
    store = BlockingSQLiteStore(database)
    finished(store.migrate())
    finished(store.create_grant(new_grant(), EVENT))
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda _: finished(store.spend(rotated(new_grant()), expected=2)), range(80)))
    finished(store.close())

    assert outcomes.count(Spend.SPENT) == 1
    assert outcomes.count(Spend.SUPERSEDED) == 79


def test_event_loops_of_several_threads_share_a_store(database: Path) -> None:
    store = SQLiteStore(database)
    asyncio.run(store.migrate())
    with ThreadPoolExecutor(4) as threads:
        counts = list(threads.map(lambda _: asyncio.run(store.count_attempt("bucket", now=0, window=9)), range(40)))
    asyncio.run(store.close())

    assert sorted(counted.attempts for counted in counts) == list(range(1, 41))


async def test_closing_finishes_what_waits_and_the_store_can_be_used_again(sqlite: SQLiteStore) -> None:
    writes = [asyncio.create_task(sqlite.remember("jti", str(number), until=1)) for number in range(50)]
    await asyncio.sleep(0)
    await sqlite.close()

    assert await asyncio.gather(*writes) == [True] * 50
    assert await sqlite.remembers("jti", "49") is True


async def test_files_are_their_owners_alone(sqlite: SQLiteStore, tmp_path: Path) -> None:
    await sqlite.ping()

    names = ["everbearer.db", "everbearer.db-shm", "everbearer.db-wal", "everbearer.db.lock"]
    assert modes_in(tmp_path) == dict.fromkeys(names, 0o600)


async def test_every_commit_is_flushed_to_the_disk(database: Path) -> None:
    connection = SQLiteConnection(database)

    assert connection._connection.pragma("synchronous") == 2
    assert connection._connection.pragma("journal_mode") == "wal"
    connection.close()


async def test_a_database_without_tables_is_unavailable(database: Path) -> None:
    store = SQLiteStore(database)

    with pytest.raises(StoreUnavailable):
        await store.ping()
    with pytest.raises(StoreUnavailable):
        await store.grant("grant")
    assert await store.pending_migrations() == [*migrations()]
    with pytest.raises(StoreUnavailable, match="migrations"):
        await store.ping()
    await store.close()


async def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "missing" / "everbearer.db")

    with pytest.raises(StoreUnavailable):
        await store.client("spa")
    with pytest.raises(StoreUnavailable):
        await store.ping()
    await store.close()


def test_a_file_that_is_no_database_is_unavailable_and_stays_as_it_is(database: Path) -> None:
    database.write_text("no database " * 1000)
    store = BlockingSQLiteStore(database)

    with pytest.raises(StoreUnavailable):
        finished(store.client("spa"))
    with pytest.raises(StoreUnavailable):
        finished(store.migrate())
    finished(store.close())
    assert database.read_text() == "no database " * 1000


async def test_a_full_disk_is_unavailable_and_loses_nothing(sqlite: SQLiteStore, database: Path) -> None:
    await sqlite.put_client(CLIENT, EVENT)
    connection = SQLiteConnection(database)
    pages = connection._connection.pragma("page_count")
    connection._connection.pragma("max_page_count", pages)

    async def write_much(transaction: Transaction) -> None:
        for number in range(2000):
            await counters.remember(transaction, "x" * 1000, str(number), until=1)

    try:
        outcomes = connection.write([write_much])
    except StoreUnavailable as error:
        outcomes = [error]
    connection.close()

    assert isinstance(outcomes[0], StoreUnavailable)
    assert isinstance(outcomes[0].__cause__, apsw.FullError)
    assert await sqlite.client("spa") == CLIENT
    assert await sqlite.remember("jti", "x", until=1) is True
