"""HTTP/1.1 as the server speaks it (RFC 9112), over real sockets."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import pytest

from everbearer.http import http1
from everbearer.http.forwarding import client_address_behind
from everbearer.http.http1 import Connection, Serving
from everbearer.oauth.messages import Request, Response

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
MAX_BODY = 1000
ENOUGH = 30
"""Seconds after which something is stuck."""


@dataclass(kw_only=True)
class Wire:
    """A server on a loopback port whose endpoint tells what it was asked."""

    serving: Serving
    port: int
    asked: list[Request] = field(default_factory=list[Request])
    held: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, `/held` gets no answer."""

    async def say(self, *parts: bytes, then_end: bool = False) -> bytes:
        """Send the parts one after another, and return all that comes until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        if then_end:
            writer.write_eof()
        told = await asyncio.wait_for(reader.read(), ENOUGH)
        writer.close()
        return told

    async def until_asked(self) -> None:
        """Wait until a request has come."""
        await until(lambda: bool(self.asked))

    async def until_its_connection(self, is_so: Callable[[Connection], bool]) -> None:
        """Wait until there is one connection, of which something is so."""
        await until(lambda: [is_so(each) for each in self.serving.connections] == [True])

    async def until_nobody_is_connected(self) -> None:
        """Wait until the server has seen all connections end."""
        await until(lambda: not self.serving.connections)


async def until(it_is_so: Callable[[], bool]) -> None:
    """Wait for what comes over a socket."""
    async with asyncio.timeout(ENOUGH):
        while not it_is_so():  # noqa: ASYNC110 - the other side brings it about
            await asyncio.sleep(0.001)


def statuses(told: bytes) -> list[int]:
    """Return the status of each answer in what a server said."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", told)]


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async def answer(request: Request) -> Response:
        made.asked.append(request)
        if request.path == "/held":
            await made.held.wait()
        if request.path == "/injected":
            return Response(headers=(("Location", "/\r\nSet-Cookie: a=b"),), body=b"x")
        if request.path == "/nothing":
            return Response(status=204)
        if request.path == "/large":
            return Response(body=b"x" * 10_000_000)
        told = (request.path, request.query, request.body.decode("latin-1"), request.remote_address)
        return Response(headers=(("Content-Type", "text/plain"),), body=repr(told).encode())

    serving = Serving(endpoint=answer, max_body=MAX_BODY)
    server = await asyncio.get_running_loop().create_server(serving.connection, "127.0.0.1", 0)
    made = Wire(serving=serving, port=server.sockets[0].getsockname()[1])
    yield made
    server.close()
    made.held.set()
    for connection in list(serving.connections):
        connection.close()
    await server.wait_closed()


async def test_a_request_is_answered_with_date_and_length(wire: Wire) -> None:
    told = await wire.say(LAST)

    head, body = told.split(b"\r\n\r\n")
    lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert abs(parsedate_to_datetime(lines[b"Date"].decode()).timestamp() - time.time()) < 60
    assert int(lines[b"Content-Length"]) == len(body)
    assert lines[b"Connection"] == b"close"


async def test_path_and_query_are_told_apart_and_the_path_is_decoded(wire: Wire) -> None:
    await wire.say(b"GET /a%20b%2Fc?d=%20e HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert (wire.asked[0].path, wire.asked[0].query) == ("/a b/c", "d=%20e")


@pytest.mark.spec("RFC 9112", "3.2.2")
async def test_a_server_must_accept_the_absolute_form_in_requests(wire: Wire) -> None:
    await wire.say(b"GET http://x/a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert (wire.asked[0].path, wire.asked[0].query) == ("/a", "b=c")


async def test_the_body_may_come_in_pieces_and_in_chunks(wire: Wire) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    await wire.say(head + b"Content-", b"Length: 6\r\n\r\nabc", b"def")
    await wire.say(head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"3\r\ndef\r\n0\r\n\r\n")

    assert [request.body for request in wire.asked] == [b"abcdef", b"abcdef"]


async def test_requests_of_one_connection_are_answered_in_their_order(wire: Wire) -> None:
    paths = [f"/{number}" for number in range(40)]
    sent = b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths)
    told = await wire.say(sent + LAST)

    assert [request.path for request in wire.asked] == [*paths, "/last"]
    assert statuses(told) == [200] * 41


@pytest.mark.spec("RFC 9112", "3.2")
@pytest.mark.parametrize("hosts", [b"", b"Host: x\r\nHost: y\r\n"])
async def test_a_server_must_answer_400_to_a_request_without_exactly_one_host(wire: Wire, hosts: bytes) -> None:
    told = await wire.say(b"GET / HTTP/1.1\r\n" + hosts + b"\r\n")

    assert told.startswith(b"HTTP/1.1 400 ")
    assert b"the request must have one Host header" in told
    assert wire.asked == []


async def test_http_1_0_needs_no_host_and_ends_the_connection(wire: Wire) -> None:
    assert b"Connection: close" in await wire.say(b"GET / HTTP/1.0\r\n\r\n")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
)
async def test_what_is_malformed_or_ambiguous_gets_400_and_ends_the_connection(wire: Wire, sent: bytes) -> None:
    told = await wire.say(sent, GET)

    assert statuses(told) == [400]
    assert [request.path for request in wire.asked if request.path == "/a"] == []


