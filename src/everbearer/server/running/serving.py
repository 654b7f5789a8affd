"""Runs the application on a listening socket, in this process or in several, and stops without losing an answer.

Told to stop, a process says at `/readyz` that it is not ready, asks for each connection to be closed with its next
answer, takes in what waits at its socket, and leaves those who are silent a moment for a request that is on its way.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from pkgutil import resolve_name
from threading import Thread
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import uvloop

from everbearer.http.forwarding import client_address_behind
from everbearer.http.http1 import Serving
from everbearer.server.config import Config
from everbearer.server.config.tls import tls_context
from everbearer.server.observing.logs import configure_logs

if TYPE_CHECKING:
    from everbearer.server.app import Assembled

ASSEMBLE = "everbearer.server.app:assemble"
"""Found by name where it runs: other commands have no use for it."""
GRACE = 10
"""Seconds that requests under way have to finish when the server is told to stop."""
HANDSHAKE = 8
"""Seconds that a client has to agree on TLS; less than the server waits for when it stops."""
LINGER = 0.5
"""Seconds that a silent connection stays open then: its next request may have been sent already."""
BACKLOG = 2048
"""How many connections may wait to be accepted."""
PAUSE = 1.0
"""Seconds for which nobody is accepted where there is no room for more connections."""
GARBAGE_AFTER = 10_000
"""How many objects more than were let go of are made before garbage is looked for."""
LOOK_EVERY = 0.05
"""Seconds between two looks at whether all has been answered."""
FAILED = 1
"""The exit code where the server did not start, or did not stop as it should."""


_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

log = logging.getLogger("everbearer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a process serves."""

    config: Config = field(repr=False)
    development: bool = False
    metrics_folder: Path | None = None
    hashing_turn: Path | None = None
    """The file by whose lock processes take turns at hashing passwords."""


def _nothing() -> None:
    pass


def serve(job: Job, listening: socket.socket, *, announce: Callable[[], None] = _nothing) -> NoReturn:
    """Serve in this process until it is told to stop, then exit; `announce` is called when requests are answered."""
    configure_logs(job.config.logs)
    _leave_when_told()
    process = _Process(job, listening, announce)
    # What has been made by now stays; looking through it for garbage again and again costs refreshes a few percent.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)
    sys.exit(uvloop.run(process.serve()))


def load() -> None:
    """Load all that answers requests: what takes longest in a start."""
    resolve_name(ASSEMBLE)


def serve_as_worker(listening: socket.socket, leash: Connection, held: Sequence[Connection]) -> NoReturn:
    """Serve as one of several processes, once the job has come by the leash.

    When the process that holds the other end of the leash dies, or has no job to give, stop too. What is `held` is that
    process's, and not for this one.
    """
    _leave_when_told()
    for other in held:
        other.close()
    load()
    try:
        job: Job = leash.recv()
    except (EOFError, OSError):
        sys.exit(0)
    Thread(target=_watch, args=(leash,), name="leash", daemon=True).start()
    serve(job, listening)


def _leave_when_told() -> None:
    """Leave at once when told to stop: until the event loop listens to that."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)


def _watch(leash: Connection) -> None:
    try:
        leash.recv_bytes()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)


def _leave(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - the shape of a signal handler
    raise SystemExit(0)


class _Process:
    """One process that answers."""

    def __init__(self, job: Job, listening: socket.socket, announce: Callable[[], None]) -> None:
        self._config = job.config
        self._development = job.development
        self._listening = listening
        self._announce = announce
        self._tls = tls_context(job.config.server)
        self._told = asyncio.Event()
        assemble: Callable[..., Assembled] = resolve_name(ASSEMBLE)
        self._whole = assemble(
            job.config,
            os.environ,
            development=job.development,
            metrics_folder=job.metrics_folder,
            stopping=self._told.is_set,
            hashing_turn=job.hashing_turn,
        )
        proxies = job.config.server.trusted_proxies
        self._serving = Serving(
            endpoint=self._whole.endpoint,
            observe=self._whole.observe,
            max_body=self._whole.max_body,
            client_address=client_address_behind(proxies) if proxies else None,
        )

    async def serve(self) -> int:
        """Serve until told to stop, and return the exit code."""
        self._listen_to_signals()
        try:
            async with self._whole.lifespan(), self._looked_after():
                loop = asyncio.get_running_loop()
                self._listening.listen(BACKLOG)
                self._listening.settimeout(0)
                self._listen()
                self._log("answering requests", process=os.getpid())
                self._announce()
                await self._told.wait()
                self._log("told to stop", connections=len(self._serving.connections))
                self._serving.stopping = True
                await asyncio.sleep(self._config.server.drain_delay)
                loop.remove_reader(self._listening)
                # What has connected in the meantime.
                while self._accept():
                    pass
                self._listening.close()
                await self._finish()
        except Exception:
            log.exception("the server could not start, or not stop as it should")
            return FAILED
        return 0

    def _log(self, message: str, **fields: object) -> None:
        # In development mode the banner says it all.
        log.log(logging.DEBUG if self._development else logging.INFO, message, extra={"fields": fields})

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told.set)

    @asynccontextmanager
    async def _looked_after(self) -> AsyncGenerator[None]:
        async def look_after() -> None:
            loop = asyncio.get_running_loop()
            while True:
                await asyncio.sleep(1)
                self._serving.look_after(loop.time())

        task = asyncio.create_task(look_after())
        try:
            yield
        finally:
            task.cancel()

    def _accept(self) -> bool:
        """Accept one connection, and no more in one turn of the loop: all processes at the socket get their share."""
        try:
            accepted, _ = self._listening.accept()
        except OSError as error:
            # Otherwise another process was first, or whoever called has gone.
            if error.errno in _EXHAUSTED:
                self._pause_accepting()
            return False
        accepted.settimeout(0)
        loop = asyncio.get_running_loop()
        task = loop.create_task(_connect(loop, self._serving, accepted, self._tls))
        self._serving.tasks.add(task)
        task.add_done_callback(self._serving.tasks.discard)
        return True

    def _pause_accepting(self) -> None:
        """Let those that wait go on waiting for a moment: asked at once again, the socket would keep the loop busy."""
        log.warning("no more connections can be accepted now: the limit of open files is reached")
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listening)
        loop.call_later(PAUSE, self._listen)

    def _listen(self) -> None:
        if not self._serving.stopping:
            asyncio.get_running_loop().add_reader(self._listening, self._accept)

    async def _finish(self) -> None:
        """Wait until all is answered and every connection closed, but not for ever."""
        loop, connections = asyncio.get_running_loop(), self._serving.connections
        begun = loop.time()
        while connections or self._serving.tasks:
            waited = loop.time() - begun
            if waited >= GRACE:
                log.error("not all requests could be answered in time")
                break
            for connection in [each for each in connections if each.silent and waited >= LINGER]:
                connection.close()
            await asyncio.sleep(LOOK_EVERY)


async def _connect(
    loop: asyncio.AbstractEventLoop, serving: Serving, accepted: socket.socket, tls: ssl.SSLContext | None
) -> None:
    try:
        await loop.connect_accepted_socket(
            serving.connection, accepted, ssl=tls, ssl_handshake_timeout=HANDSHAKE if tls else None
        )
    except OSError:
        accepted.close()
