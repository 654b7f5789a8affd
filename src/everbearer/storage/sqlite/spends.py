"""Refreshes that wait together, spent by one run of one statement: each costs less than it would alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from everbearer.oauth.models import Grant
from everbearer.oauth.store import Spend
from everbearer.storage.sql import grants
from everbearer.storage.sql.rows import changing_columns
from everbearer.storage.sql.transaction import Transaction, Value

SPEND_EACH = grants.SPEND.replace("RETURNING grant_id", "")
"""Spends one and returns no row: how many it spent is counted for all together."""


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


def columns(spend: SpendVerb) -> dict[str, Value]:
    """Return the parameters of `SPEND_EACH`."""
    return {**changing_columns(spend.grant), "expected": spend.expected}
