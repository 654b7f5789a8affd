"""A pooler between: Debian's pgbouncer in transaction mode, which gives each transaction whatever server is free."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from everbearer.oauth.models import Ended, EndReason
from everbearer.oauth.store import Spend
from everbearer.storage.postgresql import PostgreSQLStore
from postgresql_server import USER, PostgreSQLServer, as_ordinary_user, emptied, temporary_folder
from server_process import free_port
from storage.values import CLIENT, EVENT, KEY, NOW, new_grant, rotated
from storage.values import USER as ADA

SETTINGS = """
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 3
max_client_conn = 100
"""


@pytest.fixture(scope="module")
def pooled(postgresql: PostgreSQLServer) -> Iterator[str]:
    """Give the URL of the emptied database through a pooler with three connections for everybody."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if not program:
        pytest.fail("pgbouncer is not installed; on Debian: apt-get install pgbouncer")
    url, port = emptied(postgresql), free_port()
    with temporary_folder() as folder:
        Path(folder, "users").write_text(f'"{USER}" ""\n')
        Path(folder, "pgbouncer.ini").write_text(SETTINGS.format(server=postgresql.port, port=port, folder=folder))
        command = as_ordinary_user(program, folder / "pgbouncer.ini")
        with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log, stdout=log) as pooler:  # noqa: S603
            _wait_for(port)
            yield url.replace(f":{postgresql.port}/", f":{port}/")
            pooler.terminate()


def _wait_for(port: int) -> None:
    for _ in range(1200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("pgbouncer did not start")


@pytest.fixture
async def nodes(pooled: str, postgresql: PostgreSQLServer) -> AsyncIterator[list[PostgreSQLStore]]:
    emptied(postgresql)
    nodes = [PostgreSQLStore(pooled) for _ in range(4)]
    await nodes[0].migrate()
    yield nodes
    for node in nodes:
        await node.close()


async def test_every_kind_of_verb_runs_through_it_from_many_connections_at_once(nodes: list[PostgreSQLStore]) -> None:
    grants = [new_grant(f"grant {number}") for number in range(60)]

    async def one(number: int, node: PostgreSQLStore) -> Spend:
        await node.create_grant(grants[number], EVENT)
        await node.put_client(replace(CLIENT, client_id=f"client {number}"), EVENT)
        await node.create_user(replace(ADA, subject=str(number), login=str(number)), EVENT)
        await node.give_consent("ada", "spa", (str(number),), EVENT)
        assert await node.grant(grants[number].grant_id) is not None
        return await node.spend(rotated(grants[number]), expected=2)

    outcomes = await asyncio.gather(*[one(number, nodes[number % 4]) for number in range(60)])

    assert outcomes == [Spend.SPENT] * 60
    assert len(await nodes[0].clients()) == 60
    assert len((await nodes[0].consent("ada", "spa")).scope) == 60


async def test_a_generation_is_spent_once_through_it(nodes: list[PostgreSQLStore]) -> None:
    grant = new_grant()
    await nodes[0].create_grant(grant, EVENT)
    for generation in range(2, 6):
        after = replace(grant, generation=generation + 1)
        outcomes = await asyncio.gather(*[node.spend(after, expected=generation) for node in nodes for _ in range(20)])
        assert Counter(outcomes) == {Spend.SPENT: 1, Spend.SUPERSEDED: 79}

    await nodes[1].end_grant("grant", Ended(reason=EndReason.REUSED, actor="server", at=NOW))
    assert await nodes[2].spend(replace(grant, generation=7), expected=6) is Spend.ENDED


async def test_statements_are_prepared_where_nobody_stands_between_and_only_there(
    nodes: list[PostgreSQLStore], postgresql: PostgreSQLServer
) -> None:
    direct = PostgreSQLStore(postgresql.url("emptied"), connections=2)
    count = "SELECT count(*) FROM pg_prepared_statements WHERE statement NOT LIKE '%pg_prepared%'"
    for store in (direct, nodes[0]):
        for number in range(20):
            await store.grant(str(number))
    ((prepared,),) = await direct.database.read(lambda tx: tx.run(count))
    ((pooled,),) = await nodes[0].database.read(lambda tx: tx.run(count))
    await direct.close()

    assert prepared >= 1
    assert pooled == 0


async def test_a_pooler_passes_no_news_on_which_is_told_once(
    nodes: list[PostgreSQLStore], caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []
    with caplog.at_level("INFO", "everbearer"):
        async with nodes[0].hearing_of_keys(lambda: heard.append(1)), asyncio.timeout(60):
            while not caplog.records:  # noqa: ASYNC110 - the pooler and the log bring it about
                await asyncio.sleep(0.01)
            await nodes[1].add_key(KEY, EVENT, newest=None)

    assert [record.message.partition(",")[0] for record in caplog.records] == [
        "between here and PostgreSQL is a pooler"
    ]
    assert heard == []
