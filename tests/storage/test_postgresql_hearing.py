"""What one node does to signing keys is heard by all at once; by those who were cut off, when they are back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from everbearer.storage.postgresql import PostgreSQLStore
from postgresql_server import PostgreSQLServer, emptied
from storage.values import EVENT, KEY, NOW

SOON = 30
"""Seconds after which nothing will be heard any more: a store looks for nothing itself."""
LISTENING = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"


@pytest.fixture
async def nodes(postgresql: PostgreSQLServer) -> AsyncIterator[list[PostgreSQLStore]]:
    url = emptied(postgresql)
    nodes = [PostgreSQLStore(url) for _ in range(3)]
    await nodes[0].migrate()
    yield nodes
    for node in nodes:
        await node.close()


@asynccontextmanager
async def listening(nodes: list[PostgreSQLStore]) -> AsyncGenerator[list[asyncio.Event]]:
    """Give what is set when each node hears something, after all have begun to listen."""
    heard = [asyncio.Event() for _ in nodes]
    async with AsyncExitStack() as stack:
        for node, event in zip(nodes, heard, strict=True):
            await stack.enter_async_context(node.hearing_of_keys(event.set))
        await all_hear(heard)
        yield heard


async def all_hear(heard: list[asyncio.Event]) -> bool:
    async with asyncio.timeout(SOON):
        for event in heard:
            await event.wait()
            event.clear()
    return True


async def test_every_node_hears_of_a_new_key_and_of_a_retired_one(nodes: list[PostgreSQLStore]) -> None:
    async with listening(nodes) as heard:
        await nodes[1].add_key(KEY, EVENT, newest=None)
        assert await all_hear(heard)

        await nodes[2].retire_key(KEY.kid, NOW, EVENT)
        assert await all_hear(heard)


async def test_what_was_refused_is_told_to_nobody(nodes: list[PostgreSQLStore]) -> None:
    async with listening(nodes) as heard:
        assert await nodes[0].add_key(KEY, EVENT, newest="another") is False
        assert await nodes[0].retire_key("another", NOW, EVENT) is False
        # What is told is heard in the order in which it was told.
        await nodes[0].add_key(KEY, EVENT, newest=None)
        await all_hear(heard)
        await asyncio.sleep(0)

        assert not any(event.is_set() for event in heard)


async def test_whoever_was_cut_off_may_have_missed_something_and_hears_again(
    nodes: list[PostgreSQLStore], postgresql: PostgreSQLServer
) -> None:
    async with listening(nodes) as heard:
        cut_off = await asyncio.to_thread(postgresql.execute, LISTENING)
        assert await all_hear(heard)

        await nodes[0].add_key(replace(KEY, kid="later"), EVENT, newest=None)
        assert await all_hear(heard)
    assert len(cut_off) >= len(nodes)