async def test_a_good_request_before_a_malformed_one_keeps_its_answer(wire: Wire) -> None:
    wire.held.clear()
    task = asyncio.create_task(wire.say(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n", b"nonsense\r\n\r\n"))
    await wire.until_its_connection(lambda connection: connection._deaf)
    wire.held.set()
    told = await task

    assert statuses(told) == [200, 400]


async def test_a_head_that_is_too_long_gets_431(wire: Wire) -> None:
    told = await wire.say(b"GET / HTTP/1.1\r\nHost: x\r\nA: ", b"a" * http1.MAX_HEAD, b"a" * 10)

    assert told.startswith(b"HTTP/1.1 431 ")


async def test_a_body_that_is_too_long_gets_413_though_more_of_it_comes(wire: Wire) -> None:
    body = b"x" * 100_000
    told = await wire.say(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", body[:50_000], body[50_000:])

    assert told.startswith(b"HTTP/1.1 413 ")
    assert wire.asked == []


@pytest.mark.spec("RFC 9110", "10.1.1")
async def test_a_client_that_asks_whether_it_may_send_a_body_is_told_to(wire: Wire) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    told = await wire.say(head, b"abc")

    assert told.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.spec("RFC 9110", "7.8")
async def test_a_server_may_ignore_a_received_upgrade_header(wire: Wire) -> None:
    told = await wire.say(
        b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", then_end=True
    )

    assert told.startswith(b"HTTP/1.1 200 OK")


async def test_head_has_no_body_and_204_no_length(wire: Wire) -> None:
    head = await wire.say(b"HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    nothing = await wire.say(b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert head.endswith(b"\r\n\r\n")
    assert b"Content-Length" not in nothing


async def test_no_header_of_an_answer_can_begin_a_line_of_its_own(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    told = await wire.say(b"GET /injected HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert told.startswith(b"HTTP/1.1 500 ")
    assert b"Set-Cookie" not in told
    assert "an answer could not be written" in caplog.text


async def test_headers_sent_twice_are_joined(wire: Wire) -> None:
    await wire.say(
        b"GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\na: 2\r\nCookie: a=1\r\nCookie: b=2\r\nConnection: close\r\n\r\n"
    )

    assert (wire.asked[0].headers["a"], wire.asked[0].headers["cookie"]) == ("1, 2", "a=1; b=2")


async def test_a_client_that_ends_its_side_still_gets_its_answer(wire: Wire) -> None:
    wire.held.clear()
    task = asyncio.create_task(wire.say(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n", then_end=True))
    await wire.until_its_connection(lambda connection: connection._ended)
    wire.held.set()

    assert (await task).startswith(b"HTTP/1.1 200 OK")


async def test_a_request_goes_on_though_its_client_has_gone(wire: Wire) -> None:
    wire.held.clear()
    _, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n")
    await wire.until_asked()
    writer.transport.abort()
    (task,) = wire.serving.tasks
    await wire.until_its_connection(lambda connection: connection._ended)
    wire.held.set()
    await asyncio.wait_for(task, ENOUGH)

    assert not task.cancelled()
    assert task.exception() is None


async def test_when_the_server_stops_each_connection_ends_with_its_next_answer(wire: Wire) -> None:
    wire.serving.stopping = True
    told = await wire.say(GET)

    assert b"Connection: close" in told


def time_passes(wire: Wire, seconds: float) -> None:
    wire.serving.look_after(asyncio.get_running_loop().time() + seconds)


async def test_a_request_that_does_not_arrive_in_time_gets_408(wire: Wire) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
    await wire.until_its_connection(lambda connection: not connection.silent)
    time_passes(wire, http1.PATIENCE + 1)
    told = await asyncio.wait_for(reader.read(), ENOUGH)
    writer.close()

    assert told.startswith(b"HTTP/1.1 408 ")


async def test_a_silent_connection_is_closed_after_a_while_and_not_before(wire: Wire) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(GET)
    await reader.readuntil(b"\r\n\r\n")
    await wire.until_its_connection(lambda connection: connection.silent)
    time_passes(wire, http1.KEEP_ALIVE - 5)
    assert len(wire.serving.connections) == 1

    time_passes(wire, http1.KEEP_ALIVE + 1)

    await asyncio.wait_for(reader.read(), ENOUGH)
    assert reader.at_eof()
    writer.close()


async def test_a_request_that_takes_long_to_answer_is_not_given_up(wire: Wire) -> None:
    wire.held.clear()
    task = asyncio.create_task(wire.say(b"GET /held HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    await wire.until_asked()
    time_passes(wire, http1.PATIENCE * 3)
    wire.held.set()

    assert (await task).startswith(b"HTTP/1.1 200 OK")


async def test_who_does_not_fetch_an_answer_is_cut_off(wire: Wire) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port, limit=1000)
    writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n" + GET)
    await wire.until_its_connection(lambda connection: connection._congested is not None)
    (task,) = wire.serving.tasks
    time_passes(wire, http1.PATIENCE + 1)
    await wire.until_nobody_is_connected()
    await asyncio.wait_for(task, ENOUGH)

    assert len(wire.asked) == 1, "nor is anything more answered on the connection"
    reader.feed_eof()
    writer.transport.abort()


PROXIES = client_address_behind(["10.0.0.0/8", "::1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "sender"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("::1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "<script>", "10.0.0.1"),
        ("10.0.0.1", "<script>, 10.0.0.2", "10.0.0.2"),
        ("", "198.51.100.7", ""),
    ],
)
def test_the_sender_is_the_last_address_that_no_trusted_proxy_has(peer: str, forwarded: str, sender: str) -> None:
    assert PROXIES(peer, forwarded) == sender


async def test_the_forwarded_address_is_the_requests(wire: Wire) -> None:
    wire.serving.client_address = client_address_behind(["127.0.0.1"])
    await wire.say(b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n")

    assert wire.asked[0].remote_address == "192.0.2.1"
