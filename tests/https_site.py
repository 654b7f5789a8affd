"""A web server that answers what a test wrote down, byte by byte, over TLS or without."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def framed(body: bytes, head: bytes = HEAD) -> bytes:
    """Return an answer with a body of a length that it tells."""
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


@dataclass
class Site:
    """What stands at which path, what was asked, and what was sent along."""

    answers: dict[str, bytes]
    port: int = 0
    asked: list[bytes] = field(default_factory=list[bytes])
    bodies: list[bytes] = field(default_factory=list[bytes])

    def url(self, path: str, *, host: str = "localhost") -> str:
        return f"https://{host}:{self.port}{path}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.asked.append(await reader.readuntil(b"\r\n\r\n"))
            length = re.search(rb"\r\nContent-Length: (\d+)\r\n", self.asked[-1])
            if length:
                self.bodies.append(await reader.readexactly(int(length[1])))
            target = self.asked[-1].split(b" ")[1].decode()
            writer.write(self.answers[target.partition("?")[0]])
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            # Who asked has read enough.
            pass
        finally:
            writer.close()


@asynccontextmanager
async def site_of(tls: ssl.SSLContext | None, answers: Mapping[str, bytes]) -> AsyncIterator[Site]:
    """Serve a site on 127.0.0.1, on a free port, until the block is left."""
    site = Site(dict(answers))
    server = await asyncio.start_server(site.answer, "127.0.0.1", 0, ssl=tls, family=socket.AF_INET)
    site.port = server.sockets[0].getsockname()[1]
    async with server:
        yield site
