"""Refreshes that wait together, spent by one statement: several times what one by one would give."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, TypeVar

from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.models import Grant
from everbearer.oauth.store import Spend
from everbearer.storage.postgresql.connection import Collision, Refused, Work, arrays_of
from everbearer.storage.postgresql.tasks import keep_going, until_all_came
from everbearer.storage.sql import grants
from everbearer.storage.sql.rows import changing_columns
from everbearer.storage.sql.transaction import Database, Written, numbered

T = TypeVar("T")

LARGEST_BATCH = 256
MOST_SINGLES = 2
"""How many wait for rows that others hold; the rest of the connections is for everybody else."""

_TEXTS = frozenset({"grant_id", "idempotency_key", "code", "history"})
_COLUMNS = numbered(grants.SPEND)[1]


def _spend_together() -> bytes:
    """Return the statement that spends many, made from the one that spends one.

    It first locks the rows that nobody else has locked and leaves the others out: it waits for no row, so two of them
    never wait for each other, and one row that is held up holds up no other. Then it changes them where they lie.

    The ids come out of a subselect, which hides their number: a plan for any number is then as good as one for this,
    and is made once.
    """
    arrays = ", ".join(f"${at}::{'text' if name in _TEXTS else 'bigint'}[]" for at, name in enumerate(_COLUMNS, 1))
    arrays = re.sub(r"^(\S+),", r"(SELECT \1),", arrays)
    update = grants.SPEND.replace(
        "WHERE grant_id =", "FROM given\nWHERE grants.ctid = given.place AND grants.grant_id ="
    )
    update = update.replace("AND generation =", "AND grants.generation =").replace(
        "NING grant_id", "NING given.grant_id"
    )
    update = re.sub(r":([a-z_]+)", r"given.\1", update)
    return f"""
WITH given AS MATERIALIZED (
    SELECT given.*, locked.place FROM unnest({arrays}) AS given ({", ".join(_COLUMNS)})
    CROSS JOIN LATERAL (
        SELECT ctid AS place FROM grants WHERE grants.grant_id = given.grant_id FOR NO KEY UPDATE SKIP LOCKED
    ) AS locked
)
{update}""".encode()  # noqa: S608 - put together from constants


SPEND_TOGETHER = _spend_together()


OthersBack: TypeAlias = Callable[[], Awaitable[None]]
"""Waits until those are back whose look-ups are on a trip now."""


class _Database(Database, Protocol):
    patience: float

    async def on_connection(self, work: Work[T]) -> T:
        """Do some work on one connection; again, where others collided with it."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class _Waiting:
    """One that waits."""

    grant: Grant
    expected: int
    outcome: asyncio.Future[Spend] = field(repr=False)

    def tell(self, outcome: Spend | Exception) -> None:
        if self.outcome.done():
            return  # Whoever asked has gone.
        if isinstance(outcome, Exception):
            self.outcome.set_exception(outcome)
        else:
            self.outcome.set_result(outcome)


class Spends:
    """The spends of one process. While a batch is under way, those that come wait for the next.

    `others_back` waits for those whose look-ups are on a trip, so that they may come along: never for more than one.
    """

    def __init__(self, database: _Database, written: Written, others_back: OthersBack) -> None:
        self._database = database
        self._others_back = others_back
        self._written = written
        self._waiting: list[_Waiting] = []
        self._left_over: list[_Waiting] = []
        self._batches: set[asyncio.Task[None]] = set()
        self._singles: set[asyncio.Task[None]] = set()

    async def spend(self, grant: Grant, *, expected: int) -> Spend:
        """See `everbearer.oauth.store.Store`."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Spend] = loop.create_future()
        waiting = _Waiting(grant=grant, expected=expected, outcome=outcome)
        self._waiting.append(waiting)
        keep_going(self._batches, self._spend_together, at_most=1)
        # Whatever it waits for, and however many are before it.
        timer = loop.call_later(self._database.patience, waiting.tell, StoreUnavailable("PostgreSQL is too slow"))
        try:
            return await outcome
        finally:
            timer.cancel()

    async def _spend_together(self) -> None:
        while batch := await self._next_batch():
            try:
                spent = await self._spend_those_free(batch)
            except (Collision, Refused):
                # Something is wrong with one of them, which must not do harm to the others.
                self._spend_singly(batch)
            except Exception as error:  # noqa: BLE001 - it is the callers'
                # All that wait would fare the same, one batch after the other.
                waiting, self._waiting = self._waiting, []
                for each in (*batch, *waiting):
                    each.tell(StoreUnavailable(str(error)))
            else:
                self._decide([each for each in batch if each.grant.grant_id in spent], Spend.SPENT)
                # The others were late, or somebody else holds their row. Each finds out for itself.
                self._spend_singly([each for each in batch if each.grant.grant_id not in spent])

    async def _spend_those_free(self, batch: Sequence[_Waiting]) -> set[str]:
        columns = [{**changing_columns(each.grant), "expected": each.expected} for each in batch]
        arrays = arrays_of(columns, _COLUMNS)
        with telling(self._written, len(batch)):
            rows = await self._database.on_connection(lambda connection: connection.execute(SPEND_TOGETHER, arrays))
        return {grant_id for (grant_id,) in rows}

    async def _next_batch(self) -> list[_Waiting]:
        """Take those that wait, of each grant one."""
        await until_all_came(self._coming, enough=LARGEST_BATCH)
        if self._waiting:
            # What is being read will be spent at once: it comes along.
            await self._others_back()
            await until_all_came(self._coming, enough=LARGEST_BATCH)
        batch: dict[str, _Waiting] = {}
        others: list[_Waiting] = []
        for each in self._waiting:
            if each.outcome.done():
                continue
            if each.grant.grant_id in batch or len(batch) == LARGEST_BATCH:
                others.append(each)
            else:
                batch[each.grant.grant_id] = each
        self._waiting = others
        return list(batch.values())

    def _coming(self) -> int:
        return len(self._waiting)

    def _spend_singly(self, batch: Sequence[_Waiting]) -> None:
        self._left_over += batch
        for _ in batch:
            keep_going(self._singles, self._spend_left_over, at_most=MOST_SINGLES)

    async def _spend_left_over(self) -> None:
        while self._left_over:
            each = self._left_over.pop(0)
            if each.outcome.done():
                continue
            try:
                self._decide([each], await self._spend_one(each))
            except Exception as error:  # noqa: BLE001 - it is the caller's
                each.tell(error)

    async def _spend_one(self, one: _Waiting) -> Spend:
        return await self._database.write(
            lambda transaction: grants.spend(transaction, one.grant, expected=one.expected)
        )

    def _decide(self, decided: Sequence[_Waiting], outcome: Spend) -> None:
        """Tell some their outcome, and those that wait for what can never be again."""
        gone: set[tuple[str, int]] = set()
        for each in decided:
            each.tell(outcome)
            if outcome is not Spend.SPENT or each.grant.generation != each.expected:
                gone.add((each.grant.grant_id, each.expected))
        hopeless = Spend.SUPERSEDED if outcome is Spend.SPENT else outcome
        for waiting in (self._waiting, self._left_over):
            for each in [other for other in waiting if (other.grant.grant_id, other.expected) in gone]:
                waiting.remove(each)
                each.tell(hopeless)


@contextmanager
def telling(written: Written, verbs: int) -> Generator[None]:
    """Tell how long the block took for so many verbs, or that it failed."""
    began, kept = time.monotonic(), 0
    try:
        yield
        kept = verbs
    finally:
        written(kept, time.monotonic() - began)
