"""What goes over one connection to PostgreSQL and back, a statement at a time: libpq, driven by the event loop.

psycopg connects, and lends its libpq (`psycopg.pq`) and its loaders of rows. What it puts between for each statement
(generators, timers, descriptions of columns) cost several times what the statement itself does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeAlias

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from everbearer.storage.sql.transaction import Row

MOST_PREPARED = 500

_Told: TypeAlias = "asyncio.Future[PGresult]"

_DONE = frozenset({ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK, ExecStatus.EMPTY_QUERY})


class Line:
    """Sends a statement and waits for what came of it. Errors are psycopg's."""

    def __init__(self, connected: psycopg.AsyncConnection[Row]) -> None:
        self._libpq: PGconn = connected.pgconn
        self._libpq.nonblocking = 1
        self._rows = Transformer(connected)
        self._prepared: dict[bytes, bytes] = {}
        self.prepares = False
        """Whether statements are prepared at their first use: not where each may reach another server process."""

    @property
    def idle(self) -> bool:
        """Whether it is in no transaction, and no answer is still to come."""
        return self._libpq.transaction_status == TransactionStatus.IDLE

    async def rows(self, query: bytes, values: Sequence[bytes | None]) -> list[Row]:
        """Return the rows that a statement with `$n` placeholders answers. Values go and come as texts."""
        result = await self._ask(query, values)
        if not result.nfields:
            return []
        self._rows.set_pgresult(result)
        return self._rows.load_rows(0, result.ntuples, tuple)

    async def command(self, command: bytes) -> bytes | None:
        """Run a statement without values, which is not worth preparing, and return the name of what was done."""
        self._libpq.send_query_params(command, None)
        return (await self._answer()).command_status

    async def news(self) -> None:
        """Wait until the server tells of something that was listened to."""
        loop, libpq = asyncio.get_running_loop(), self._libpq
        while libpq.notifies() is None:
            socket, come = libpq.socket, asyncio.Event()
            loop.add_reader(socket, come.set)
            try:
                await come.wait()
            finally:
                loop.remove_reader(socket)
            libpq.consume_input()

    async def _ask(self, query: bytes, values: Sequence[bytes | None]) -> PGresult:
        name = self._prepared.get(query)
        if name is None and self.prepares and len(self._prepared) < MOST_PREPARED:
            name = b"e%d" % len(self._prepared)
            self._libpq.send_prepare(name, query)
            await self._answer()
            self._prepared[query] = name
        if name is None:
            self._libpq.send_query_params(query, values)
        else:
            self._libpq.send_query_prepared(name, values)
        return await self._answer()

    async def _answer(self) -> PGresult:
        loop, libpq = asyncio.get_running_loop(), self._libpq
        told: _Told = loop.create_future()
        results: list[PGresult] = []
        socket = libpq.socket
        loop.add_reader(socket, self._read, told, results)
        writes = bool(libpq.flush())
        try:
            if writes:
                loop.add_writer(socket, self._write, told)
            return await told
        finally:
            # Before anything closes it: its number may be another's then.
            loop.remove_reader(socket)
            if writes:
                loop.remove_writer(socket)

    def _read(self, told: _Told, results: list[PGresult]) -> None:
        libpq = self._libpq
        try:
            libpq.consume_input()
            while not libpq.is_busy():
                result = libpq.get_result()
                if result is None:
                    _tell(told, results)
                    return
                results.append(result)
        except psycopg.Error as error:
            if not told.done():
                told.set_exception(error)

    def _write(self, told: _Told) -> None:
        try:
            if not self._libpq.flush():
                asyncio.get_running_loop().remove_writer(self._libpq.socket)
        except psycopg.Error as error:
            if not told.done():
                told.set_exception(error)


def _tell(told: _Told, results: Sequence[PGresult]) -> None:
    if told.done():
        return
    failed = next((result for result in results if result.status not in _DONE), None)
    if not results:
        told.set_exception(psycopg.OperationalError("the connection is lost"))
    elif failed is not None:
        told.set_exception(psycopg.errors.error_from_result(failed))
    else:
        told.set_result(results[-1])
