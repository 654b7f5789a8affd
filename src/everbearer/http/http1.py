"""One connection of HTTP/1.1 (RFC 9112): bytes to a request and back. llhttp reads them, nothing stands between.

The requests of a connection are answered one after another, in the order they came. What is malformed, too long or too
slow is answered by an error, which ends the connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from time import time
from urllib.parse import unquote, urlsplit

import httptools

from everbearer.http.asgi import ContentTooLarge, Observe, answer_safely
from everbearer.http.response_bytes import response_bytes
from everbearer.oauth.error_response import error_response
from everbearer.oauth.errors import InvalidRequest, OAuthError
from everbearer.oauth.messages import Endpoint, Request, Response

MAX_HEAD = 64 * 1024
"""The longest request line with headers, in bytes."""
MOST_WAITING = 16
"""How many requests may wait on one connection for those before them; then no more are read for a while."""
KEEP_ALIVE = 75.0
"""Seconds that a connection may be silent between two requests: longer than reverse proxies keep theirs."""
PATIENCE = 30.0
"""Seconds that a request may take to arrive whole, and an answer to be fetched."""
LINGER = 2.0
"""Seconds that the other side has to close a connection after its last answer."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class HeadTooLarge(OAuthError):
    """The request line and headers are longer than the server reads (RFC 6585 §5)."""

    error = "invalid_request"
    status = 431


class RequestTimeout(OAuthError):
    """The request did not arrive in time (RFC 9110 §15.5.9)."""

    error = "invalid_request"
    status = 408


@dataclass(slots=True, kw_only=True)
class Serving:
    """What all connections of one process share."""

    endpoint: Endpoint
    observe: Observe = answer_safely
    """Asks for each answer, refusals among them; see `everbearer.http.asgi`."""
    max_body: int
    client_address: Callable[[str, str], str] | None = None
    """Returns who sent a request, given the address of the connection and its `X-Forwarded-For` header."""
    connections: set[Connection] = field(default_factory=set["Connection"])
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    """One for each connection that is being answered; it goes on where the connection is lost."""
    stopping: bool = False
    """Whether each connection is to end with its next answer."""
    _date: tuple[int, str] = (0, "")

    def connection(self) -> Connection:
        """Return what handles one new connection."""
        return Connection(self)

    def date(self) -> str:
        """Return the moment as answers tell it (RFC 9110 §5.6.7)."""
        now = int(time())
        if self._date[0] != now:
            self._date = now, formatdate(now, usegmt=True)
        return self._date[1]

    def look_after(self, now: float) -> None:
        """End the connections whose time is up on the event loop's clock; to be called about once a second."""
        for connection in [each for each in self.connections if each.deadline <= now]:
            connection.expire(now)


@dataclass(slots=True, kw_only=True)
class _Asked:
    """A request that was read, and who answers it."""

    request: Request
    endpoint: Endpoint
    keep_alive: bool = False


