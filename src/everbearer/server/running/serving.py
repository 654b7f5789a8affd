"""Runs the application on a listening socket, in this process or in several, and stops without losing an answer.

Told to stop, a process says at `/readyz` that it is not ready, asks for each connection to be closed with its next
answer, takes in what waits at its socket, and leaves those who are silent a moment for a request that is on its way.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from pkgutil import resolve_name
from threading import Thread
from types import FrameType
from typing import NoReturn, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from everbearer.http.asgi import Application
from everbearer.server.config import Config
from everbearer.server.observing.logs import configure_logs

APPLICATION = "everbearer.server.app:application"
"""Found by name where it runs: neither other commands nor the parent of several processes have any use for it."""
GRACE = 10
"""Seconds that requests under way have to finish when the server is told to stop."""
LINGER = 0.5
"""Seconds that a silent connection stays open then: its next request may have been sent already."""
FAILED = 1
"""The exit code where the server did not start, or did not stop as it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a process serves."""

    config: Config = field(repr=False)
    development: bool = False
    metrics_folder: Path | None = None


def _nothing() -> None:
    pass


def serve(job: Job, listening: socket.socket, *, announce: Callable[[], None] = _nothing) -> NoReturn:
    """Serve in this process until it is told to stop, then exit; `announce` is called when requests are answered."""
    configure_logs(job.config.logs, quiet=job.development)
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server of HTTP takes these over and, having stopped, raises them again: to end well, not to be killed.
        signal.signal(number, _leave)
    stopping = Stopping()
    server = _Server(_settings(job, stopping), stopping, delay=job.config.server.drain_delay, announce=announce)
    server.run(sockets=[listening])
    sys.exit(0 if server.started else FAILED)


def serve_as_worker(job: Job, listening: socket.socket, leash: Connection) -> NoReturn:
    """Serve as one of several processes; when the one that holds the other end of the leash dies, stop too."""
    Thread(target=_watch, args=(leash,), name="leash", daemon=True).start()
    serve(job, listening)


def _watch(leash: Connection) -> None:
    try:
        leash.recv_bytes()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)


def _leave(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - the shape of a signal handler
    raise SystemExit(0)


class Stopping:
    """Whether the process has been told to stop."""

    def __init__(self) -> None:
        self.begun = False

    def __call__(self) -> bool:
        """Return it."""
        return self.begun


class _Connection(HttpToolsProtocol):
    """A connection that is closed only when nothing is on its way any more."""

    def __init__(self, *, stopping: Stopping, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type] # what uvicorn passes to its own class
        self._stopping = stopping

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self._stopping.begun:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        if self._silent():
            self.loop.call_later(LINGER, self._close_if_silent)
        else:
            self.cycle.keep_alive = False

    def _silent(self) -> bool:
        # None before the first request, against its type.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is None or cycle.response_complete

    def _close_if_silent(self) -> None:
        if self._silent() and not self.transport.is_closing():
            self.transport.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, stopping: Stopping, *, delay: int, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping
        self._delay = delay
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.begun = True
        await asyncio.sleep(self._delay)
        await self._take_in(sockets or [])
        await super().shutdown(sockets)

    async def _take_in(self, sockets: list[socket.socket]) -> None:
        """Close the listening sockets after accepting what has connected to them but was not accepted yet."""
        queues = [each.dup() for each in sockets]
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        made: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        connection = partial(
            made,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        for queue in queues:
            queue.settimeout(0)
            while accepted := _accept(queue):
                await loop.connect_accepted_socket(connection, accepted)
            queue.close()


def _accept(queue: socket.socket) -> socket.socket | None:
    try:
        accepted, _ = queue.accept()
    except OSError:
        return None
    accepted.settimeout(0)
    return accepted


def _settings(job: Job, stopping: Stopping) -> uvicorn.Config:
    server = job.config.server
    application: Callable[..., Application] = resolve_name(APPLICATION)
    app = application(
        job.config,
        os.environ,
        development=job.development,
        metrics_folder=job.metrics_folder,
        stopping=stopping,
    )
    return uvicorn.Config(
        app,
        loop="asyncio" if sys.platform == "win32" else "uvloop",
        http=partial(_Connection, stopping=stopping),  # type: ignore[arg-type] # called as its class would be
        ws="none",
        lifespan="on",
        # Ours has been configured already.
        log_config=None,
        # An access log would hold what users and clients send in queries.
        access_log=False,
        server_header=False,
        proxy_headers=bool(server.trusted_proxies),
        forwarded_allow_ips=list(server.trusted_proxies),
        timeout_graceful_shutdown=GRACE,
    )
