"""Logouts are taken by one node each, whichever database the nodes share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from everbearer.oauth.models import Everything
from everbearer.storage.postgresql import PostgreSQLStore
from everbearer.storage.sqlite import SQLiteStore
from everbearer.storage.store import AdminStore
from postgresql_server import emptied
from storage.values import CLIENT, ENDED, EVENT, NOW

NODES = 4
SESSIONS = 40


@pytest.fixture(params=["sqlite", "postgresql"])
async def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[AdminStore]]:
    nodes: list[AdminStore]
    if request.param == "sqlite":
        nodes = [SQLiteStore(tmp_path / "everbearer.db") for _ in range(NODES)]
    else:
        url = emptied(request.getfixturevalue("postgresql"))
        nodes = [PostgreSQLStore(url) for _ in range(NODES)]
    await nodes[0].migrate()
    yield nodes
    for node in nodes:
        await node.close()


async def test_nodes_that_take_at_once_take_each_logout_once(nodes: list[AdminStore]) -> None:
    await nodes[0].put_client(CLIENT, EVENT)
    for number in range(SESSIONS):
        await nodes[0].note_client(f"session {number}", "spa", subject="ada", at=NOW)
    ends = [
        nodes[number % NODES].end_all(Everything.SESSION, f"session {number}", replace(ENDED, at=NOW + number))
        for number in range(SESSIONS)
    ]
    await asyncio.gather(*ends)

    rounds = [node.take_logouts(now=NOW + 100, until=NOW + 200, limit=7) for node in nodes * 4]
    taken = [logout.session_id for found in await asyncio.gather(*rounds) for logout in found]
    while more := await nodes[1].take_logouts(now=NOW + 100, until=NOW + 200, limit=7):
        taken += [logout.session_id for logout in more]

    assert sorted(taken) == sorted(f"session {number}" for number in range(SESSIONS))
