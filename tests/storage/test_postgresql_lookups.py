"""Look-ups that wait together travel together, each with an answer of its own, as fresh as one by itself would be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest

from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.models import Ended, EndReason
from everbearer.oauth.store import Spend
from everbearer.storage.postgresql import PostgreSQLStore, lookups
from everbearer.storage.postgresql.store import PostgreSQL
from postgresql_server import PostgreSQLServer, emptied
from storage.values import CLIENT, EVENT, NOW, USER, new_grant, rotated

AWKWARD = ["", "NULL", 'a "b" \\ {c,d}', "Ü\n'", "$1"]
ENDED = Ended(reason=EndReason.REUSED, actor="server", at=NOW)
ENOUGH = 30
"""Seconds after which something is stuck. Whatever is to succeed has longer, however busy the machine is."""
WAITING = "SELECT pid FROM pg_locks WHERE NOT granted"


@pytest.fixture
def url(postgresql: PostgreSQLServer) -> str:
    return emptied(postgresql)


@pytest.fixture
async def store(url: str) -> AsyncIterator[PostgreSQLStore]:
    store = PostgreSQLStore(url, patience=2 * ENOUGH)
    await store.migrate()
    yield store
    await store.close()


@pytest.fixture
async def holder(url: str) -> AsyncIterator[psycopg.AsyncConnection[tuple[object, ...]]]:
    """Give a connection of somebody else's."""
    async with await psycopg.AsyncConnection.connect(url) as holder:
        yield holder


