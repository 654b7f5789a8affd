"""Asks servers of others, for small documents or to take a form, and lets nobody reach by it what he cannot himself.

Made of asyncio and of httptools, which is there for serving. The clients of the standard library look a name up by
themselves, so that the address that was checked need not be the one that they connect to, and know no limit for the
whole of an answer that comes byte by byte.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar
from urllib.parse import SplitResult, urlencode, urlsplit

import httptools

from everbearer.oauth.uris import is_loopback

T = TypeVar("T")

LONGEST = 64 * 1024
"""Bytes of a document that are read, and of an answer's other parts."""
PATIENCE = 5.0
"""Seconds for all of it, from looking the name up to the last byte."""
MOST_ADDRESSES = 4
"""How many addresses of a name are tried."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_HUNG_UP = "hung up before it had answered"
_OK, _TOO_MANY, _LAST_INFORMATION, _LAST_ERROR_OF_ASKERS = 200, 429, 199, 499


class Unfetched(Exception):
    """A server could not be asked, or has no such document; the message ends a sentence that begins with the URL.

    `passes` says whether it may well be there a little later.
    """

    def __init__(self, problem: str, *, passes: bool = False) -> None:
        super().__init__(problem)
        self.passes = passes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """How others are asked. Calling it fetches a document."""

    private: bool = False
    """Also from loopback and private addresses, and from loopback without TLS: for development."""
    tls: ssl.SSLContext | None = None
    """What servers are verified by; None for what this machine trusts."""
    patience: float = PATIENCE
    accept: str = "application/jwk-set+json, application/json"
    """The media types that are asked for; whatever comes is taken."""

    async def __call__(self, url: str) -> str:
        """Return the text at a URL. No redirect is followed.

        Raises:
            Unfetched: it is not there, not within the limits, or at an address that is not asked.
        """
        return await self._asked(url, lambda parts: _request("GET", parts, f"Accept: {self.accept}"), _document)

    async def post(self, url: str, form: Mapping[str, str]) -> int:
        """Send a form to a URL and return the status of the answer, of which no more is read. No redirect is followed.

        Raises:
            Unfetched: nothing answers there within the limits, or it is an address that is not asked.
        """
        body = urlencode(form)
        return await self._asked(url, lambda parts: _post(parts, body), _status)

    async def _asked(
        self,
        url: str,
        request: Callable[[SplitResult], bytes],
        answer: Callable[[asyncio.StreamReader], Awaitable[T]],
    ) -> T:
        try:
            async with asyncio.timeout(self.patience):
                return await self._answered(urlsplit(url), request, answer)
        except TimeoutError:
            raise Unfetched(f"did not answer within {self.patience:g} seconds", passes=True) from None
        except OSError:
            raise Unfetched(_HUNG_UP, passes=True) from None
        except ValueError:
            raise Unfetched("is not a URL that can be fetched") from None

    async def _answered(
        self,
        parts: SplitResult,
        request: Callable[[SplitResult], bytes],
        answer: Callable[[asyncio.StreamReader], Awaitable[T]],
    ) -> T:
        if parts.scheme != "https" and not (self.private and parts.scheme == "http" and is_loopback(parts.hostname)):
            raise Unfetched("is not an https URL")
        reader, writer = await self._connect(parts, await self._addresses(parts))
        try:
            writer.write(request(parts))
            return await answer(reader)
        finally:
            writer.transport.abort()

    async def _addresses(self, parts: SplitResult) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(parts.hostname, _port(parts), type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise Unfetched("has a host that is not found", passes=error.errno == socket.EAI_AGAIN) from None
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        # One that is refused spoils all: a name that leads outside and inside leads inside on purpose.
        if not self.private and not all(is_public(address) for address in addresses):
            raise Unfetched("leads to an address that is not public")
        return addresses[:MOST_ADDRESSES]

    async def _connect(
        self, parts: SplitResult, addresses: Sequence[str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        tls = (self.tls or _trusted()) if parts.scheme == "https" else None
        for address in addresses:
            try:
                # To the address that was checked; the certificate must be that of the name all the same.
                return await asyncio.open_connection(
                    address, _port(parts), ssl=tls, server_hostname=parts.hostname if tls else None
                )
            except ssl.SSLCertVerificationError:
                raise Unfetched("has a certificate that is not valid") from None
            except ssl.SSLError:
                raise Unfetched("does not speak TLS as it should") from None
            except OSError:
                continue
        raise Unfetched("cannot be connected to", passes=True)


def is_public(address: str) -> bool:
    """Return whether an address is one of the open Internet, in itself and in what it stands for."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = _inner(ip)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def _inner(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address leads to, by whichever way of writing one in the other."""
    nat64 = ipaddress.IPv4Address(ip.packed[-4:]) if ip in _NAT64 else None
    return ip.ipv4_mapped or ip.sixtofour or nat64


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _post(parts: SplitResult, body: str) -> bytes:
    head = "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"
    return _request("POST", parts, *head) + body.encode("ascii")


def _request(method: str, parts: SplitResult, *lines: str) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = (
        f"{method} {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        *lines,
        "Accept-Encoding: identity",
        "User-Agent: everbearer",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*head, "")).encode("ascii")


class _Answer:
    """What has come of an answer: the callbacks of the parser."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.whole = False

    @property
    def begun(self) -> bool:
        """Return whether the head of the answer that counts is there: an informational one (1xx) comes before it."""
        return self.status > _LAST_INFORMATION

    @property
    def framed(self) -> bool:
        """Return whether it says itself where it ends; else it ends with the connection."""
        return b"content-length" in self.headers or b"transfer-encoding" in self.headers

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self.status = self.parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.whole = self.begun
        if not self.whole:
            self.headers.clear()


async def _document(reader: asyncio.StreamReader) -> str:
    return _text(await _read(reader, lambda answer: answer.whole))


async def _status(reader: asyncio.StreamReader) -> int:
    # What it says of it is of no interest, and may be long.
    return (await _read(reader, lambda answer: answer.begun)).status


async def _read(reader: asyncio.StreamReader, enough: Callable[[_Answer], bool]) -> _Answer:
    answer, read = _Answer(), 0
    while not enough(answer) and (data := await reader.read(LONGEST)):
        read += len(data)
        try:
            answer.parser.feed_data(data)
        except httptools.HttpParserError:
            raise Unfetched("does not speak HTTP as it should") from None
        if len(answer.body) > LONGEST or read > 2 * LONGEST:
            raise Unfetched(f"is longer than {LONGEST} bytes")
    if not enough(answer) and (not answer.begun or answer.framed):
        raise Unfetched(_HUNG_UP, passes=True)
    return answer


def _text(answer: _Answer) -> str:
    if answer.status != _OK:
        raise _not_there(answer.status)
    if answer.headers.get(b"content-encoding", b"identity") != b"identity":
        raise Unfetched("is compressed, though nobody asked for that")
    try:
        return answer.body.decode()
    except UnicodeDecodeError:
        raise Unfetched("is not UTF-8") from None


def _not_there(status: int) -> Unfetched:
    if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
        return Unfetched("redirects, which is not followed: register where it leads")
    return Unfetched(f"answers {status}", passes=status == _TOO_MANY or status > _LAST_ERROR_OF_ASKERS)
