"""A copy of a whole database in a new SQLite file, which is there when it is complete and not before."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from everbearer.storage.copying import CannotCopy, Table, copy_everything
from everbearer.storage.sql.store import SqlStore
from everbearer.storage.sql.transaction import Row, Transaction, Value
from everbearer.storage.sqlite import SQLiteStore

_SIDE_FILES = ("", "-wal", "-shm", "-journal", ".lock")


async def copy_to_sqlite(source: SqlStore, path: Path) -> dict[str, int]:
    """Copy everything to a file that is not there yet; return how many rows there are in each table.

    Raises:
        CannotCopy: the file is there, the source is not up to date, or it changed meanwhile.

    """
    store = SQLiteStore(unfinished := _begin(path))
    try:
        await store.migrate()
        copied = await copy_everything(source, _File(store))
        await store.close()
        _put_in_place(unfinished, path)
    finally:
        await store.close()
        _remove(unfinished)
    return copied


class _File:
    """Many transactions, for nobody sees the file before the last."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = store

    async def run(self, statement: str, /, **parameters: Value) -> list[Row]:
        return await self._store.database.read(lambda transaction: transaction.run(statement, **parameters))

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        statement = table.insertion()

        async def add(transaction: Transaction) -> None:
            for row in rows:
                await transaction.run(statement, **dict(zip(table.columns, row, strict=True)))

        await self._store.database.write(add)


def _begin(path: Path) -> Path:
    if path.exists():
        raise CannotCopy(f"{path}: is there already; name a file that is not")
    unfinished = path.with_name(path.name + ".copying")
    _remove(unfinished)  # What an interrupted copy left behind.
    return unfinished


def _put_in_place(unfinished: Path, path: Path) -> None:
    if unfinished.with_name(unfinished.name + "-wal").exists():
        raise CannotCopy(f"{unfinished}: somebody else has it open")
    # Unlike a rename, a link never replaces a file that came to be meanwhile.
    os.link(unfinished, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove(path: Path) -> None:
    for suffix in _SIDE_FILES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
