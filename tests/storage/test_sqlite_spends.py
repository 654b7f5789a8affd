"""Refreshes that are spent on the event loop, many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.models import Ended, EndReason, Grant
from everbearer.oauth.store import Spend
from everbearer.storage.sqlite import SQLiteStore, connection
from everbearer.storage.sqlite.connection import SQLiteConnection
from storage.values import EVENT, NOW, new_grant, rotated

MANY = 69
ENOUGH = 60
"""Seconds after which something is stuck."""
ENDED = Ended(reason=EndReason.REVOKED_BY_USER, actor="user:ada", at=NOW)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "everbearer.db"


@pytest.fixture
async def sqlite(database: Path) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(database)
    await store.migrate()
    yield store
    await store.close()


async def created(store: SQLiteStore, count: int = MANY) -> list[Grant]:
    grants = [new_grant(f"grant {number:03}") for number in range(count)]
    await asyncio.gather(*[store.create_grant(grant, EVENT) for grant in grants])
    return grants


async def spent(store: SQLiteStore, grants: list[Grant]) -> list[Spend | BaseException]:
    spends = [store.spend(rotated(grant), expected=grant.generation) for grant in grants]
    return await asyncio.gather(*spends, return_exceptions=True)


async def test_many_grants_are_spent_together_each_as_it_was_given(sqlite: SQLiteStore) -> None:
    grants = [replace(grant, idempotency_key=grant.grant_id) for grant in await created(sqlite)]

    assert await spent(sqlite, grants) == [Spend.SPENT] * MANY
    for grant in grants:
        found = await sqlite.grant(grant.grant_id)
        assert found is not None
        assert replace(found, authentication=grant.authentication) == rotated(
            replace(grant, client_epoch=0, consent_epoch=0)
        )


async def test_those_that_cannot_be_spent_are_told_why_and_hold_up_nobody(sqlite: SQLiteStore) -> None:
    grants = await created(sqlite)
    await sqlite.spend(rotated(grants[3]), expected=grants[3].generation)
    await sqlite.end_grant(grants[5].grant_id, ENDED)
    outcomes = await spent(sqlite, [*grants, new_grant("nobody's")])

    assert (outcomes[3], outcomes[5], outcomes[-1]) == (Spend.SUPERSEDED, Spend.ENDED, Spend.ENDED)
    assert [outcome for at, outcome in enumerate(outcomes[:-1]) if at not in (3, 5)] == [Spend.SPENT] * (MANY - 2)


async def test_one_that_cannot_be_stored_fails_alone(sqlite: SQLiteStore) -> None:
    grants = await created(sqlite)
    outcomes = await spent(sqlite, [replace(grants[0], idempotency_key="\ud800"), *grants[1:]])

    assert isinstance(outcomes[0], UnicodeEncodeError)
    assert outcomes[1:] == [Spend.SPENT] * (MANY - 1)


async def test_of_several_spends_of_one_generation_that_wait_together_one_does(sqlite: SQLiteStore) -> None:
    grants = await created(sqlite, 3)
    outcomes = await spent(sqlite, grants * 10)

    assert outcomes.count(Spend.SPENT) == 3
    assert outcomes.count(Spend.SUPERSEDED) == 27


async def test_on_a_slow_disk_threads_spend(sqlite: SQLiteStore) -> None:
    grants = await created(sqlite)
    sqlite.database._at_hand.slow_until = float("inf")  # type: ignore[attr-defined] # what a slow flush sets

    assert await spent(sqlite, grants) == [Spend.SPENT] * MANY


async def test_while_another_connection_writes_the_loop_goes_on_and_the_spend_waits(
    sqlite: SQLiteStore, database: Path
) -> None:
    (grant,) = await created(sqlite, 1)
    other = SQLiteConnection(database)
    with other.locked():
        spending = asyncio.create_task(sqlite.spend(rotated(grant), expected=grant.generation))
        for _ in range(20):
            assert await sqlite.grant(grant.grant_id) is not None
            await asyncio.sleep(0.005)
        assert not spending.done()
    other.close()

    assert await spending is Spend.SPENT


async def test_under_steady_spending_the_log_is_moved_into_the_file_and_begun_anew_again_and_again(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CHECKPOINT_PAGES", 50)
    store = SQLiteStore(database)
    await store.migrate()
    grants, logs = await created(store), set[bytes]()
    async with asyncio.timeout(ENOUGH):
        while len(logs) < 4:
            assert await spent(store, grants) == [Spend.SPENT] * MANY
            grants = [replace(rotated(grant), history=grant.history) for grant in grants]
            with database.with_name(database.name + "-wal").open("rb") as log:
                # Each log has salts of its own in its head.
                logs.add(log.read(24)[16:])

    assert await store.grant(grants[0].grant_id) is not None
    await store.close()


async def test_a_disk_that_is_full_refuses_spends_and_keeps_the_tokens_good(sqlite: SQLiteStore) -> None:
    grants = await created(sqlite, 40)
    await sqlite.grant("to open the connection")
    connection = sqlite.database._at_hand.connection._connection  # type: ignore[attr-defined] # no other way to fill a disk
    connection.pragma("max_page_count", connection.pragma("page_count"))
    large = [replace(grant, idempotency_key="x" * 5000) for grant in grants]
    outcomes = await spent(sqlite, large)
    connection.pragma("max_page_count", 1_000_000)

    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert await spent(sqlite, grants) == [Spend.SPENT] * 40
