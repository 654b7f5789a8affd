"""`everbearer copy`: everything from one database to another, all of it or nothing."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from everbearer.oauth.models import Ended, EndReason, Everything
from everbearer.storage.copying import CannotCopy, Table, copy_everything, tables
from everbearer.storage.postgresql import PostgreSQLStore
from everbearer.storage.postgresql.copying import _Tables, copy_to_postgresql
from everbearer.storage.sql.store import SqlStore
from everbearer.storage.sql.transaction import Row, Transaction, Value
from everbearer.storage.sqlite import SQLiteStore
from everbearer.storage.sqlite.copying import copy_to_sqlite
from postgresql_server import PostgreSQLServer, emptied
from storage.values import CLIENT, DEVICE, ENDED, EVENT, GRANT, KEY, NOW, SESSION, TOKEN, USER, new_grant
from world import ADA, new_world

ADMIN = "admin:root"


@pytest.fixture
def url(postgresql: PostgreSQLServer) -> str:
    return emptied(postgresql, "copied")


@pytest.fixture
async def on_sqlite(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "first.db")
    await store.migrate()
    yield store
    await store.close()


@pytest.fixture
async def on_postgresql(url: str) -> AsyncIterator[PostgreSQLStore]:
    store = PostgreSQLStore(url)
    yield store
    await store.close()


async def fill(store: SqlStore) -> None:
    """Put something awkward into every table."""
    await store.put_client(replace(CLIENT, client_name='"{},\\ NULL\n'), EVENT)
    for login in ("a", "B", "ä", "_", "", "zz Ü"):
        await store.create_user(replace(USER, subject=login, login=login, disabled_at=None), EVENT)
    await store.create_session(SESSION, EVENT)
    await store.create_grant(GRANT, EVENT)
    await store.create_grant(replace(GRANT, grant_id="", code=None, claims=None, history=()), EVENT)
    await store.end_grant("", ENDED)
    await store.create_device_authorization(DEVICE)
    for key in ("ada", "", "ada"):
        await store.end_all(Everything.USER, key, ENDED)
    await store.note_client("ü", "", subject="", at=-1)
    await store.give_consent("ada", "spa", ("openid",), EVENT)
    await store.add_key(KEY, EVENT, newest=None)
    await store.keep_sealed_value("salt", b"\x00sealed", was=None)
    await store.remember("jti", "x", until=NOW)
    await store.create_initial_access_token(TOKEN, EVENT)
    await store.create_initial_access_token(
        replace(TOKEN, token_id="", token_hash="", uses_left=None, scope=None), EVENT
    )
    await store.count_attempt("bucket", now=NOW, window=60)


async def content(store: SqlStore) -> dict[str, list[tuple[object, ...]]]:
    found: dict[str, list[tuple[object, ...]]] = {}
    for table in tables():
        statement = table.page(first=True)
        found[table.name] = await all_rows(store, statement)
    return found


async def all_rows(store: SqlStore, statement: str) -> list[Row]:
    return [tuple(row) for row in await store.database.read(lambda tx: tx.run(statement, page=10**6))]


async def test_everything_goes_there_and_back_unchanged(
    on_sqlite: SQLiteStore, on_postgresql: PostgreSQLStore, tmp_path: Path
) -> None:
    await fill(on_sqlite)
    there = await copy_to_postgresql(on_sqlite, on_postgresql)
    back = await copy_to_sqlite(on_postgresql, tmp_path / "second.db")
    second = SQLiteStore(tmp_path / "second.db")
    before = await content(on_sqlite)

    assert await content(on_postgresql) == before
    assert await content(second) == before
    assert there == back == {name: len(rows) for name, rows in before.items()}
    assert min(there.values()) > 0
    await second.close()
    assert [name for name in os.listdir(tmp_path) if "copying" in name] == []  # noqa: PTH208 - no blocking path


async def test_more_rows_than_are_read_at_a_time_are_copied(
    on_sqlite: SQLiteStore, on_postgresql: PostgreSQLStore
) -> None:
    await asyncio.gather(*[on_sqlite.create_grant(new_grant(str(number)), EVENT) for number in range(2500)])
    copied = await copy_to_postgresql(on_sqlite, on_postgresql)

    assert (copied["grants"], copied["events"]) == (2500, 2500)
    assert await content(on_postgresql) == await content(on_sqlite)


async def test_a_token_of_before_is_refreshed_after_and_what_had_ended_has(
    on_sqlite: SQLiteStore, on_postgresql: PostgreSQLStore
) -> None:
    world = await new_world(on_sqlite)
    first, token, ended = [await world.refresh_token() for _ in range(3)]
    successor = (await world.refresh(first)).refresh_token
    await world.revoke(ended)
    await copy_to_postgresql(on_sqlite, on_postgresql)
    moved = replace(world, store=on_postgresql, server=replace(world.server, store=on_postgresql))

    assert (await moved.refresh(token)).status == 200
    assert (await moved.refresh(first)).refresh_token == successor
    assert (await moved.refresh(ended)).error == "invalid_grant"
    assert await moved.end_reason(ended) == EndReason.REVOKED_BY_CLIENT
    await on_postgresql.end_all(Everything.USER, ADA, Ended(reason=EndReason.USER_DISABLED, actor=ADMIN, at=NOW))
    assert (await moved.refresh(successor)).error == "invalid_grant"


async def test_a_database_with_anything_in_it_is_refused(
    on_sqlite: SQLiteStore, on_postgresql: PostgreSQLStore, tmp_path: Path
) -> None:
    await fill(on_sqlite)
    await on_postgresql.migrate()
    await on_postgresql.remember("jti", "y", until=NOW)
    with pytest.raises(CannotCopy, match="not empty: there are rows in remembered"):
        await copy_to_postgresql(on_sqlite, on_postgresql)
    (tmp_path / "there.db").touch()
    with pytest.raises(CannotCopy, match="is there already"):
        await copy_to_sqlite(on_postgresql, tmp_path / "there.db")

    assert await on_postgresql.clients() == []


async def test_a_source_that_is_not_up_to_date_is_refused(tmp_path: Path) -> None:
    source = SQLiteStore(tmp_path / "empty.db")
    with pytest.raises(CannotCopy, match=r"0001_first_tables, .* has not run"):
        await copy_to_sqlite(source, tmp_path / "copy.db")

    assert not (tmp_path / "copy.db").exists()
    await source.close()


class Meddled:
    """A target at whose first rows something happens."""

    def __init__(self, transaction: Transaction, happening: Callable[[], Awaitable[object]]) -> None:
        self._target = _Tables(transaction)
        self._happenings = [happening]

    async def run(self, statement: str, /, **parameters: Value) -> list[Row]:
        return await self._target.run(statement, **parameters)

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        await self._target.add(table, rows)
        while self._happenings:
            await self._happenings.pop()()


async def test_a_source_that_changes_meanwhile_gives_no_copy(
    on_sqlite: SQLiteStore, on_postgresql: PostgreSQLStore
) -> None:
    await fill(on_sqlite)
    await on_postgresql.migrate()

    async def change() -> None:
        await on_sqlite.count_attempt("bucket", now=NOW, window=60)

    with pytest.raises(CannotCopy, match="attempts: the copy differs"):
        await on_postgresql.upkeep.write(lambda tx: copy_everything(on_sqlite, Meddled(tx, change)))
    assert await on_postgresql.clients() == []


async def test_an_interrupted_copy_leaves_nothing_and_may_be_tried_again(
    on_sqlite: SQLiteStore, on_postgresql: PostgreSQLStore
) -> None:
    await fill(on_sqlite)
    await on_postgresql.migrate()

    async def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await on_postgresql.upkeep.write(lambda tx: copy_everything(on_sqlite, Meddled(tx, interrupt)))
    assert await on_postgresql.clients() == []
    await copy_to_postgresql(on_sqlite, on_postgresql)

    assert await content(on_postgresql) == await content(on_sqlite)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "everbearer", "copy", *map(str, arguments), "--json"]


@pytest.mark.parametrize("to", ["postgresql", "sqlite"])
def test_the_command_may_be_killed_and_tried_again(url: str, tmp_path: Path, to: str) -> None:
    source, target, unfinished = tmp_path / "first.db", tmp_path / "copy.db", tmp_path / "copy.db.copying"
    asyncio.run(_many_grants(source))
    with subprocess.Popen(command(source, target), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own command
        while process.poll() is None and not unfinished.exists():
            time.sleep(0.001)
        process.kill()
    assert unfinished.exists()
    assert not target.exists()
    done = subprocess.run(command(source, url if to == "postgresql" else target), capture_output=True, check=True)  # noqa: S603 - our own command

    assert json.loads(done.stdout)["grants"] == 500
    assert target.exists() == (not unfinished.exists()) == (to == "sqlite")


async def _many_grants(path: Path) -> None:
    store = SQLiteStore(path)
    await store.migrate()
    await asyncio.gather(*[store.create_grant(new_grant(str(number)), EVENT) for number in range(500)])
    await store.close()


def test_the_command_tells_what_is_wrong_and_no_password(tmp_path: Path) -> None:
    source = tmp_path / "some.db"
    asyncio.run(_many_grants(source))
    environ = {**os.environ, "PGCONNECT_TIMEOUT": "2"}
    for arguments, told in [
        ((tmp_path / "missing.db", "x.db"), "there is no such file"),
        ((source, "postgresql://me:secret@127.0.0.1:9/db"), "a database is not available"),
        ((source, "postgresql://me:secret@[::1/db"), "is not a URL"),
    ]:
        done = subprocess.run(command(*arguments), capture_output=True, text=True, check=False, env=environ)  # noqa: S603 - our own command
        assert done.returncode in {1, 2}
        assert told in done.stderr
        assert "secret" not in done.stderr
