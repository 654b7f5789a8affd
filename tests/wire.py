"""A wire between a program and a server, which can be cut at a chosen moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager


class Wire:
    """Passes bytes on, both ways, until it is told to lose them."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self.lose_answer_to: bytes | None = None
        """Cut the wire when the server answers what holds these bytes: it has done it, and nobody is told."""
        self.lost = 0
        self._going_on: set[asyncio.Task[None] | None] = set()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._to)
        asked: list[bool] = []

        def there(data: bytes) -> bool:
            if self.lose_answer_to and self.lose_answer_to in data:
                asked.append(True)
            return True

        def back(data: bytes) -> bool:  # noqa: ARG001 - the shape of a look
            self.lost += len(asked)
            return not asked

        self._going_on.add(asyncio.current_task())
        tasks = [
            asyncio.create_task(_carry(reader, server_writer, there)),
            asyncio.create_task(_carry(server_reader, writer, back)),
        ]
        # Whoever hangs up first ends it for both.
        _, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for end in (server_writer, writer):
            end.close()
        await asyncio.gather(*[end.wait_closed() for end in (server_writer, writer)], return_exceptions=True)

    async def close(self) -> None:
        """Wait until all have hung up."""
        await asyncio.gather(*[task for task in self._going_on if task])


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, look: Callable[[bytes], bool]) -> None:
    while (data := await reader.read(1 << 16)) and look(data):
        writer.write(data)


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
        await wire.close()
