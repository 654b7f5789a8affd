"""Refreshes that wait together, spent by one statement: each costs a fraction of what it would alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from everbearer.oauth.models import Grant
from everbearer.oauth.store import Spend
from everbearer.storage.sql import grants
from everbearer.storage.sql.rows import changing_columns
from everbearer.storage.sql.transaction import Transaction, Value, numbered

LARGEST_STATEMENT = 32
"""How many are spent by one statement: each number of them is a statement of its own, planned once."""

COLUMNS = numbered(grants.SPEND)[1]


@dataclass(slots=True, kw_only=True, eq=False)
class SpendVerb:
    """One that waits. It runs as any other verb does; see `everbearer.storage.sql.transaction.Verb`."""

    grant: Grant
    expected: int

    async def __call__(self, transaction: Transaction) -> Spend:
        """Spend alone, and find out why if it cannot be."""
        return await grants.spend(transaction, self.grant, expected=self.expected)


def of_different_grants(verbs: Iterable[object]) -> list[SpendVerb]:
    """Return the spends among some verbs, of each grant the first: of two, one decides what becomes of the other."""
    found: dict[str, SpendVerb] = {}
    for verb in verbs:
        if isinstance(verb, SpendVerb):
            found.setdefault(verb.grant.grant_id, verb)
    return list(found.values())


def statements(spends: Sequence[SpendVerb]) -> Iterator[tuple[str, list[Value], int]]:
    """Return statements that spend all of them: text, values, and the number of rows it changes if it spends them."""
    for at in range(0, len(spends), LARGEST_STATEMENT):
        chunk = spends[at : at + LARGEST_STATEMENT]
        values: list[Value] = []
        for each in chunk:
            columns = changing_columns(each.grant)
            columns["expected"] = each.expected
            values += map(columns.__getitem__, COLUMNS)
        yield spend_together(len(chunk)), values, len(chunk)


@cache
def spend_together(count: int) -> str:
    """Return the statement that spends a number of them, made from the one that spends one. It returns no rows."""
    row = f"({', '.join('?' * len(COLUMNS))})"
    update = grants.SPEND.replace("WHERE grant_id =", "FROM given\nWHERE grants.grant_id =")
    update = update.replace("AND generation =", "AND grants.generation =").replace("RETURNING grant_id", "")
    update = re.sub(r":([a-z_]+)", r"given.\1", update)
    return f"WITH given ({', '.join(COLUMNS)}) AS (VALUES {', '.join([row] * count)})\n{update}"
