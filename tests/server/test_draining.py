"""Stopping: a server under load that is told to stop answers every request that reached it, and exits with 0."""

from __future__ import annotations

import asyncio
import base64
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from everbearer.server.running.serving import GRACE
from server_process import ServerProcess, running_server

SECRET = "Zr8-q1ZbT0vXn4kPq7Lw2aYc5eHd9sJuM3fGk8RtQ6w"
ENOUGH = 60
CLIENTS = 24
BEFORE = 5 * CLIENTS
"""How many requests are answered before the server is told to stop."""

SETTINGS = f"""
workers = {{workers}}
drain_delay = {{drain_delay}}
[[clients]]
client_id = "m"
type = "machine"
client_secret = "{SECRET}"
"""
_BASIC = base64.b64encode(f"m:{SECRET}".encode()).decode()
_BODY = b"grant_type=client_credentials"
REQUEST = (
    f"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {_BASIC}\r\n"
    f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(_BODY)}\r\n\r\n"
).encode() + _BODY
READY = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Load:
    """Many clients, each with one request after the other, on connections that it keeps for as long as it may."""

    port: int
    request: bytes = REQUEST
    stay: int = 10**9
    """After how many requests a client opens a new connection."""
    outcomes: Counter[str] = field(default_factory=Counter[str])
    after: Counter[str] = field(default_factory=Counter[str])
    """What came after the server was told to stop."""
    stopping: bool = False

    async def client(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except ConnectionError:
                return  # It listens no more.
            with suppress(ConnectionError):
                await self._converse(reader, writer)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(self.stay):
            writer.write(self.request)
            status, closes = await self._answer(reader)
            self.outcomes[status] += 1
            if self.stopping:
                self.after[status] += 1
            if closes or status == "lost":
                return

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[str, bool]:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
            await reader.readexactly(int(lines[b"content-length"]))
        except (asyncio.IncompleteReadError, ConnectionError):
            return "lost", True
        return head.split(b" ")[1].decode(), lines.get(b"connection") == b"close"


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ServerProcess]:
    workers, drain_delay = request.param
    with running_server(tmp_path, SETTINGS.format(workers=workers, drain_delay=drain_delay)) as running:
        yield running


async def stopped_under(load: Load, server: ServerProcess) -> int:
    """Tell the server to stop under load, and return its exit code."""
    clients = [asyncio.create_task(load.client()) for _ in range(CLIENTS)]
    async with asyncio.timeout(ENOUGH):
        while load.outcomes.total() < BEFORE:  # noqa: ASYNC110 - the server answers
            await asyncio.sleep(0.01)
    server.process.send_signal(signal.SIGTERM)
    load.stopping = True
    await asyncio.wait_for(asyncio.gather(*clients), ENOUGH)
    return await asyncio.to_thread(server.process.wait, ENOUGH)


def port_of(server: ServerProcess) -> int:
    return httpx.URL(server.issuer).port or 0


@pytest.mark.parametrize("server", [(1, 0), (2, 0)], indirect=True)
@pytest.mark.parametrize("stay", [10**9, 3], ids=["kept connections", "new connections"])
async def test_no_answer_is_lost_when_the_server_stops(server: ServerProcess, stay: int) -> None:
    load = Load(port=port_of(server), stay=stay)

    code = await stopped_under(load, server)

    assert (code, load.outcomes["lost"]) == (0, 0), (load.outcomes, load.after, server.told())
    assert set(load.outcomes) == {"200"}
    assert load.after["200"] > 0


@pytest.mark.parametrize("server", [(1, 1), (2, 1)], indirect=True)
async def test_a_server_that_stops_says_that_it_is_not_ready_while_it_still_answers(server: ServerProcess) -> None:
    load = Load(port=port_of(server), request=READY)

    code = await stopped_under(load, server)

    assert (code, set(load.outcomes), load.after["503"] > 0) == (0, {"200", "503"}, True)


@pytest.mark.parametrize("server", [(2, 0)], indirect=True)
async def test_silent_connections_do_not_keep_a_server_from_stopping(server: ServerProcess) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
    began = time.monotonic()

    server.process.send_signal(signal.SIGTERM)

    assert await reader.read() == b""
    assert time.monotonic() - began < GRACE
    assert await asyncio.to_thread(server.process.wait, ENOUGH) == 0
    writer.close()


@pytest.mark.parametrize("server", [(2, 0)], indirect=True)
async def test_workers_stop_when_the_process_that_sees_to_them_is_killed(server: ServerProcess) -> None:
    server.process.kill()
    server.process.wait(ENOUGH)

    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
        except ConnectionError:
            return False
        writer.close()
        return True

    deadline = time.monotonic() + ENOUGH
    while await listens():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
