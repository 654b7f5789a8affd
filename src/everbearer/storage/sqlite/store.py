"""The store on one SQLite file, which any number of processes of one machine may share."""

from __future__ import annotations

import os
import time
from pathlib import Path
from threading import local
from typing import TypeVar

from everbearer.login.models import SessionLifetimes
from everbearer.oauth.arguments import check_arguments
from everbearer.oauth.client import Client, Lifetimes
from everbearer.oauth.models import Grant
from everbearer.oauth.store import Spend
from everbearer.storage.sql.clients import CLIENT
from everbearer.storage.sql.grants import GRANT
from everbearer.storage.sql.rows import client_of, grant_of
from everbearer.storage.sql.store import SqlStore
from everbearer.storage.sql.transaction import Verb, Written, tell_nobody
from everbearer.storage.sqlite.connection import PATIENCE, SQLiteConnection
from everbearer.storage.sqlite.loop import SQLiteOnLoop
from everbearer.storage.sqlite.spends import SpendVerb

T = TypeVar("T")


class SQLiteStore(SqlStore):
    """The store for an event loop."""

    def __init__(
        self,
        path: str | Path,
        *,
        patience: float = PATIENCE,
        session_lifetimes: SessionLifetimes | None = None,
        client_lifetimes: Lifetimes | None = None,
        written: Written = tell_nobody,
    ) -> None:
        check_arguments(
            SQLiteStore.__init__,
            path=path,
            patience=patience,
            session_lifetimes=session_lifetimes,
            client_lifetimes=client_lifetimes,
            written=written,
        )
        self._on_loop = SQLiteOnLoop(Path(path), patience, written)
        super().__init__(self._on_loop, session_lifetimes=session_lifetimes, client_lifetimes=client_lifetimes)

    # Every refresh passes through these three.

    async def client(self, client_id: str) -> Client | None:  # type: ignore[override] # what an `async def` returns
        """Look a client up."""
        return await self._on_loop.find(CLIENT, {"client_id": client_id}, client_of)

    async def grant(self, grant_id: str) -> Grant | None:  # type: ignore[override] # what an `async def` returns
        """Look a grant up."""
        return await self._on_loop.find(GRANT, {"grant_id": grant_id}, grant_of)

    async def spend(  # type: ignore[override] # what an `async def` returns has two names
        self, grant: Grant, *, expected: int
    ) -> Spend:
        """Spend by one statement with all others that wait."""
        return await self.database.write(SpendVerb(grant=grant, expected=expected))


class BlockingSQLiteStore(SqlStore):
    """The store for callers that may block: its verbs never suspend, so `send(None)` finishes them."""

    def __init__(
        self,
        path: str | Path,
        *,
        patience: float = PATIENCE,
        session_lifetimes: SessionLifetimes | None = None,
        client_lifetimes: Lifetimes | None = None,
    ) -> None:
        check_arguments(
            BlockingSQLiteStore.__init__,
            path=path,
            patience=patience,
            session_lifetimes=session_lifetimes,
            client_lifetimes=client_lifetimes,
        )
        database = BlockingSQLite(Path(path), patience)
        super().__init__(database, session_lifetimes=session_lifetimes, client_lifetimes=client_lifetimes)

    async def rest(self, seconds: float) -> None:
        """Let others have the database to themselves."""
        time.sleep(seconds)  # noqa: ASYNC251 - it is for callers that may block


class BlockingSQLite:
    """Runs each transaction at once in the calling thread, on a connection of that thread."""

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._local = local()
        self._opened: list[SQLiteConnection] = []

    async def look_up(self, verb: Verb[T]) -> T:
        """See `Database`."""
        return self._connection().read(verb)

    async def read(self, verb: Verb[T]) -> T:
        """See `Database`."""
        return self._connection().read(verb)

    async def write(self, verb: Verb[T]) -> T:
        """See `Database`."""
        (outcome,) = self._connection().write([verb], patience=self._patience)
        if isinstance(outcome, Exception):
            raise outcome
        result: T = outcome
        return result

    async def close(self) -> None:
        """Close the connections of all threads."""
        while self._opened:
            self._opened.pop().close()
        self._local = local()

    def _connection(self) -> SQLiteConnection:
        found: SQLiteConnection | None = getattr(self._local, "connection", None)
        # A connection must not be used after a fork; `_opened` keeps it from being closed by the child.
        if found is None or self._local.process != os.getpid():
            found = SQLiteConnection(self._path)
            self._local.connection, self._local.process = found, os.getpid()
            self._opened.append(found)
        return found
