"""Rows of a purge, removed by one statement: each by itself would cost a trip to the server."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from everbearer.storage.postgresql.connection import arrays_of
from everbearer.storage.sql.transaction import Transaction, Value, numbered

_ONE = re.compile(r"\s*DELETE FROM (\w+) WHERE (.+) RETURNING (\w+)\s*")


async def remove_together(transaction: Transaction, statement: str, rows: Sequence[Mapping[str, Value]]) -> int:
    """Remove rows by one statement, made from that which removes one, and return how many there were."""
    if not rows:
        return 0
    names = numbered(statement)[1]
    arrays = dict(zip(names, arrays_of(rows, names), strict=True))
    return len(await transaction.run(_together(statement, rows[0]), **arrays))


def _together(statement: str, row: Mapping[str, Value]) -> str:
    names = numbered(statement)[1]
    arrays = ", ".join(f":{name}::{'text' if isinstance(row[name], str) else 'bigint'}[]" for name in names)
    found = _ONE.fullmatch(statement)
    assert found is not None, "a purge removes rows of one table by their columns"  # noqa: S101 - its statements are ours
    table, where, returned = found.groups()
    same = re.sub(r":(\w+)", r"dead.its_\1", where)
    columns = ", ".join(f"its_{name}" for name in names)
    return f"DELETE FROM {table} USING unnest({arrays}) AS dead ({columns}) WHERE {same} RETURNING {returned}"  # noqa: S608 - put together from constants
