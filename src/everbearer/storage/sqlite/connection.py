"""One connection to an SQLite file, without a thread of its own: verbs run where they are called."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import apsw

from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.store import Spend
from everbearer.storage.file_lock import FileLock
from everbearer.storage.sql.transaction import Row, Transaction, Value, Verb
from everbearer.storage.sqlite.spends import SPEND_EACH, SpendVerb, columns, of_different_grants

T = TypeVar("T")

_Connection: TypeAlias = Any
"""An `apsw.Connection`, whose own types name some that Python 3.11 does not have."""

PATIENCE = 5.0
"""Seconds that a write waits for other processes before it gives up."""

CHECKPOINT_PAGES = 1000
LARGEST_LOG_KEPT = 64 * 1024 * 1024


class DatabaseLocked(StoreUnavailable):
    """Other processes kept the database for longer than this one could wait."""


class SQLiteConnection:
    """One connection, for one thread at a time."""

    def __init__(self, path: Path, *, patience: float = PATIENCE, tidies: bool = True) -> None:
        """Open the file. Unless it `tidies`, somebody else must move its log when that is long."""
        self._log_pages = 0
        self.flushed_in = 0.0
        """Seconds that the last commit took to reach the disk."""
        with _errors():
            self._lock = FileLock(path.with_name(path.name + ".lock"))
            try:
                self._connection = self._open(path)
            except BaseException:
                self._lock.close()
                raise
        self._statements = _Statements(self._connection)
        self._connection.set_busy_timeout(int(patience * 1000))
        if not tidies:
            self._connection.set_wal_hook(self._note_log)

    @property
    def log_is_long(self) -> bool:
        """Whether the write-ahead log should be moved into the file."""
        return self._log_pages >= CHECKPOINT_PAGES

    def _note_log(self, connection: _Connection, database: str, pages: int) -> int:  # noqa: ARG002 - a hook of SQLite
        self._log_pages = pages
        return 0

    def move_log(self) -> None:
        """Move the write-ahead log into the file: most of it beside others who write, the rest while they wait."""
        with _errors():
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        # Only a log that was moved to its end is begun anew; under steady writing it would grow for ever.
        with self.locked(), _errors():
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def read(self, verb: Verb[T]) -> T:
        """Run a verb that reads in one statement.

        Raises:
            DatabaseLocked: the database could not be read for `patience` seconds, which is rare.
            StoreUnavailable: it cannot be read.

        """
        # Not by the context manager below: every request passes here.
        try:
            return _finish(verb(self._statements))
        except (apsw.Error, OSError) as error:
            raise _trouble(error) from error

    def rows(self, statement: str, parameters: Mapping[str, Value]) -> list[Row]:
        """Return the rows of one statement that reads. It raises what `read` does."""
        try:
            rows: list[Row] = self._connection.execute(statement, parameters).fetchall()
        except apsw.Error as error:
            raise _trouble(error) from error
        return rows

    def try_lock(self) -> bool:
        """Keep other processes waiting until `unlock`, unless one of them is writing now."""
        with _errors():
            return self._lock.acquire_at_once()

    def unlock(self) -> None:
        """Let other processes write."""
        self._lock.release()

    @contextmanager
    def locked(self) -> Generator[None]:
        """Wait for other processes, however long that takes, and keep them waiting until the block is left."""
        with _errors():
            self._lock.wait()
        try:
            yield
        finally:
            self._lock.release()

    def write(self, verbs: Sequence[Verb[Any]], *, patience: float = PATIENCE) -> list[Any]:
        """Run verbs in one transaction, each isolated, and return what each gave: its result or its exception.

        Raises:
            DatabaseLocked: other processes kept writing for `patience` seconds.
            StoreUnavailable: the database cannot be written. None of the verbs has an effect.

        """
        # Waiting for the lock is a queue in the kernel; SQLite alone would poll.
        end = time.monotonic() + patience
        self._acquire(patience)
        try:
            return self.write_locked(verbs, patience=end - time.monotonic())
        finally:
            self._lock.release()

    def write_locked(self, verbs: Sequence[Verb[Any]], *, patience: float) -> list[Any]:
        """Write as `write` does, while the lock is held already."""
        # Whoever writes without the lock, such as the sqlite3 shell, is waited for by SQLite itself.
        self._connection.set_busy_timeout(max(0, int(patience * 1000)))
        with _errors(), self._transaction():
            spent = self._spent_together(verbs)
            return [Spend.SPENT if verb in spent else self._isolated(verb) for verb in verbs]

    def close(self) -> None:
        """Close the connection and the lock."""
        self._connection.close()
        self._lock.close()

    def _open(self, path: Path) -> _Connection:
        # SQLite gives its side files the mode of the database.
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection: _Connection = apsw.Connection(str(path))
        connection.set_busy_timeout(int(PATIENCE * 1000))
        if connection.pragma("journal_mode") != "wal":
            self._begin_log(connection)
        # An answer sent is an answer kept: the log is flushed to the disk at each commit, on macOS truly so.
        connection.pragma("synchronous", "FULL")
        connection.pragma("fullfsync", "ON")
        connection.pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        connection.pragma("journal_size_limit", LARGEST_LOG_KEPT)
        # Otherwise a statement with joins is planned anew whenever its parameters change: ten times a look-up's cost.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        return connection

    def _begin_log(self, connection: _Connection) -> None:
        self._acquire(PATIENCE)
        try:
            connection.pragma("journal_mode", "WAL")
        finally:
            self._lock.release()

    def _acquire(self, patience: float) -> None:
        if not self._lock.acquire(patience):
            raise DatabaseLocked("another process keeps the database locked")

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            began = time.perf_counter()
            self._connection.execute("COMMIT")
            self.flushed_in = time.perf_counter() - began
        finally:
            if self._connection.in_transaction:
                with suppress(apsw.Error):
                    self._connection.execute("ROLLBACK")

    def _spent_together(self, verbs: Sequence[Verb[Any]]) -> Collection[Verb[Any]]:
        """Return those that were spent together; none where one of them cannot be, and each must be asked singly."""
        spends = of_different_grants(verbs)
        if len(spends) < 2:  # noqa: PLR2004 - one alone is no faster so
            return ()
        all_spent = self._isolated(partial(self._spend_all, spends))
        return set(spends) if all_spent is None else ()

    async def _spend_all(self, spends: Sequence[SpendVerb], _: Transaction) -> None:
        before = self._connection.total_changes()
        self._connection.executemany(SPEND_EACH, map(columns, spends))
        if self._connection.total_changes() - before != len(spends):
            raise _NotAll

    def _isolated(self, verb: Verb[T]) -> T | Exception:
        self._connection.execute("SAVEPOINT verb")
        try:
            with _errors():
                outcome: T | Exception = _finish(verb(self._statements))
        except Exception as error:
            if not self._connection.in_transaction:
                raise  # SQLite has given the whole transaction up, so no verb of it may claim success.
            self._connection.execute("ROLLBACK TO verb")
            outcome = error
        self._connection.execute("RELEASE verb")
        return outcome


class _NotAll(Exception):
    """One of several spends changed nothing."""


class _Statements:
    """What verbs run on; see `everbearer.storage.sql.transaction.Transaction`."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    async def run(self, statement: str, /, **parameters: Value) -> list[Row]:
        rows: list[Row] = self._connection.execute(statement, parameters).fetchall()
        return rows


def _finish(verb: Awaitable[T]) -> T:
    """Finish a coroutine that never suspends, without an event loop."""
    steps = verb.__await__()
    try:
        next(steps)
    except StopIteration as finished:
        result: T = finished.value
        return result
    raise RuntimeError("a verb awaits its statements alone, and those of SQLite never suspend")


@contextmanager
def _errors() -> Generator[None]:
    try:
        yield
    except (apsw.Error, OSError) as error:
        raise _trouble(error) from error


def _trouble(error: Exception) -> StoreUnavailable:
    kind = DatabaseLocked if isinstance(error, apsw.BusyError) else StoreUnavailable
    if isinstance(error, FileNotFoundError):
        return kind("SQLite cannot answer: the folder of the database does not exist; make it, or name another")
    return kind(f"SQLite cannot answer: {type(error).__name__}: {error}")
