"""The store on PostgreSQL, which any number of nodes may share.

Reads are one statement each, writes one transaction each, on a few connections that none holds while it does anything
else. Refreshes that wait together are spent together (`everbearer.storage.postgresql.spends`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import TypeVar

from everbearer.login.models import SessionLifetimes, User
from everbearer.oauth.arguments import check_arguments
from everbearer.oauth.client import Client, Lifetimes
from everbearer.oauth.events import Event
from everbearer.oauth.models import Grant
from everbearer.oauth.store import Spend
from everbearer.storage.postgresql.connection import (
    Collision,
    ConnectionLost,
    Work,
    checked_url,
)
from everbearer.storage.postgresql.hearing import hearing_of_keys, tell_of_keys
from everbearer.storage.postgresql.lookups import CLIENTS, GRANTS, USERS, LookUps
from everbearer.storage.postgresql.pool import Pool
from everbearer.storage.postgresql.purge import remove_together
from everbearer.storage.postgresql.spends import Spends, telling
from everbearer.storage.sql import keys, migrations
from everbearer.storage.sql.purge import WINDOW, Purge
from everbearer.storage.sql.store import SqlStore
from everbearer.storage.sql.transaction import Row, Transaction, Value, Verb, Written, tell_nobody
from everbearer.storage.store import StoredKey

T = TypeVar("T")

CONNECTIONS = 8
"""How many connections a process holds open at most."""
PATIENCE = 5.0
"""Seconds that a verb may take, waiting for a connection included, before it gives up."""
UPKEEP_PATIENCE = 3600.0
"""The same for what changes or goes through whole tables: migrations and the purge."""
LONGEST_PAUSE = 0.05
"""Seconds between two tries of a transaction that collided with others."""

# One lock for all nodes; the number is ours alone by being unlikely.
MIGRATION_LOCK = "SELECT pg_advisory_xact_lock(7310033281105298)"

CLOCK = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"


class PostgreSQLStore(SqlStore):
    """The store for an event loop."""

    def __init__(
        self,
        url: str,
        *,
        connections: int = CONNECTIONS,
        patience: float = PATIENCE,
        session_lifetimes: SessionLifetimes | None = None,
        client_lifetimes: Lifetimes | None = None,
        written: Written = tell_nobody,
    ) -> None:
        check_arguments(
            PostgreSQLStore.__init__,
            url=url,
            connections=connections,
            patience=patience,
            session_lifetimes=session_lifetimes,
            client_lifetimes=client_lifetimes,
            written=written,
        )
        if connections < 1:
            raise ValueError(f"connections is {connections}: it must be at least 1")
        self._conninfo = checked_url(url)
        self._pool = pool = Pool(self._conninfo, size=connections)
        database = PostgreSQL(pool, patience, written)
        super().__init__(database, session_lifetimes=session_lifetimes, client_lifetimes=client_lifetimes)
        self.upkeep = PostgreSQL(pool, UPKEEP_PATIENCE)
        self._purge = Purge(
            self.upkeep,
            session_lifetimes or SessionLifetimes(),
            rest=self.rest,
            remove=remove_together,
            # Nobody waits for what removes rows that nobody uses: each commit less is a flush less.
            together=WINDOW,
            client_lifetimes=client_lifetimes,
        )
        self._look_ups = LookUps(database)
        self._spends = Spends(database, written, others_back=self._look_ups.back)

    async def grant(self, grant_id: str) -> Grant | None:  # type: ignore[override] # the same as below
        """Look up together with all others that wait."""
        return await self._look_ups.ask(GRANTS, grant_id)

    async def client(self, client_id: str) -> Client | None:  # type: ignore[override] # the same as below
        """Look up together with all others that wait."""
        return await self._look_ups.ask(CLIENTS, client_id)

    async def user(self, subject: str) -> User | None:  # type: ignore[override] # the same
        """Look up together with all others that wait."""
        return await self._look_ups.ask(USERS, subject)

    async def spend(  # type: ignore[override] # what an `async def` returns has two names
        self, grant: Grant, *, expected: int
    ) -> Spend:
        """Spend together with all others that wait."""
        return await self._spends.spend(grant, expected=expected)

    async def add_key(  # type: ignore[override] # the same
        self, key: StoredKey, event: Event, *, newest: str | None
    ) -> bool:
        """Store a key and tell all nodes."""
        return await self._change_keys(lambda transaction: keys.add_key(transaction, key, event, newest=newest))

    async def retire_key(self, kid: str, retired_at: int, event: Event) -> bool:  # type: ignore[override] # the same
        """Retire a key and tell all nodes."""
        return await self._change_keys(lambda transaction: keys.retire_key(transaction, kid, retired_at, event))

    async def _change_keys(self, verb: Verb[bool]) -> bool:
        async def change(transaction: Transaction) -> bool:
            changed = await verb(transaction)
            if changed:
                await tell_of_keys(transaction)
            return changed

        return await self.database.write(change)

    def hearing_of_keys(self, heard: Callable[[], None]) -> AbstractAsyncContextManager[None]:
        """Hear it from all nodes."""
        return hearing_of_keys(self._conninfo, heard)

    def connections(self) -> Mapping[str, int]:
        """Return how many are in use and idle, and how much work waits for one."""
        return self._pool.states

    async def clock(self) -> float:
        """Return the server's time: nodes may be on many machines."""
        ((milliseconds,),) = await self.database.read(lambda transaction: transaction.run(CLOCK))
        return float(milliseconds) / 1000

    async def migrate(self) -> list[str]:
        """Apply what is pending, one node at a time."""
        applied: list[str] = []
        while name := await self.upkeep.write(_apply_next):
            applied.append(name)
        return applied

    async def pending_migrations(self) -> list[str]:  # type: ignore[override] # the same
        """Return the names of those not applied."""
        return await self.upkeep.write(_pending)