async def waiting(holder: psycopg.AsyncConnection[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Wait until somebody waits for a lock, and return the processes that do."""
    async with asyncio.timeout(ENOUGH):
        while not (found := await (await holder.execute(WAITING)).fetchall()):  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.01)
    return found


async def test_each_gets_what_is_stored_under_its_key(store: PostgreSQLStore) -> None:
    for key in AWKWARD:
        await store.create_grant(new_grant(key), EVENT)
        await store.put_client(replace(CLIENT, client_id=key), EVENT)
        await store.create_user(replace(USER, subject=key, login=key), EVENT)
    keys = [*AWKWARD, "nobody's", *AWKWARD]
    grants = await asyncio.gather(*[store.grant(key) for key in keys])
    clients = await asyncio.gather(*[store.client(key) for key in keys])
    users = await asyncio.gather(*[store.user(key) for key in keys])

    expected = [*AWKWARD, None, *AWKWARD]
    assert [grant and grant.grant_id for grant in grants] == expected
    assert [client and client.client_id for client in clients] == expected
    assert [user and user.subject for user in users] == expected


async def test_those_of_all_kinds_travel_together(
    store: PostgreSQLStore, holder: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    await store.create_grant(new_grant("ada's"), EVENT)
    await store.put_client(CLIENT, EVENT)
    await store.create_user(USER, EVENT)
    await holder.execute("LOCK TABLE clients, grants, users IN ACCESS EXCLUSIVE MODE")
    lookups = asyncio.gather(store.client(CLIENT.client_id), store.grant("ada's"), store.user(USER.subject))
    processes = await waiting(holder)
    await holder.rollback()
    client, grant, user = await lookups

    assert len(processes) == 1
    assert client == CLIENT
    assert grant is not None
    assert grant.grant_id == "ada's"
    assert user == USER


async def test_what_is_spent_waits_for_those_who_are_being_read_and_goes_with_them(
    store: PostgreSQLStore, holder: psycopg.AsyncConnection[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # However busy this machine is.
    monkeypatch.setattr(lookups, "LONGEST_COMPANY", 5)
    first, second = new_grant("first"), new_grant("second")
    await store.create_grant(first, EVENT)
    await store.create_grant(second, EVENT)

    async def refresh() -> Spend:
        read = await store.grant("second")
        assert read is not None
        return await store.spend(rotated(read), expected=2)

    await holder.execute("LOCK TABLE grants IN ACCESS EXCLUSIVE MODE")
    refreshes = [asyncio.create_task(refresh())]
    await waiting(holder)
    refreshes.append(asyncio.create_task(store.spend(rotated(first), expected=2)))
    await asyncio.sleep(0)
    await holder.rollback()
    outcomes = await asyncio.gather(*refreshes)
    transactions = await store.database.read(lambda tx: tx.run("SELECT DISTINCT xmin FROM grants"))

    assert outcomes == [Spend.SPENT] * 2
    assert len(transactions) == 1


async def test_look_ups_that_are_held_up_hold_up_no_spend(
    store: PostgreSQLStore, holder: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    grant = new_grant()
    await store.create_grant(grant, EVENT)
    await holder.execute("LOCK TABLE clients IN ACCESS EXCLUSIVE MODE")
    held_up = asyncio.create_task(store.client(CLIENT.client_id))
    await waiting(holder)
    async with asyncio.timeout(ENOUGH):
        outcome = await store.spend(rotated(grant), expected=2)

    assert outcome is Spend.SPENT
    assert not held_up.done()
    await holder.rollback()
    await held_up


async def test_nothing_is_stored_under_what_is_no_text_and_the_others_are_found(store: PostgreSQLStore) -> None:
    await store.create_grant(new_grant(), EVENT)
    found = await asyncio.gather(*[store.grant(key) for key in ("grant", "a\x00b", "\ud800", "grant")])

    assert [grant and grant.grant_id for grant in found] == ["grant", None, None, "grant"]


async def test_those_that_wait_hold_one_connection(
    store: PostgreSQLStore, holder: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    await store.create_grant(new_grant(), EVENT)
    await holder.execute("LOCK TABLE grants IN ACCESS EXCLUSIVE MODE")
    lookups = [asyncio.create_task(store.grant("grant")) for _ in range(300)]
    processes = await waiting(holder)
    await store.clients()
    await holder.rollback()

    assert len(processes) == 1
    assert {grant and grant.grant_id for grant in await asyncio.gather(*lookups)} == {"grant"}


async def test_one_that_goes_away_does_no_harm_to_the_others(
    store: PostgreSQLStore, holder: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    await store.create_grant(new_grant(), EVENT)
    await holder.execute("LOCK TABLE grants IN ACCESS EXCLUSIVE MODE")
    lookups = [asyncio.create_task(store.grant("grant")) for _ in range(20)]
    await waiting(holder)
    later = [asyncio.create_task(store.grant("grant")) for _ in range(20)]
    await asyncio.sleep(0)
    for task in (*lookups[:10], *later[:10]):
        task.cancel()
    await holder.rollback()
    outcomes = await asyncio.gather(*lookups, *later, return_exceptions=True)

    gone = [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes]
    assert gone == [True] * 10 + [False] * 10 + [True] * 10 + [False] * 10


async def test_those_whose_connection_broke_are_looked_up_through_another(
    store: PostgreSQLStore, holder: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    await store.create_grant(new_grant(), EVENT)
    await holder.execute("LOCK TABLE grants IN ACCESS EXCLUSIVE MODE")
    lookups = [asyncio.create_task(store.grant("grant")) for _ in range(20)]
    ((process,),) = await waiting(holder)
    await holder.execute("SELECT pg_terminate_backend(%s)", (process,))
    await holder.rollback()

    assert {grant and grant.grant_id for grant in await asyncio.gather(*lookups)} == {"grant"}


async def test_those_that_come_while_a_batch_is_held_up_give_up_with_it(
    url: str, store: PostgreSQLStore, holder: psycopg.AsyncConnection[tuple[object, ...]]
) -> None:
    impatient = PostgreSQLStore(url, patience=2 * ENOUGH)
    database = impatient.database
    assert isinstance(database, PostgreSQL)
    await store.create_grant(new_grant(), EVENT)
    assert await impatient.grant("grant") is not None
    database.patience = 0.5
    await holder.execute("LOCK TABLE grants IN ACCESS EXCLUSIVE MODE")
    lookups = [asyncio.create_task(impatient.grant("grant"))]
    await waiting(holder)
    lookups += [asyncio.create_task(impatient.grant("grant")) for _ in range(20)]
    async with asyncio.timeout(ENOUGH):
        outcomes = await asyncio.gather(*lookups, return_exceptions=True)
    await holder.rollback()
    database.patience = 2 * ENOUGH

    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert await impatient.grant("grant") is not None
    await impatient.close()


async def test_what_one_node_wrote_is_seen_by_the_next_look_up_of_another(url: str, store: PostgreSQLStore) -> None:
    other, over = PostgreSQLStore(url), asyncio.Event()

    async def noise() -> None:
        while not over.is_set():
            await asyncio.gather(*[other.grant(f"grant {number}") for number in range(30)])
            await other.client(CLIENT.client_id)

    noises = [asyncio.create_task(noise()) for _ in range(3)]
    for number in range(30):
        grant = new_grant(f"grant {number}")
        await store.create_grant(grant, EVENT)
        assert await other.grant(grant.grant_id) is not None
        await store.spend(rotated(grant), expected=2)
        found = await other.grant(grant.grant_id)
        assert found is not None
        assert found.generation == 3
        await store.end_grant(grant.grant_id, ENDED)
        found = await other.grant(grant.grant_id)
        assert found is not None
        assert found.ended == ENDED
        await store.put_client(replace(CLIENT, client_name=f"{number}"), EVENT)
        client = await other.client(CLIENT.client_id)
        assert client is not None
        assert client.client_name == f"{number}"
    over.set()
    await asyncio.gather(*noises)
    await other.close()
