"""What a running server does beside answering, while others do the same to its database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TypeVar

from everbearer.oauth.crypto.sealing import Sealer
from everbearer.server.config import KeysSection
from everbearer.server.upkeep.clock import SharedClock
from everbearer.server.upkeep.housekeeping import Housekeeping
from everbearer.server.upkeep.pairwise_salt import PairwiseSalt
from everbearer.server.upkeep.signing_keys import SigningKeys, rotate_keys, tend_keys, withdraw_key
from everbearer.storage.postgresql import PostgreSQLStore
from postgresql_server import PostgreSQLServer, emptied

T = TypeVar("T")

SEALER = Sealer([b"x" * 32])
SETTINGS = KeysSection(algorithms=("ES256",))
SOON = 20
"""Seconds, below those after which a node looks for itself."""


async def at_once(work: Callable[[], T]) -> T:
    return work()


def chores(store: PostgreSQLStore) -> Housekeeping:
    clock = SharedClock(store)
    keys = SigningKeys(store, SEALER, clock)
    salt = PairwiseSalt(store, SEALER)
    return Housekeeping(store=store, sealer=SEALER, keys=keys, salt=salt, clock=clock, settings=SETTINGS, run=at_once)


def published(node: Housekeeping) -> set[str]:
    return {key.kid for key in node.keys().published}


async def until(it_is_so: Callable[[], bool]) -> bool:
    async with asyncio.timeout(SOON):
        while not it_is_so():  # noqa: ASYNC110 - other connections bring it about
            await asyncio.sleep(0.01)
    return True


async def test_what_one_node_does_to_signing_keys_all_others_know_at_once(postgresql: PostgreSQLServer) -> None:
    url = emptied(postgresql)
    stores = [PostgreSQLStore(url) for _ in range(3)]
    await stores[0].migrate()
    nodes = [chores(store) for store in stores]
    now = int(await stores[0].clock())
    (first,) = await tend_keys(stores[0], SEALER, SETTINGS, now=now, run=at_once)
    async with AsyncExitStack() as stack:
        for node in nodes:
            await stack.enter_async_context(node.going_on())
        assert [published(node) for node in nodes] == [{first.kid}] * 3

        (second,) = await rotate_keys(
            stores[0], SEALER, SETTINGS, ["ES256"], at_once=True, now=now, run=at_once, actor="admin:test"
        )
        assert await until(lambda: all(published(node) == {first.kid, second.kid} for node in nodes))

        await withdraw_key(stores[1], SEALER, SETTINGS, first.kid, now=now, run=at_once, actor="admin:test")
        assert await until(lambda: all(published(node) == {second.kid} for node in nodes))
    for store in stores:
        await store.close()
