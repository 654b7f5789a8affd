"""The port for Prometheus: one for all processes of a server.

Each process that answers requests tells its snapshot to whoever connects to its socket, in a folder that only the
server's own account can enter. A thread of the parent process asks them all when it is asked itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer
from tempfile import TemporaryDirectory
from threading import Thread
from typing import cast

from everbearer.server.observing.exposition import CONTENT_TYPE, merge, text_of, without_gauges
from everbearer.server.observing.metrics import Metrics, Snapshot

PATH = "/metrics"
PATIENCE = 1.0
"""Seconds that a process has to tell its snapshot; after that its last one counts."""
SLOWEST_SCRAPER = 5
"""Seconds after which a connection that says nothing is closed."""
_UNFINISHED = "."


@asynccontextmanager
async def telling(metrics: Metrics, folder: Path) -> AsyncGenerator[None]:
    """Tell this process's snapshot at a socket in the folder while the context is open."""

    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whoever asked may be gone.
        with suppress(ConnectionError):
            writer.write(json.dumps(metrics.snapshot()).encode())
            await writer.drain()
            writer.close()

    path = folder / f"{os.getpid()}-{secrets.token_hex(4)}"
    unfinished = path.with_name(_UNFINISHED + path.name)
    server = await asyncio.start_unix_server(tell, unfinished)
    # Only now, for one that does not listen yet would be taken for one that is dead.
    unfinished.rename(path)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


class Collector:
    """Asks all processes for their snapshots, and remembers what those that are gone have counted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: dict[Path, Snapshot] = {}
        self._gone: Snapshot = {}

    def collect(self) -> Snapshot:
        """Return what all processes together have counted.

        It never goes down. What a process counted between the last call and its end is missing.
        """
        present = {path for path in self._folder.iterdir() if not path.name.startswith(_UNFINISHED)}
        for path in present:
            try:
                self._last[path] = _ask(path)
            except TimeoutError:
                continue  # It is busy; what it told last is still true.
            except (OSError, ValueError):
                # It was killed: nobody listens there any more.
                path.unlink(missing_ok=True)
                present = present - {path}
        for path in set(self._last) - present:
            self._gone = merge([self._gone, without_gauges(self._last.pop(path))])
        return merge([self._gone, *self._last.values()])


def _ask(path: Path) -> Snapshot:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(PATIENCE)
        asking.connect(str(path))
        told = b"".join(iter(lambda: asking.recv(65536), b""))
    snapshot: Snapshot = json.loads(told)
    return snapshot


@contextmanager
def metrics_port(host: str, port: int) -> Generator[Path]:
    """Answer Prometheus at an address while the context is open; yields the folder for the sockets of processes.

    Raises:
        OSError: the address cannot be had.

    """
    with TemporaryDirectory(prefix="everbearer-") as name:
        collector = Collector(Path(name))
        server = _Server(host, port, lambda: text_of(collector.collect()))
        thread = Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
        thread.start()
        try:
            yield Path(name)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(TCPServer):
    allow_reuse_address = True

    def __init__(self, host: str, port: int, read: Callable[[], str]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.read = read
        super().__init__((host, port), _Answer)


class _Answer(BaseHTTPRequestHandler):
    server_version = "everbearer"
    sys_version = ""
    timeout = SLOWEST_SCRAPER

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = cast("_Server", self.server).read().encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Say nothing: Prometheus asks every few seconds."""
