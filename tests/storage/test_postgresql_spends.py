"""Refreshes that wait together are spent together, each with an outcome of its own, at every isolation level."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import psycopg
import pytest

from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.models import Ended, EndReason, Everything, Grant
from everbearer.oauth.store import Spend
from everbearer.storage.postgresql import PostgreSQLStore
from everbearer.storage.sql.migrations import migrations
from postgresql_server import PostgreSQLServer, emptied
from storage.values import CLIENT, EVENT, KEY, NOW, USER, new_grant, rotated

LEVELS = ("read committed", "repeatable read", "serializable")
NODES = 3
PATIENCE = 60
"""Seconds that verbs have, however busy the machine is."""
ENOUGH = 20
"""Seconds after which something waits for something else."""
PAGES = "SELECT grant_id, CAST((CAST(CAST(ctid AS TEXT) AS point))[0] AS BIGINT) FROM grants ORDER BY grant_id"


@pytest.fixture
def url(postgresql: PostgreSQLServer) -> str:
    return emptied(postgresql)


@pytest.fixture
async def store(url: str) -> AsyncIterator[PostgreSQLStore]:
    store = PostgreSQLStore(url, patience=PATIENCE)
    await store.migrate()
    yield store
    await store.close()


@pytest.fixture(params=LEVELS)
async def nodes(
    url: str,
    store: PostgreSQLStore,  # noqa: ARG001 - its tables
    request: pytest.FixtureRequest,
) -> AsyncIterator[list[PostgreSQLStore]]:
    """Give the stores of several nodes at each isolation level that an operator may have set."""
    level = request.param.replace(" ", "%5C%20")
    url = f"{url}options=-cdefault_transaction_isolation%3D{level}"
    nodes = [PostgreSQLStore(url, patience=PATIENCE) for _ in range(NODES)]
    yield nodes
    for node in nodes:
        await node.close()


async def stored(store: PostgreSQLStore, number: int) -> list[Grant]:
    grants = [new_grant(f"grant {each}") for each in range(number)]
    await asyncio.gather(*[store.create_grant(grant, EVENT) for grant in grants])
    return grants


async def test_those_that_wait_together_share_few_transactions(store: PostgreSQLStore) -> None:
    grants = await stored(store, 200)
    outcomes = await asyncio.gather(*[store.spend(rotated(grant), expected=2) for grant in grants])
    transactions = await store.database.read(lambda tx: tx.run("SELECT DISTINCT xmin FROM grants"))

    assert outcomes == [Spend.SPENT] * 200
    assert len(transactions) <= 3
    assert {grant.generation for grant in await store.grants(limit=200)} == {3}


async def test_all_that_a_spend_changes_is_kept_as_given(store: PostgreSQLStore) -> None:
    awkward = ["", "NULL", 'a "b" \\ {c,d}', "Ü\n'"]
    grants = await stored(store, len(awkward))
    after = [
        replace(rotated(grant), idempotency_key=text, history=grant.history[:1] * at, confirmed=3)
        for at, (grant, text) in enumerate(zip(grants, awkward, strict=True))
    ]
    await asyncio.gather(*[store.spend(grant, expected=2) for grant in after])
    found = [await store.grant(grant.grant_id) for grant in after]

    assert [each and (each.idempotency_key, each.history, each.confirmed, each.code) for each in found] == [
        (grant.idempotency_key, grant.history, 3, None) for grant in after
    ]


async def test_of_two_in_one_batch_the_first_wins(store: PostgreSQLStore) -> None:
    (grant,) = await stored(store, 1)
    first, second = rotated(grant), replace(rotated(grant), used_at=NOW + 999)
    outcomes = await asyncio.gather(*[store.spend(each, expected=2) for each in (first, second)])

    assert outcomes == [Spend.SPENT, Spend.SUPERSEDED]
    found = await store.grant(grant.grant_id)
    assert found is not None
    assert found.used_at == first.used_at


async def test_two_retries_in_one_batch_both_happen(store: PostgreSQLStore) -> None:
    (grant,) = await stored(store, 1)
    retries = [replace(grant, retries=retries) for retries in (1, 2)]

    assert set(await asyncio.gather(*[store.spend(each, expected=2) for each in retries])) == {Spend.SPENT}
    found = await store.grant(grant.grant_id)
    assert found is not None
    assert found.retries == 2


@pytest.mark.parametrize(
    "poison",
    [
        lambda grant: replace(grant, idempotency_key="\x00"),
        lambda grant: replace(grant, idempotency_key="\ud800"),
        lambda grant: replace(grant, used_at=2**63),
    ],
    ids=["no text of PostgreSQL's", "no text at all", "too large"],
)
async def test_one_that_cannot_be_stored_does_no_harm_to_the_others(
    store: PostgreSQLStore, poison: Callable[[Grant], Grant]
) -> None:
    grants = await stored(store, 20)
    after = [rotated(grant) for grant in grants]
    after[7] = poison(after[7])
    outcomes = await asyncio.gather(*[store.spend(each, expected=2) for each in after], return_exceptions=True)

    assert isinstance(outcomes.pop(7), StoreUnavailable)
    assert outcomes == [Spend.SPENT] * 19


async def test_those_that_ended_or_are_gone_are_told_so(store: PostgreSQLStore) -> None:
    alive, ended, of_bob = await stored(store, 3)
    await store.end_grant(ended.grant_id, Ended(reason=EndReason.REUSED, actor="server", at=NOW))
    gone = replace(of_bob, grant_id="nobody's")
    outcomes = await asyncio.gather(*[store.spend(rotated(grant), expected=2) for grant in (ended, gone, alive)])

    assert outcomes == [Spend.ENDED, Spend.ENDED, Spend.SPENT]


async def test_a_row_that_somebody_holds_keeps_nobody_else_waiting(store: PostgreSQLStore, url: str) -> None:
    grants = await stored(store, 30)
    async with await psycopg.AsyncConnection.connect(url) as holder:
        await holder.execute("SELECT FROM grants WHERE grant_id = 'grant 3' FOR UPDATE")
        held = [asyncio.create_task(store.spend(rotated(grants[3]), expected=2)) for _ in range(20)]
        others = [store.spend(rotated(grant), expected=2) for grant in grants if grant is not grants[3]]
        async with asyncio.timeout(ENOUGH):
            assert set(await asyncio.gather(*others)) == {Spend.SPENT}
        assert not any(task.done() for task in held)
        await holder.rollback()

    assert Counter(await asyncio.gather(*held)) == {Spend.SPENT: 1, Spend.SUPERSEDED: 19}


async def test_nodes_that_spend_the_same_grants_at_once_never_wait_for_each_other(url: str) -> None:
    nodes = [PostgreSQLStore(url, patience=PATIENCE) for _ in range(NODES)]
    await nodes[0].migrate()
    grants = await stored(nodes[0], 100)
    for generation in range(2, 7):
        now = [replace(grant, generation=generation + 1) for grant in grants]
        orders = [now, now[::-1], now[50:] + now[:50]]
        spends = [
            node.spend(grant, expected=generation) for node, order in zip(nodes, orders, strict=True) for grant in order
        ]
        async with asyncio.timeout(ENOUGH):
            outcomes = Counter(await asyncio.gather(*spends))
        assert outcomes == {Spend.SPENT: 100, Spend.SUPERSEDED: 200}
    for node in nodes:
        await node.close()


async def test_one_of_all_nodes_spends_a_generation(nodes: list[PostgreSQLStore]) -> None:
    (grant,) = await stored(nodes[0], 1)
    for generation in range(2, 6):
        after = replace(grant, generation=generation + 1)
        outcomes = await asyncio.gather(*[node.spend(after, expected=generation) for node in nodes for _ in range(30)])

        assert Counter(outcomes) == {Spend.SPENT: 1, Spend.SUPERSEDED: 89}


async def test_a_refresh_amid_ends_never_brings_back_what_ended(nodes: list[PostgreSQLStore]) -> None:
    grants = await stored(nodes[0], 30)
    ended = Ended(reason=EndReason.PASSWORD_CHANGED, actor="server", at=NOW)
    spends = [nodes[0].spend(rotated(grant), expected=2) for grant in grants]
    outcomes = await asyncio.gather(
        *spends[:15], nodes[1].end_all(Everything.USER, "ada", ended), nodes[2].grants(), *spends[15:]
    )

    assert {outcome for outcome in outcomes if isinstance(outcome, Spend)} <= {Spend.SPENT, Spend.ENDED}
    assert await nodes[2].grants(live_only=True) == []
    again = [nodes[1].spend(replace(grant, generation=4), expected=3) for grant in grants]
    assert set(await asyncio.gather(*again)) == {Spend.ENDED}


async def test_verbs_of_several_statements_are_whole_among_nodes(nodes: list[PostgreSQLStore]) -> None:
    ended = Ended(reason=EndReason.REVOKED_BY_USER, actor="server", at=NOW)
    scopes = [f"scope-{at}" for at in range(12)]
    at_once = [nodes[at % NODES] for at in range(12)]
    await asyncio.gather(*[node.end_all(Everything.USER, "ada", ended) for node in at_once])
    await asyncio.gather(
        *[node.give_consent("ada", "spa", (scope,), EVENT) for node, scope in zip(at_once, scopes, strict=True)]
    )
    await asyncio.gather(
        *[node.put_client(replace(CLIENT, client_name=str(at)), EVENT) for at, node in enumerate(at_once)]
    )
    users = [replace(USER, subject=str(at)) for at in range(12)]
    created = await asyncio.gather(*[node.create_user(user, EVENT) for node, user in zip(at_once, users, strict=True)])
    keys = [replace(KEY, kid=str(at)) for at in range(12)]
    added = await asyncio.gather(
        *[node.add_key(key, EVENT, newest=None) for node, key in zip(at_once, keys, strict=True)]
    )
    remembered = await asyncio.gather(*[node.remember("jti", "x", until=NOW) for node in at_once])

    epochs = await nodes[0].database.read(lambda tx: tx.run("SELECT epoch FROM ends ORDER BY epoch"))
    assert [epoch for (epoch,) in epochs] == list(range(1, 13))
    assert set((await nodes[0].consent("ada", "spa")).scope) == set(scopes)
    assert [sum(created), sum(added), sum(remembered)] == [1, 1, 1]
    origins = await nodes[0].database.read(lambda tx: tx.run("SELECT origin FROM client_origins"))
    assert len(origins) == len(set(origins)) == 3


async def test_nodes_that_start_at_once_migrate_once(postgresql: PostgreSQLServer) -> None:
    postgresql.execute("DROP DATABASE IF EXISTS fresh")
    postgresql.execute("CREATE DATABASE fresh")
    level = "options=-cdefault_transaction_isolation%3Dserializable"
    nodes = [PostgreSQLStore(postgresql.url("fresh") + level) for _ in range(6)]
    ran = await asyncio.gather(*[node.migrate() for node in nodes])

    assert sorted(name for names in ran for name in names) == [*migrations()]
    assert await nodes[0].pending_migrations() == []
    for node in nodes:
        await node.close()


async def test_texts_are_ordered_by_bytes_whatever_the_language_of_the_server(store: PostgreSQLStore) -> None:
    for login in ("b", "B", "a", "ä", "_"):
        await store.create_user(replace(USER, subject=login, login=login), EVENT)

    assert [user.login for user in await store.users()] == ["B", "_", "a", "b", "ä"]
    collations = await store.database.read(
        lambda tx: tx.run(
            "SELECT DISTINCT collation_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'text' AND table_name <> 'migrations'"
        )
    )
    assert collations == [("C",)]


async def test_a_refreshed_grant_stays_in_its_page_so_that_no_index_learns_of_it(store: PostgreSQLStore) -> None:
    grants = await stored(store, 100)
    before = await store.database.read(lambda tx: tx.run(PAGES))
    for grant in grants:
        await store.spend(rotated(grant), expected=2)

    assert len({page for _, page in before}) > 3
    assert await store.database.read(lambda tx: tx.run(PAGES)) == before
