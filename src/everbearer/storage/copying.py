"""Copies everything from one database to another, whichever each of them is, and compares them row by row."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Any, Protocol, TypeAlias

import apsw

from everbearer.storage.sql.migrations import migrations
from everbearer.storage.sql.store import SqlStore
from everbearer.storage.sql.transaction import Row, Transaction, Value

_Connection: TypeAlias = Any
"""An `apsw.Connection`, whose own types name some that Python 3.11 does not have."""

PAGE = 1000
"""How many rows are read and written at a time."""


class CannotCopy(Exception):
    """The copy was not made, or is not the same; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of the schema: its columns with their types, and where those of its primary key stand."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    key: tuple[int, ...]

    def page(self, *, first: bool) -> str:
        """Return the statement that reads rows in the order of keys, which is that of bytes: from the first, or on."""
        key = ", ".join(self.columns[at] for at in self.key)
        after = ", ".join(f":{name}" for name in self.after(()))
        where = "" if first else f"WHERE ({key}) > ({after}) "
        return f"SELECT {', '.join(self.columns)} FROM {self.name} {where}ORDER BY {key} LIMIT :page"  # noqa: S608 - names of the schema

    def after(self, row: Row) -> dict[str, Value]:
        """Return the parameters that tell after which row to go on."""
        return {f"after_{self.columns[at]}": row[at] if row else None for at in self.key}

    def insertion(self) -> str:
        """Return the statement that adds a row."""
        values = ", ".join(f":{column}" for column in self.columns)
        return f"INSERT INTO {self.name} ({', '.join(self.columns)}) VALUES ({values})"  # noqa: S608 - the same


class Target(Protocol):
    """What is copied to."""

    async def run(self, statement: str, /, **parameters: Value) -> list[Row]:
        """Run a statement, as in a transaction."""
        ...

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows to a table."""
        ...


@cache
def tables() -> tuple[Table, ...]:
    """Return all tables, as the migrations make them."""
    connection: _Connection = apsw.Connection(":memory:")
    for text in migrations().values():
        connection.execute(text)
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall()
    return tuple(_described(connection, name) for (name,) in names)


def _described(connection: _Connection, name: str) -> Table:
    columns = connection.execute("SELECT name, type, pk FROM pragma_table_info(?)", (name,)).fetchall()
    key = sorted((position, at) for at, (_, _, position) in enumerate(columns) if position)
    return Table(
        name=name,
        columns=tuple(column for column, _, _ in columns),
        types=tuple(kind for _, kind, _ in columns),
        key=tuple(at for _, at in key),
    )


async def copy_everything(source: SqlStore, target: Target) -> dict[str, int]:
    """Copy all rows to a database whose tables are there and empty; return how many there are in each table.

    Raises:
        CannotCopy: the source is not up to date, the target is not empty, or the two differ in the end.

    """
    if pending := await source.pending_migrations():
        raise CannotCopy(f"the database to copy from is not up to date: {', '.join(pending)} has not run")
    for table in tables():
        if await target.run(table.page(first=True), page=1):
            raise CannotCopy(f"the database to copy to is not empty: there are rows in {table.name}")
    for table in tables():
        async for rows in _pages(_Reading(source), table):
            await target.add(table, rows)
    return {table.name: await _compare(source, target, table) for table in tables()}


class _Reading:
    """A store, read statement by statement."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def run(self, statement: str, /, **parameters: Value) -> list[Row]:
        return await self._store.database.read(lambda transaction: transaction.run(statement, **parameters))


async def _pages(source: Transaction, table: Table) -> AsyncGenerator[list[Row]]:
    rows = await source.run(table.page(first=True), page=PAGE)
    while rows:
        yield rows
        rows = await source.run(table.page(first=False), page=PAGE, **table.after(rows[-1]))


async def _compare(source: SqlStore, target: Target, table: Table) -> int:
    """Return the number of rows, which are the same in both."""
    copied = _pages(target, table)
    number = 0
    async for rows in _pages(_Reading(source), table):
        found = await anext(copied, list[Row]())
        for there, here in zip_longest(rows, found):
            if there is None or here is None or tuple(there) != tuple(here):
                raise CannotCopy(
                    f"{table.name}: the copy differs. Stop every server of either database and begin again"
                )
        number += len(rows)
    if await anext(copied, None):
        raise CannotCopy(f"{table.name}: the copy has more rows. Stop every server of either database and begin again")
    return number
