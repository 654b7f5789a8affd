"""Look-ups by key that wait together, by one statement: what each request reads, for a fraction of what it would cost.

Each is answered by a statement that began after it was asked for, so it never sees less than one by itself would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from everbearer.oauth.errors import StoreUnavailable
from everbearer.storage.postgresql_connection import ConnectionLost, Work, array_of, storable
from everbearer.storage.postgresql_tasks import keep_going
from everbearer.storage.sql.clients import CLIENT
from everbearer.storage.sql.grants import GRANT
from everbearer.storage.sql.transaction import Row, numbered

T = TypeVar("T")
Found = TypeVar("Found")

LARGEST_BATCH = 256


def _together(statement: str) -> bytes:
    """Return the statement that looks many up, made from the one that looks up one: its rows, each behind its key.

    The LIMIT lets it be planned as the one is, by primary keys, whatever is known of the tables. The keys come out of a
    subselect, which hides their number: a plan for any number is then as good as one for this, and is made once.
    """
    one, _ = numbered(statement)
    return f"""
SELECT wanted.key, found.* FROM unnest((SELECT $1::text[])) AS wanted (key)
CROSS JOIN LATERAL ({one.replace("$1", "wanted.key").strip()} LIMIT 1) AS found""".encode()  # noqa: S608 - put together from constants


GRANTS_BY_ID = _together(GRANT)
CLIENTS_BY_ID = _together(CLIENT)


class _Database(Protocol):
    patience: float

    async def on_connection(self, work: Work[T], *, end: float | None = None) -> T:
        """Do some work on one connection until a time of the event loop's; again, where others collided with it."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class _Waiting(Generic[Found]):
    """One that waits."""

    key: str
    since: float
    outcome: asyncio.Future[Found | None] = field(repr=False)


class LookUps(Generic[Found]):
    """The look-ups of one kind in one process. While a batch is under way, those that come wait for the next."""

    def __init__(self, database: _Database, statement: bytes, read: Callable[[Row], Found]) -> None:
        self._database = database
        self._statement = statement
        self._read = read
        self._waiting: list[_Waiting[Found]] = []
        self._batches: set[asyncio.Task[None]] = set()

    async def __call__(self, key: str) -> Found | None:
        """Return what is stored under a key.

        Raises:
            StoreUnavailable: the database cannot answer in time.

        """
        if not storable(key):
            return None
        loop = asyncio.get_running_loop()
        waiting: _Waiting[Found] = _Waiting(key=key, since=loop.time(), outcome=loop.create_future())
        self._waiting.append(waiting)
        keep_going(self._batches, self._look_up_together, at_most=1)
        return await waiting.outcome

    async def _look_up_together(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
            try:
                found = await self._find(batch)
            except Exception as error:  # noqa: BLE001 - it is the callers'
                # All that wait would fare the same, one batch after the other.
                waiting, self._waiting = self._waiting, []
                for each in (*batch, *waiting):
                    if not each.outcome.done():
                        each.outcome.set_exception(StoreUnavailable(str(error)))
            else:
                for each in batch:
                    if not each.outcome.done():
                        each.outcome.set_result(found.get(each.key))

    async def _find(self, batch: Sequence[_Waiting[Found]]) -> dict[str, Found]:
        keys = array_of(list({each.key for each in batch}))
        # No one of them waits for longer than it may, however many batches were before.
        end = batch[0].since + self._database.patience
        try:
            rows = await self._database.on_connection(lambda one: one.execute(self._statement, (keys,)), end=end)
        except ConnectionLost:
            rows = await self._database.on_connection(lambda one: one.execute(self._statement, (keys,)), end=end)
        return {row[0]: self._read(row[1:]) for row in rows}
