"""One connection to PostgreSQL by psycopg, for one task at a time, and what its errors mean."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from os import dup
from typing import Any, TypeAlias, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from everbearer.oauth.errors import StoreUnavailable
from everbearer.storage.postgresql.line import Line
from everbearer.storage.sql.transaction import Row, Value, Verb, numbered

T = TypeVar("T")

CONNECT_TIMEOUT = 2
"""Seconds for each host of the URL, unless it says otherwise."""

# A node that stops in the middle must not keep rows locked, nor a statement run on for one that is gone.
_SESSION = b"""
SELECT set_config('idle_in_transaction_session_timeout', '10s', false),
    set_config('client_connection_check_interval', '1s', false)
"""

_Connected: TypeAlias = psycopg.AsyncConnection[Row]


Query: TypeAlias = tuple[bytes, Sequence[str | None]]
"""A statement with its values."""


class ConnectionLost(StoreUnavailable):
    """The database cannot be reached, or not written through this connection. What was under way may have happened."""


class Collision(StoreUnavailable):
    """Others did something at the same moment, and this transaction was rolled back: it may be tried again."""

    attempts = 50
    """How often it is tried. Each collision means that somebody else got on."""


class Taken(Collision):
    """Another row has what may be there once. The next try sees that row, if the verb looks for it at all."""

    attempts = 5


class Refused(StoreUnavailable):
    """The database is well and does not take this statement with these values; it was rolled back."""


_COLLISIONS = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "0A000",  # a prepared plan does not fit a table any more
        "26000",  # a prepared statement is gone
    }
)
_STALE = frozenset({"0A000", "26000"})
_TAKEN = "23505"  # unique_violation
_READ_ONLY = "25006"
_LOST = ("08", "57P")
_REFUSED = ("22", "23")


def checked_url(url: str) -> str:
    """Return what libpq connects by. Of several hosts the one that takes writes is looked for.

    Raises:
        ValueError: it is not a URL of PostgreSQL. The message holds nothing of it, for it may hold a password.

    """
    try:
        members = conninfo_to_dict(url)
    except psycopg.Error:
        raise ValueError("is not a URL that PostgreSQL's libraries understand") from None
    defaults: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT, "application_name": "everbearer"}
    if "," in str(members.get("host") or members.get("hostaddr") or ""):
        defaults["target_session_attrs"] = "read-write"
    return make_conninfo("", **(defaults | members))


class PostgreSQLConnection:
    """An open connection. Verbs run on it as on a transaction; see `everbearer.storage.sql.transaction.Transaction`."""

    def __init__(self, connected: _Connected) -> None:
        self._connected = connected
        self._line = Line(connected)
        self._news = select.poll()
        self._news.register(connected.fileno(), select.POLLIN)
        self._read_only = False
        self._stale = False

    @classmethod
    async def open(cls, conninfo: str, *, timeout: float) -> PostgreSQLConnection:  # noqa: ASYNC109 - hosts share it
        """Connect.

        Raises:
            ConnectionLost: no host of the URL answers in time, or takes writes if that is asked for.

        """
        try:
            async with asyncio.timeout(timeout):
                connected: _Connected = await psycopg.AsyncConnection.connect(
                    conninfo, autocommit=True, prepare_threshold=None
                )
        except TimeoutError:
            raise ConnectionLost("PostgreSQL does not answer in time") from None
        except (psycopg.Error, OSError) as error:
            raise ConnectionLost(f"PostgreSQL cannot be reached: {_first_line(error)}") from None
        opened = cls(connected)
        timer = asyncio.get_running_loop().call_later(timeout, opened.break_off)
        try:
            await opened._settle_in()
        except BaseException:
            await opened.close()
            raise
        finally:
            timer.cancel()
        return opened

    @property
    def in_order(self) -> bool:
        """Whether it may be kept for the next caller: open, in no transaction, with nothing left to be read."""
        return self._line.idle and not self._read_only and not self._stale

    @property
    def usable(self) -> bool:
        """Whether a caller may have it now that was kept."""
        # What comes unasked is the news that the server is going away.
        return self.in_order and not self._news.poll(0)

    async def run(self, statement: str, /, **parameters: Value) -> list[Row]:
        """See `Transaction`."""
        query, names = _query(statement)
        return await self.execute(query, [_text(parameters[name]) for name in names])

    async def execute(self, query: bytes, texts: Sequence[str | None] = ()) -> list[Row]:
        """Run a statement with `$n` placeholders. Values go as texts, of the types that the statement gives them."""
        (rows,) = await self.execute_all([(query, texts)])
        return rows

    async def execute_all(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Run statements on one trip, as `execute` does one, and return the rows of each."""
        asked = [(query, [_encoded(text) for text in texts]) for query, texts in queries]
        try:
            return await self._line.rows(asked)
        except psycopg.Error as error:
            # Its text may hold values of rows, so none of it is passed on.
            raise self._meaning(error) from None

    @property
    def direct(self) -> bool:
        """Whether nobody stands between: what is set for the session lasts."""
        return self._line.prepares

    async def news(self) -> None:
        """Wait until the server tells of something that was listened to."""
        try:
            await self._line.news()
        except psycopg.Error as error:
            raise self._meaning(error) from None

    async def transaction(self, verb: Verb[T]) -> T:
        """Run a verb in a transaction of its own, in which each statement sees what is committed."""
        await self._control(b"BEGIN ISOLATION LEVEL READ COMMITTED")
        try:
            result = await verb(self)
            await self._control(b"COMMIT")
        except BaseException:
            if not self._connected.closed:
                with suppress(StoreUnavailable):
                    await self._control(b"ROLLBACK")
            raise
        return result

    def break_off(self) -> None:
        """Let the statement that is under way fail as one of a dead server."""
        if not self._connected.closed:
            with suppress(OSError), socket.socket(fileno=dup(self._connected.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)

    async def close(self) -> None:
        """Close the connection, whatever its state."""
        with suppress(psycopg.Error, OSError):
            await self._connected.close()

    async def _settle_in(self) -> None:
        ((process,),) = await self.execute(b"SELECT pg_backend_pid()")
        # Otherwise a pooler stands between, and may give each transaction another server: nothing of a session lasts,
        # neither settings nor prepared statements.
        if process == self._connected.info.backend_pid:
            await self.execute(_SESSION)
            self._line.prepares = True

    async def _control(self, command: bytes) -> None:
        try:
            done = await self._line.command(command)
        except psycopg.Error as error:
            raise self._meaning(error) from None
        # The COMMIT of a transaction that had failed says ROLLBACK and raises nothing.
        if command == b"COMMIT" and done != b"COMMIT":
            raise Refused("PostgreSQL rolled the transaction back")

    def _meaning(self, error: psycopg.Error) -> StoreUnavailable:
        state = error.sqlstate or ""
        message = f"PostgreSQL cannot answer: {type(error).__name__} {state}".rstrip()
        self._stale = self._stale or state in _STALE
        if state == _TAKEN:
            return Taken(message)
        if state in _COLLISIONS:
            return Collision(message)
        if self._connected.closed or state.startswith(_LOST):
            self._stale = True
            return ConnectionLost(message)
        if state == _READ_ONLY:
            self._read_only = True
            return ConnectionLost(f"{message}: the database is read-only")
        if state.startswith(_REFUSED) or isinstance(error, psycopg.DataError):
            return Refused(message)
        return StoreUnavailable(message)


@cache
def _query(statement: str) -> tuple[bytes, tuple[str, ...]]:
    text, names = numbered(statement)
    return text.encode(), names


def _text(value: Value) -> str | None:
    # One kind of parameter for all, so that a statement is prepared once and not for each size of integer.
    return str(value) if isinstance(value, int) else value


def _encoded(text: str | None) -> bytes | None:
    if not storable(text):
        raise Refused("PostgreSQL cannot store what is not text")
    return None if text is None else text.encode()


def storable(text: str | None) -> bool:
    """Return whether PostgreSQL can store a text: one without NUL that UTF-8 can write."""
    if text is None or (text.isascii() and "\0" not in text):
        return True
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def array_of(values: Sequence[Value]) -> str:
    """Return values as the text of an array. psycopg would write it out too, at three times the cost."""
    return "{" + ",".join([_element(value) for value in values]) + "}"


def _element(value: Value) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "NULL" if value is None else str(value)


def arrays_of(rows: Sequence[Mapping[str, Value]], columns: Sequence[str]) -> list[str]:
    """Return one array for each column of some rows."""
    return [array_of([row[column] for row in rows]) for column in columns]


Work: TypeAlias = Callable[[PostgreSQLConnection], Awaitable[T]]
"""What is done on one connection."""
