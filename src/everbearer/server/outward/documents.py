"""Documents that clients publish, as they were fetched last, so that nobody is hammered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from everbearer.server.outward.fetching import Unfetched

PAUSE = 10
"""Seconds in which no URI is asked twice, whoever presents what; or, of a kind of which it is said, three times."""
NEVER = -PAUSE
MOST = 1000
"""How many documents of a kind are kept."""

log = logging.getLogger("everbearer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one URI."""

    asked_at: int
    asked_before: int = NEVER
    """When it was asked the time before that."""
    fetched_at: int = 0
    document: str = ""
    """Empty where it has not been fetched."""
    problem: str = ""
    """Why it could not be fetched when it was last asked."""
    passes: bool = False
    """Whether that may be over soon."""


class Documents:
    """Fetches documents of a kind, such as `jwks_uri`, and keeps them. All that ask at a time wait for one fetch."""

    def __init__(
        self, kind: str, fetch: Callable[[str], Awaitable[str]], now: Callable[[], int], *, twice: bool = False
    ) -> None:
        self._kind = kind
        self._twice = twice
        self._fetch = fetch
        self._now = now
        self._known: dict[str, Known] = {}
        self._under_way: dict[str, asyncio.Task[Known]] = {}

    def known(self, uri: str) -> Known | None:
        """Return what is known of a URI; None where it was never asked, or too long ago."""
        return self._known.get(uri)

    async def ask(self, uri: str) -> Known:
        """Fetch what stands at a URI, unless it was asked a moment ago, and return what is known then."""
        known = self._known.get(uri)
        if known is not None and self._now() - self._paused_since(known) < PAUSE:
            return known
        task = self._under_way.get(uri)
        if task is None:
            task = self._under_way[uri] = asyncio.create_task(self._asked(uri))
            task.add_done_callback(lambda _: self._under_way.pop(uri))
        # Who gives up waiting takes nothing from the others.
        return await asyncio.shield(task)

    def _paused_since(self, known: Known) -> int:
        # One that answered well may have been changed just then. One that did not is left in peace.
        return known.asked_before if self._twice and known.document and not known.problem else known.asked_at

    async def _asked(self, uri: str) -> Known:
        asked_before = self._known[uri].asked_at if uri in self._known else NEVER
        try:
            document = await self._fetch(uri)
            now = self._now()
            known = Known(asked_at=now, asked_before=asked_before, fetched_at=now, document=document)
        except Unfetched as problem:
            log.warning("the %s %s %s", self._kind, uri.partition("?")[0], problem)
            # What was fetched before stays good for its time: nobody can shut a client out by asking for another key.
            before = self._known.get(uri, Known(asked_at=0))
            known = replace(before, asked_at=self._now(), problem=str(problem), passes=problem.passes)
        self._known.pop(uri, None)
        self._known[uri] = known
        if len(self._known) > MOST:
            del self._known[next(iter(self._known))]
        return known
