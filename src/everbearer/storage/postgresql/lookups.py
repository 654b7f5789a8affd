"""Look-ups by key that wait together travel together: what each request reads, for a fraction of what it would cost.

Each is answered by a statement that began after it was asked for, so it never sees less than one by itself would. There
is one statement for all look-ups of a kind, and one trip for those of all kinds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from everbearer.oauth.errors import StoreUnavailable
from everbearer.storage.postgresql.connection import ConnectionLost, Query, Work, array_of, storable
from everbearer.storage.postgresql.tasks import keep_going, until_all_came
from everbearer.storage.sql.clients import CLIENT
from everbearer.storage.sql.grants import GRANT
from everbearer.storage.sql.rows import client_of, grant_of, user_of
from everbearer.storage.sql.transaction import Row, numbered
from everbearer.storage.sql.users import USER

T = TypeVar("T")
Found = TypeVar("Found")

LARGEST_BATCH = 256
LONGEST_COMPANY = 0.02
"""Seconds for which others wait at most to go along with those who come back from a trip."""


def _together(statement: str) -> bytes:
    """Return the statement that looks many up, made from the one that looks up one: its rows, each behind its key.

    The LIMIT lets it be planned as the one is, by primary keys, whatever is known of the tables. The keys come out of a
    subselect, which hides their number: a plan for any number is then as good as one for this, and is made once.
    """
    one, _ = numbered(statement)
    return f"""
SELECT wanted.key, found.* FROM unnest((SELECT $1::text[])) AS wanted (key)
CROSS JOIN LATERAL ({one.replace("$1", "wanted.key").strip()} LIMIT 1) AS found""".encode()  # noqa: S608 - put together from constants


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind(Generic[Found]):
    """What is looked up by a key."""

    statement: bytes
    read: Callable[[Row], Found]


GRANTS = Kind(statement=_together(GRANT), read=grant_of)
CLIENTS = Kind(statement=_together(CLIENT), read=client_of)
USERS = Kind(statement=_together(USER), read=user_of)


class _Database(Protocol):
    patience: float

    async def on_connection(self, work: Work[T], *, end: float | None = None) -> T:
        """Do some work on one connection until a time of the event loop's; again, where others collided with it."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class _Waiting:
    """One that waits."""

    kind: Kind[Any]
    key: str
    since: float
    outcome: asyncio.Future[Any] = field(repr=False)


_All: TypeAlias = "dict[tuple[Kind[Any], str], Any]"


class LookUps:
    """The look-ups of one process. While a trip is under way, those that come wait for the next."""

    def __init__(self, database: _Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._trips: set[asyncio.Task[None]] = set()
        self._back = asyncio.Event()
        self._back.set()

    def ask(self, kind: Kind[Found], key: str) -> asyncio.Future[Found | None]:
        """Ask for what is stored under a key: it is under way from now on.

        Whoever waits for it may see StoreUnavailable: the database cannot answer in time.
        """
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Found | None] = loop.create_future()
        if storable(key):
            self._waiting.append(_Waiting(kind=kind, key=key, since=loop.time(), outcome=outcome))
            keep_going(self._trips, self._travel, at_most=1)
        else:
            outcome.set_result(None)
        return outcome

    async def _travel(self) -> None:
        while self._waiting:
            await until_all_came(lambda: len(self._waiting), enough=LARGEST_BATCH)
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
                        each.outcome.set_result(found.get((each.kind, each.key)))

    async def back(self) -> None:
        """Wait until those are back that are on a trip now, unless something holds them up."""
        if not self._back.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_COMPANY):
                    await self._back.wait()

    async def _find(self, batch: Sequence[_Waiting]) -> _All:
        asked: dict[Kind[Any], dict[str, None]] = {}
        for each in batch:
            asked.setdefault(each.kind, {})[each.key] = None
        queries = [(kind.statement, (array_of(list(keys)),)) for kind, keys in asked.items()]
        # One for each trip: whoever waits for this one does not wait for the next.
        back = self._back = asyncio.Event()
        try:
            return _read(zip(asked, await self._answers(queries, batch[0].since), strict=True))
        finally:
            back.set()

    async def _answers(self, queries: Sequence[Query], since: float) -> list[list[Row]]:
        # No one of them waits for longer than it may, however many batches were before.
        end = since + self._database.patience
        try:
            return await self._database.on_connection(lambda one: one.execute_all(queries), end=end)
        except ConnectionLost:
            return await self._database.on_connection(lambda one: one.execute_all(queries), end=end)


def _read(answers: Iterable[tuple[Kind[Any], Sequence[Row]]]) -> _All:
    return {(kind, row[0]): kind.read(row[1:]) for kind, rows in answers for row in rows}
