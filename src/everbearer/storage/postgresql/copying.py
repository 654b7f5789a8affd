"""A copy of a whole database on PostgreSQL, made and compared in one transaction: all of it is there, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from everbearer.storage.copying import Table, copy_everything
from everbearer.storage.postgresql import PostgreSQLStore
from everbearer.storage.postgresql.connection import array_of
from everbearer.storage.sql.store import SqlStore
from everbearer.storage.sql.transaction import Row, Transaction, Value


async def copy_to_postgresql(source: SqlStore, store: PostgreSQLStore) -> dict[str, int]:
    """Copy everything to an empty database; return how many rows there are in each table.

    Raises:
        CannotCopy: the database is not empty, the source is not up to date, or it changed meanwhile.

    """
    await store.migrate()
    return await store.upkeep.write(lambda transaction: copy_everything(source, _Tables(transaction)))


class _Tables:
    """The tables, within the transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def run(self, statement: str, /, **parameters: Value) -> list[Row]:
        return await self._transaction.run(statement, **parameters)

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        arrays = ", ".join(f":{name}::{kind}[]" for name, kind in zip(table.columns, table.types, strict=True))
        statement = f"INSERT INTO {table.name} ({', '.join(table.columns)}) SELECT * FROM unnest({arrays})"  # noqa: S608 - names of the schema
        columns = zip(*rows, strict=True)
        await self._transaction.run(
            statement, **{name: array_of(values) for name, values in zip(table.columns, columns, strict=True)}
        )