class Connection(asyncio.Protocol):
    """One connection; see the module."""

    deadline: float
    """When its time is up, on the event loop's clock."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[_Asked] = deque()
        self._answering = False
        self._deaf = False
        """Nothing more is read."""
        self._ended = False
        """The other side has said all it will."""
        self._gone = False
        self._congested: asyncio.Future[None] | None = None
        self.on_message_begin()
        self._reading = False

    @property
    def silent(self) -> bool:
        """Whether nothing of a request has come that is not answered."""
        return not (self._answering or self._reading)

    def close(self) -> None:
        """End the connection once what was written has been sent."""
        self._transport.close()

    def expire(self, now: float) -> None:
        """End the connection, whose time is up, unless it waits for us."""
        if self._deaf or self._congested is not None:
            self._transport.abort()
        elif self._answering:
            self.deadline = now + PATIENCE
        elif self._reading:
            self._refuse(RequestTimeout(f"the request did not arrive within {PATIENCE:.0f} seconds"))
        else:
            self._transport.close()

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # a stream's
        peer = transport.get_extra_info("peername")
        self._peer: str = peer[0] if isinstance(peer, tuple) else ""
        self._serving.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._deaf:
            return
        if self._in_head:
            self._head_length += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # "A server MAY ignore a received Upgrade header field" (RFC 9110 §7.8).
        except httptools.HttpParserError:
            self._refuse(InvalidRequest("the request is not well-formed HTTP/1.1"))
        if self._in_head and self._head_length > MAX_HEAD:
            self._refuse(HeadTooLarge(f"the request line and headers are longer than {MAX_HEAD} bytes"))

    def eof_received(self) -> bool:
        """Return whether the connection stays open: as long as something is to be answered."""
        self._ended = True
        return self._answering

    def pause_writing(self) -> None:
        """Wait with the next answer, for the other side does not fetch the last ones."""
        self._congested = self._loop.create_future()
        self.deadline = self._loop.time() + PATIENCE

    def resume_writing(self) -> None:
        """Go on answering."""
        congested, self._congested = self._congested, None
        if congested is not None and not congested.done():
            congested.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the shape of a protocol
        """Let what is under way end, and answer no more."""
        self._deaf = self._gone = True
        self._serving.connections.discard(self)
        self.resume_writing()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._reading = self._in_head = True
        self._head_length = self._body_length = self._hosts = 0
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self.deadline = self._loop.time() + PATIENCE

    def on_url(self, url: bytes) -> None:
        """Take in a part of the request's target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header."""
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if key == "host":
            self._hosts += 1
        if key in self._headers:
            # "any recipient MAY combine multiple field lines [...] separated by a comma" (RFC 9110 §5.3); cookies by
            # "; ".
            text = f"{self._headers[key]}{'; ' if key == 'cookie' else ', '}{text}"
        self._headers[key] = text

    def on_headers_complete(self) -> None:
        """Let a client send the body that first asks whether it may (RFC 9110 §10.1.1)."""
        self._in_head = False
        if not self._deaf and self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        """Take in a part of the body."""
        self._body_length += len(body)
        if self._body_length <= self._serving.max_body:
            self._body.append(body)
        else:
            self._refuse(ContentTooLarge(f"the body is longer than {self._serving.max_body} bytes"))

    def on_message_complete(self) -> None:
        """Answer the request, when it is its turn."""
        self._reading = False
        if not self._deaf:
            self._queue(self._asked())

    # How requests are answered.

    def _asked(self) -> _Asked:
        request = self._request(self._body[0] if len(self._body) == 1 else b"".join(self._body))
        # "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host
        # header field and to any request message that contains more than one Host header field line" (RFC 9112 §3.2).
        if self._hosts != 1 and not (self._hosts == 0 and self._parser.get_http_version() == "1.0"):
            refuse = _refusing(InvalidRequest("the request must have one Host header"))
            return _Asked(request=request, endpoint=refuse)
        return _Asked(request=request, endpoint=self._serving.endpoint, keep_alive=self._parser.should_keep_alive())

    def _request(self, body: bytes) -> Request:
        path, query = _path_and_query(self._target.decode("latin-1"))
        address, find_address = self._peer, self._serving.client_address
        if find_address is not None:
            address = find_address(address, self._headers.get("x-forwarded-for", ""))
        return Request(
            method=self._parser.get_method().decode("latin-1"),
            path=path,
            query=query,
            headers=self._headers,
            body=body,
            remote_address=address,
        )

    def _refuse(self, error: OAuthError) -> None:
        """Answer with an error when it is its turn, and read nothing more."""
        if not self._deaf:
            self._deaf = True
            request = Request(method="", path="", remote_address=self._peer) if self._in_head else self._request(b"")
            self._queue(_Asked(request=request, endpoint=_refusing(error)))

    def _queue(self, asked: _Asked) -> None:
        if self._answering:
            self._waiting.append(asked)
            if len(self._waiting) == MOST_WAITING:
                self._transport.pause_reading()
            return
        self._answering = True
        self._task = self._loop.create_task(self._answer_all(asked))
        self._serving.tasks.add(self._task)

    async def _answer_all(self, asked: _Asked) -> None:
        try:
            await self._answer(asked)
        finally:
            self._serving.tasks.discard(self._task)

    async def _answer(self, asked: _Asked) -> None:
        """Answer a request and those that have come in the meantime."""
        while True:
            response = await self._serving.observe(asked.request, asked.endpoint)
            if self._gone:
                return
            ends = self._serving.stopping or not asked.keep_alive or (self._ended and not self._waiting)
            self._transport.write(
                response_bytes(response, date=self._serving.date(), head=asked.request.method == "HEAD", ends=ends)
            )
            if ends:
                self._end()
                return
            if self._congested is not None:
                await self._congested
            if self._gone:
                return
            if not self._waiting:
                break
            if len(self._waiting) == MOST_WAITING:
                self._transport.resume_reading()
            asked = self._waiting.popleft()
        self._answering = False
        self.deadline = self._loop.time() + (PATIENCE if self._reading else KEEP_ALIVE)

    def _end(self) -> None:
        # Closed at once, a connection on which something lies unread takes its last answer with it. So "the server then
        # continues to read from the connection until it receives a corresponding close by the client" (RFC 9112 §9.6).
        self._deaf, self._answering = True, False
        self.deadline = self._loop.time() + LINGER
        try:
            if self._transport.can_write_eof():
                self._transport.write_eof()
                return
        except OSError:
            pass  # The other side was faster.
        self._transport.close()


def _refusing(error: OAuthError) -> Endpoint:
    async def refuse(request: Request) -> Response:  # noqa: ARG001 - an endpoint
        return error_response(error)

    return refuse


def _path_and_query(target: str) -> tuple[str, str]:
    if target.startswith("/"):
        path, _, query = target.partition("?")
    else:
        # "a server MUST accept the absolute-form in requests" (RFC 9112 §3.2.2).
        try:
            parts = urlsplit(target)
        except ValueError:
            return target, ""
        path, query = parts.path or "/", parts.query
    return (unquote(path) if "%" in path else path), query
