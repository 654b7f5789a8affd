"""What others publish, as the server fetches it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from everbearer.server.outward.fetching import Unfetched


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class Web:
    """What stands where, and what was asked for."""

    stands: str | Unfetched = "first"
    asked: list[str] = field(default_factory=list[str])
    open: asyncio.Event = field(default_factory=_set)
    """Until it is set nothing is answered."""

    async def fetch(self, uri: str) -> str:
        self.asked.append(uri)
        await self.open.wait()
        if isinstance(self.stands, Unfetched):
            raise self.stands
        return self.stands
