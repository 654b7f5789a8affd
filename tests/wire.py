"""A wire between a program and a server, which can be cut at a chosen moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Wire:
    """Passes bytes on, both ways, until it is told to lose them."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self.lose_answer_to: bytes | None = None
        """Cut the wire when the server answers what holds these bytes: it has done it, and nobody is told."""
        self.lost = 0

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._to)
        asked: list[bool] = []

        async def there() -> None:
            while data := await reader.read(1 << 16):
                if self.lose_answer_to and self.lose_answer_to in data:
                    asked.append(True)
                server_writer.write(data)
            server_writer.close()

        async def back() -> None:
            while data := await server_reader.read(1 << 16):
                if asked:
                    self.lost += 1
                    break
                writer.write(data)
            writer.close()

        await asyncio.gather(there(), back(), return_exceptions=True)
        server_writer.close()
        writer.close()


@asynccontextmanager
async def wire_to(port: int) -> AsyncGenerator[Wire]:
    """Listen on a port of its own until the block is left."""
    wire = Wire(port)
    server = await asyncio.start_server(wire.pass_on, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
