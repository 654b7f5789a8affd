"""Clients that register themselves, the tokens that let them, and the removal of those that nobody uses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from everbearer.oauth.client import Lifetimes
from everbearer.oauth.client_registration import Registered
from everbearer.oauth.events import EventKind
from everbearer.oauth.models import CodeBinding, Ended, EndReason, Everything, consent_key
from everbearer.storage.postgresql import PostgreSQLStore
from everbearer.storage.sql.grants import create_grant
from everbearer.storage.sql.transaction import Transaction
from everbearer.storage.sqlite import SQLiteStore
from everbearer.storage.store import AdminStore
from postgresql_server import PostgreSQLServer, emptied
from storage.values import CLIENT, ENDED, EVENT, NOW, REGISTERED, TOKEN, new_grant

HOUR = 3600
DAY = 24 * HOUR
BRIEF = replace(
    REGISTERED,
    lifetimes=Lifetimes(access_token=100, refresh_token=2 * DAY, refresh_token_idle=DAY, authorization_code=60),
)
ROUNDS = 30


def reaped_at(now: int) -> Ended:
    return Ended(reason=EndReason.CLIENT_DELETED, actor="server", at=now)


async def reap(store: AdminStore, *, now: int, unused_for: int = 10 * DAY, client_id: str = "spa") -> bool:
    return await store.reap_client(client_id, replace(EVENT, at=now), reaped_at(now), unused_for=unused_for)


async def used_at(store: AdminStore, client_id: str = "spa") -> int | None:
    client = await store.client(client_id)
    assert client is not None
    return client.used_at


# Registering


async def test_a_registered_client_comes_back_as_stored_and_as_in_use_since_then(store: AdminStore) -> None:
    assert await store.register_client(REGISTERED, EVENT) is Registered.REGISTERED

    assert await store.client("spa") == replace(REGISTERED, used_at=NOW)
    assert await store.clients() == [replace(REGISTERED, used_at=NOW)]
    assert await store.allows_origin("https://app.example")
    assert await store.events() == [EVENT]


async def test_as_many_clients_register_as_there_may_be_beside_any_number_of_others(store: AdminStore) -> None:
    for name in ("a", "b"):
        await store.put_client(replace(CLIENT, client_id=name), EVENT)
    await store.register_client(replace(REGISTERED, client_id="c"), EVENT, most=1)
    recorded = len(await store.events())

    assert await store.register_client(REGISTERED, EVENT, most=1) is Registered.FULL

    assert await store.client("spa") is None
    assert len(await store.events()) == recorded


async def test_clients_that_register_at_once_are_no_more_than_there_may_be(store: AdminStore) -> None:
    clients = [replace(REGISTERED, client_id=str(number)) for number in range(12)]

    outcomes = await asyncio.gather(*[store.register_client(client, EVENT, most=5) for client in clients])

    assert outcomes.count(Registered.REGISTERED) == len(await store.clients()) == 5


async def test_nodes_at_one_database_count_the_clients_that_register_there_together(
    postgresql: PostgreSQLServer,
) -> None:
    url = emptied(postgresql)
    nodes = [PostgreSQLStore(url) for _ in range(3)]
    await nodes[0].migrate()
    clients = [replace(REGISTERED, client_id=str(number)) for number in range(15)]

    outcomes = await asyncio.gather(
        *[nodes[number % 3].register_client(client, EVENT, most=7) for number, client in enumerate(clients)]
    )

    assert outcomes.count(Registered.REGISTERED) == len(await nodes[0].clients()) == 7
    for node in nodes:
        await node.close()


# Initial access tokens


async def test_an_initial_access_token_comes_back_as_stored(store: AdminStore) -> None:
    unbounded = replace(TOKEN, token_id="other", token_hash="other hash", uses_left=None, scope=None, note="")
    await store.create_initial_access_token(TOKEN, EVENT)
    await store.create_initial_access_token(unbounded, EVENT)

    assert await store.initial_access_token(TOKEN.token_hash) == TOKEN
    assert await store.initial_access_token("token") is None
    assert await store.initial_access_tokens() == [unbounded, TOKEN]


async def test_a_token_registers_as_many_clients_as_it_has_uses_also_at_once(store: AdminStore) -> None:
    await store.create_initial_access_token(TOKEN, EVENT)
    clients = [replace(REGISTERED, client_id=str(number)) for number in range(6)]

    outcomes = await asyncio.gather(
        *[store.register_client(client, replace(EVENT, at=NOW), token_id="token") for client in clients]
    )

    assert outcomes.count(Registered.REGISTERED) == len(await store.clients()) == 2
    assert outcomes.count(Registered.TOKEN_SPENT) == 4
    assert (await store.initial_access_tokens())[0].uses_left == 0


async def test_a_token_without_a_count_is_not_used_up_but_expires(store: AdminStore) -> None:
    await store.create_initial_access_token(replace(TOKEN, uses_left=None), EVENT)

    in_time = await store.register_client(REGISTERED, replace(EVENT, at=NOW + 999), token_id="token")
    too_late = await store.register_client(
        replace(REGISTERED, client_id="late"), replace(EVENT, at=NOW + 1000), token_id="token"
    )

    assert (in_time, too_late) == (Registered.REGISTERED, Registered.TOKEN_SPENT)


async def test_where_there_is_no_room_no_use_of_the_token_is_taken(store: AdminStore) -> None:
    await store.create_initial_access_token(TOKEN, EVENT)

    assert await store.register_client(REGISTERED, EVENT, token_id="token", most=0) is Registered.FULL

    assert await store.initial_access_tokens() == [TOKEN]


async def test_a_revoked_token_is_gone_and_registers_nobody(store: AdminStore) -> None:
    await store.create_initial_access_token(TOKEN, EVENT)

    assert await store.revoke_initial_access_token("token", EVENT) is True
    assert await store.revoke_initial_access_token("token", EVENT) is False
    assert await store.initial_access_token(TOKEN.token_hash) is None
    assert await store.register_client(REGISTERED, EVENT, token_id="token") is Registered.TOKEN_SPENT
    assert len(await store.events()) == 2


# Changing


async def test_a_client_that_is_as_read_is_replaced_with_its_origins(store: AdminStore) -> None:
    await store.register_client(REGISTERED, EVENT)
    await store.end_all(Everything.CLIENT, "spa", ENDED)
    changed = replace(REGISTERED, redirect_uris=("https://new.example/cb",))

    assert await store.change_client(changed, EVENT, was=REGISTERED) is True

    assert await store.client("spa") == replace(changed, epoch=1, used_at=NOW)
    assert await store.allows_origin("https://new.example")
    assert not await store.allows_origin("https://app.example")


async def test_a_client_that_was_changed_meanwhile_is_left_alone(store: AdminStore) -> None:
    await store.register_client(REGISTERED, EVENT)
    disabled = replace(REGISTERED, disabled_at=NOW + 5)
    await store.put_client(disabled, EVENT)
    recorded = len(await store.events())

    assert await store.change_client(replace(REGISTERED, client_name="New"), EVENT, was=REGISTERED) is False
    assert await store.change_client(replace(REGISTERED, client_id="gone"), EVENT, was=REGISTERED) is False

    assert await store.client("spa") == replace(disabled, used_at=NOW)
    assert len(await store.events()) == recorded


@pytest.mark.parametrize("forget", [True, False])
async def test_a_change_may_let_consents_be_forgotten_and_ends_no_grant(store: AdminStore, forget: bool) -> None:
    await store.register_client(REGISTERED, EVENT)
    await store.create_grant(new_grant(), EVENT)
    await store.give_consent("ada", "spa", ("openid",), EVENT)
    await store.give_consent("ada", "other", ("openid",), EVENT)

    await store.change_client(replace(REGISTERED, client_name="New"), EVENT, was=REGISTERED, forget_consents=forget)

    left = [consent.client_id for consent in await store.consents_of("ada")]
    assert left == (["other"] if forget else ["other", "spa"])
    assert len(await store.grants(live_only=True)) == 1


async def test_of_changes_at_once_one_happens(store: AdminStore) -> None:
    await store.register_client(REGISTERED, EVENT)
    changes = [replace(REGISTERED, client_name=str(number)) for number in range(5)]

    outcomes = await asyncio.gather(*[store.change_client(change, EVENT, was=REGISTERED) for change in changes])

    assert outcomes.count(True) == 1


# Use


async def test_the_use_of_a_registered_client_is_noted_once_an_hour_and_never_lowered(store: AdminStore) -> None:
    await store.register_client(REGISTERED, EVENT)
    seen: list[int | None] = []
    for at in (NOW + HOUR - 1, NOW + HOUR, NOW + HOUR + 1, NOW, NOW + 2 * HOUR):
        await store.note_client_use("spa", at)
        seen.append(await used_at(store))

    assert seen == [NOW, NOW + HOUR, NOW + HOUR, NOW + HOUR, NOW + 2 * HOUR]


async def test_a_new_grant_is_a_use_and_a_change_of_the_client_is_none(store: AdminStore) -> None:
    await store.register_client(REGISTERED, EVENT)
    await store.create_grant(replace(new_grant(), created_at=NOW + DAY), EVENT)
    await store.put_client(replace(REGISTERED, created_at=NOW + 9 * DAY), EVENT)

    assert await used_at(store) == NOW + DAY


async def test_of_a_client_of_an_operator_no_use_is_noted(store: AdminStore) -> None:
    await store.put_client(CLIENT, EVENT)
    await store.create_grant(replace(new_grant(), created_at=NOW + DAY), EVENT)
    await store.note_client_use("spa", NOW + DAY)
    await store.note_client_use("nobody", NOW + DAY)

    assert await used_at(store) is None


async def test_a_registered_client_that_an_operator_declares_is_an_operators_from_then_on(store: AdminStore) -> None:
    await store.register_client(REGISTERED, EVENT)
    await store.put_client(CLIENT, EVENT)

    assert await store.idle_clients(before=NOW + 1000 * DAY, after="", limit=10) == []
    assert await reap(store, now=NOW + 1000 * DAY) is False
    assert await store.client("spa") == CLIENT


# Reaping


async def test_idle_clients_are_those_that_registered_and_were_not_used_since(store: AdminStore) -> None:
    for name, at in (("d", NOW), ("b", NOW), ("c", NOW + 2), ("a", NOW + 1)):
        await store.register_client(replace(REGISTERED, client_id=name, created_at=at), EVENT)
    await store.put_client(replace(CLIENT, client_id="declared"), EVENT)

    assert await store.idle_clients(before=NOW + 1, after="", limit=10) == ["a", "b", "d"]
    assert await store.idle_clients(before=NOW + 1, after="a", limit=1) == ["b"]


async def test_a_client_that_was_never_used_is_removed_when_its_time_is_over(store: AdminStore) -> None:
    await store.register_client(REGISTERED, EVENT)
    await store.give_consent("ada", "spa", ("openid",), EVENT)

    assert await reap(store, now=NOW + 10 * DAY - 1) is False
    assert await reap(store, now=NOW + 10 * DAY) is True

    assert await store.client("spa") is None
    assert not await store.allows_origin("https://app.example")
    assert await store.consents_of("ada") == []
    assert (await store.events())[0].kind is EventKind.ALL_ENDED


async def test_a_client_that_is_not_there_is_not_removed(store: AdminStore) -> None:
    assert await reap(store, now=NOW + 100 * DAY) is False
    assert await store.events() == []


@pytest.mark.parametrize("grant", ["offline", "of the session", "code"])
async def test_a_client_with_a_live_grant_is_never_removed_and_is_in_use_as_long(store: AdminStore, grant: str) -> None:
    now = NOW + 100 * DAY
    client = replace(REGISTERED, lifetimes=replace(REGISTERED.lifetimes, refresh_token=10**9, refresh_token_idle=None))
    await store.register_client(client, EVENT)
    live = replace(new_grant(offline=grant == "offline"), created_at=NOW, rotated_at=now - 5, used_at=now - 5)
    code = CodeBinding(redirect_uri="https://app.example/callback")
    live = replace(live, created_at=now - 5, generation=0, code=code) if grant == "code" else live
    await store.create_grant(live, EVENT)

    assert await reap(store, now=now, unused_for=1) is False

    assert await used_at(store) == now
    found = await store.grant("grant")
    assert found is not None
    assert found.ended is None


async def test_a_client_whose_grants_are_dead_is_removed(store: AdminStore) -> None:
    await store.register_client(BRIEF, EVENT)
    for number in range(3):
        await store.create_grant(
            replace(new_grant(str(number)), created_at=NOW, rotated_at=NOW, used_at=NOW + number), EVENT
        )

    assert await reap(store, now=NOW + DAY + 1, unused_for=10) is False
    assert await used_at(store) == NOW + DAY + 1
    assert await reap(store, now=NOW + DAY + 11, unused_for=10) is True


@pytest.mark.parametrize("end", ["own", "user", "consent", "client"])
async def test_a_client_whose_grants_have_ended_is_removed(store: AdminStore, end: str) -> None:
    await store.register_client(REGISTERED, EVENT)
    await store.create_grant(replace(new_grant(), created_at=NOW), EVENT)
    keys = {"user": "ada", "consent": consent_key("ada", "spa"), "client": "spa"}
    if end == "own":
        await store.end_grant("grant", ENDED)
    else:
        await store.end_all(Everything(end), keys[end], ENDED)

    assert await reap(store, now=NOW + DAY, unused_for=DAY) is True


@pytest.fixture(params=["sqlite", "postgresql"])
async def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[AdminStore]]:
    """Return two nodes at one database."""
    stores: list[AdminStore]
    if request.param == "sqlite":
        stores = [SQLiteStore(tmp_path / "shared.db") for _ in range(2)]
    else:
        url = emptied(request.getfixturevalue("postgresql"))
        stores = [PostgreSQLStore(url) for _ in range(2)]
    await stores[0].migrate()
    yield stores
    for store in stores:
        await store.close()


async def test_a_grant_that_is_made_at_the_same_moment_keeps_its_client_or_has_ended_with_it(
    nodes: list[AdminStore],
) -> None:
    now = NOW + 100 * DAY
    kept: list[bool] = []
    for number in range(ROUNDS):
        client_id = f"client {number}"
        await nodes[0].register_client(replace(REGISTERED, client_id=client_id), EVENT)
        grant = replace(
            new_grant(f"grant {number}"),
            client_id=client_id,
            created_at=now,
            rotated_at=now,
            used_at=now,
            client_epoch=0,
        )
        acts = [nodes[0].create_grant(grant, EVENT), reap(nodes[1], now=now, client_id=client_id)]
        await asyncio.gather(*(acts if number % 2 else reversed(acts)))
        client, found = await nodes[0].client(client_id), await nodes[0].grant(f"grant {number}")
        assert found is not None
        kept.append(client is not None)

        assert (found.ended is None) == (client is not None)
    assert any(kept)


async def test_a_removal_waits_for_a_grant_that_is_being_stored_and_leaves_its_client(
    postgresql: PostgreSQLServer,
) -> None:
    url, now = emptied(postgresql), NOW + 100 * DAY
    making, reaping = PostgreSQLStore(url), PostgreSQLStore(url)
    await making.migrate()
    await making.register_client(REGISTERED, EVENT)
    stored, go_on = asyncio.Event(), asyncio.Event()
    grant = replace(new_grant(), created_at=now, rotated_at=now, used_at=now)

    async def slowly(transaction: Transaction) -> None:
        await create_grant(transaction, grant, EVENT)
        stored.set()
        await go_on.wait()

    storing = asyncio.create_task(making.database.write(slowly))
    await stored.wait()
    removing = asyncio.create_task(reap(reaping, now=now))
    while not await _waits_for_a_lock(making):
        pass
    go_on.set()

    await storing
    assert await removing is False
    assert await used_at(making) == now
    await making.close()
    await reaping.close()


async def _waits_for_a_lock(store: PostgreSQLStore) -> bool:
    statement = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    ((waiting,),) = await store.database.read(lambda transaction: transaction.run(statement))
    return bool(waiting)