class PostgreSQL:
    """Runs each transaction on a connection of the pool; see `everbearer.storage.sql.transaction.Database`."""

    def __init__(self, pool: Pool, patience: float, written: Written = tell_nobody) -> None:
        self._pool = pool
        self.patience = patience
        self._written = written

    async def look_up(self, verb: Verb[T]) -> T:
        """See `Database`."""
        return await self.read(verb)

    async def read(self, verb: Verb[T]) -> T:
        """See `Database`. What was read through a connection that broke is read again through another."""
        end = self._end()
        try:
            return await self.on_connection(verb, end=end)
        except ConnectionLost:
            return await self.on_connection(verb, end=end)

    async def write(self, verb: Verb[T]) -> T:
        """See `Database`. A write whose connection broke may have happened, so it is not done again."""
        with telling(self._written, 1):
            return await self.on_connection(lambda connection: connection.transaction(verb))

    async def on_connection(self, work: Work[T], *, end: float | None = None) -> T:
        """Do some work on one connection; again, where others collided with it."""
        loop = asyncio.get_running_loop()
        end = self._end() if end is None else end
        for attempt in count(1):
            try:
                return await self._pool.lend(work, end=end)
            except Collision as collision:
                pause = min(LONGEST_PAUSE, 0.001 * attempt)
                if attempt == collision.attempts or loop.time() + pause >= end:
                    raise
            await asyncio.sleep(pause)
        raise AssertionError("the loop ends by returning or raising")

    def _end(self) -> float:
        return asyncio.get_running_loop().time() + self.patience

    async def close(self) -> None:
        """See `Database`."""
        await self._pool.close()


class _Definition:
    """A transaction that defines tables: their texts are compared and ordered by bytes, as SQLite's are.

    The order of languages is slower, differs from server to server, and breaks indexes when the system's library
    changes it.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def run(self, statement: str, /, **parameters: Value) -> list[Row]:
        if statement.startswith(("CREATE TABLE", "ALTER TABLE")):
            statement = re.sub(r"\bTEXT\b", 'TEXT COLLATE "C"', statement)
        return await self._transaction.run(statement, **parameters)


async def _apply_next(transaction: Transaction) -> str | None:
    await transaction.run(MIGRATION_LOCK)
    return await migrations.apply_next(_Definition(transaction), postgresql=True)


async def _pending(transaction: Transaction) -> list[str]:
    await transaction.run(MIGRATION_LOCK)
    return await migrations.pending_migrations(_Definition(transaction))
