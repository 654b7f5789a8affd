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
from psycopg.pq import ConnStatus, ExecStatus, PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from everbearer.storage.sql.transaction import Row

MOST_PREPARED = 500

Asked: TypeAlias = tuple[bytes, Sequence[bytes | None]]
"""A statement with its values."""

_Told: TypeAlias = "asyncio.Future[list[PGresult]]"

_DONE = frozenset({ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK, ExecStatus.EMPTY_QUERY, ExecStatus.PIPELINE_SYNC})


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
        libpq = self._libpq
        return libpq.transaction_status == TransactionStatus.IDLE and libpq.pipeline_status == PipelineStatus.OFF

    async def rows(self, asked: Sequence[Asked]) -> list[list[Row]]:
        """Return the rows that each of some statements with `$n` placeholders answers. Values go and come as texts."""
        if self.prepares:
            for query, _ in asked:
                await self._prepare(query)
        if len(asked) == 1:
            self._send(*asked[0])
            answers = [(await self._answer())[-1]]
        else:
            answers = await self._answers(asked)
        return [self._read_rows(answer) for answer in answers]

    async def command(self, command: bytes) -> bytes | None:
        """Run a statement without values, which is not worth preparing, and return the name of what was done."""
        self._libpq.send_query_params(command, None)
        return (await self._answer())[-1].command_status

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

    async def _prepare(self, query: bytes) -> None:
        if query not in self._prepared and len(self._prepared) < MOST_PREPARED:
            name = b"e%d" % len(self._prepared)
            self._libpq.send_prepare(name, query)
            await self._answer()
            self._prepared[query] = name

    def _send(self, query: bytes, values: Sequence[bytes | None]) -> None:
        name = self._prepared.get(query)
        if name is None:
            self._libpq.send_query_params(query, values)
        else:
            self._libpq.send_query_prepared(name, values)

    async def _answers(self, asked: Sequence[Asked]) -> list[PGresult]:
        """Send statements on one trip and return what each answers. They share a transaction."""
        self._libpq.enter_pipeline_mode()
        for query, values in asked:
            self._send(query, values)
        self._libpq.pipeline_sync()
        answers = (await self._answer())[:-1]
        self._libpq.exit_pipeline_mode()
        return answers

    def _read_rows(self, answer: PGresult) -> list[Row]:
        if not answer.nfields:
            return []
        self._rows.set_pgresult(answer)
        return self._rows.load_rows(0, answer.ntuples, tuple)

    async def _answer(self) -> list[PGresult]:
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
                if result is not None:
                    results.append(result)
                # In a pipeline there is nothing after the answer of each statement, and more to come.
                if _is_last(result) or (result is None and self._nothing_follows):
                    _tell(told, results)
                    return
        except psycopg.Error as error:
            if not told.done():
                told.set_exception(error)

    @property
    def _nothing_follows(self) -> bool:
        return self._libpq.pipeline_status == PipelineStatus.OFF or self._libpq.status != ConnStatus.OK

    def _write(self, told: _Told) -> None:
        try:
            if not self._libpq.flush():
                asyncio.get_running_loop().remove_writer(self._libpq.socket)
        except psycopg.Error as error:
            if not told.done():
                told.set_exception(error)


def _is_last(result: PGresult | None) -> bool:
    return result is not None and result.status == ExecStatus.PIPELINE_SYNC


def _tell(told: _Told, results: Sequence[PGresult]) -> None:
    if told.done():
        return
    failed = next((result for result in results if result.status not in _DONE), None)
    if not results:
        told.set_exception(psycopg.OperationalError("the connection is lost"))
    elif failed is not None:
        told.set_exception(psycopg.errors.error_from_result(failed))
    else:
        told.set_result(list(results))
