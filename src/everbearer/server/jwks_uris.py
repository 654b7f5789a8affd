"""What clients publish at their `jwks_uri`, kept for a while, so that their keys are known and nobody is hammered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from everbearer.oauth.errors import InvalidClient, OAuthError, TemporarilyUnavailable
from everbearer.server.fetching import Unfetched

LIFETIME = 10 * 60
"""Seconds for which a document is good: as long may a key be used that its client has taken back."""
PAUSE = 10
"""Seconds in which no URI is asked twice, whoever presents what."""
MOST = 1000
"""How many documents are kept."""

log = logging.getLogger("everbearer")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of one URI."""

    asked_at: int
    fetched_at: int = 0
    document: str = ""
    """Empty where it has not been fetched."""
    problem: str = ""
    """Why it could not be fetched when it was last asked."""
    passes: bool = False
    """Whether that may be over soon."""


class JwksUris:
    """Fetches what clients publish and keeps it. Calling it gives the document at a URI; see `JwksSource`.

    All that ask for one URI at a time wait for one fetch.
    """

    def __init__(self, fetch: Callable[[str], Awaitable[str]], now: Callable[[], int]) -> None:
        self._fetch = fetch
        self._now = now
        self._known: dict[str, _Known] = {}
        self._under_way: dict[str, asyncio.Task[_Known]] = {}

    async def __call__(self, uri: str, *, anew: bool) -> str:
        """Return the JWK Set document at a URI.

        Raises:
            InvalidClient: what stands there will not do, and the next time it will not either.
            TemporarilyUnavailable: it could not be fetched for a reason that passes.
        """
        known, now = self._known.get(uri), self._now()
        if not anew and known is not None and known.document and now - known.fetched_at < LIFETIME:
            return known.document
        if known is None or now - known.asked_at >= PAUSE:
            known = await self._ask(uri)
        if known.problem:
            raise _refusal(known)
        return known.document

    async def _ask(self, uri: str) -> _Known:
        task = self._under_way.get(uri)
        if task is None:
            task = self._under_way[uri] = asyncio.create_task(self._asked(uri))
            task.add_done_callback(lambda _: self._under_way.pop(uri))
        # Who gives up waiting takes nothing from the others.
        return await asyncio.shield(task)

    async def _asked(self, uri: str) -> _Known:
        try:
            document = await self._fetch(uri)
            known = _Known(asked_at=self._now(), fetched_at=self._now(), document=document)
        except Unfetched as problem:
            log.warning("the jwks_uri %s %s", uri.partition("?")[0], problem)
            # What was fetched before stays good for its time: nobody can shut a client out by asking for another key.
            before = self._known.get(uri, _Known(asked_at=0))
            known = replace(before, asked_at=self._now(), problem=str(problem), passes=problem.passes)
        self._known.pop(uri, None)
        self._known[uri] = known
        if len(self._known) > MOST:
            del self._known[next(iter(self._known))]
        return known


def _refusal(known: _Known) -> OAuthError:
    # "The 503 (Service Unavailable) status code indicates that the server is currently unable to handle the request
    # due to a temporary overload or scheduled maintenance, which will likely be alleviated after some delay" (RFC 9110
    # §15.6.4): nobody can say now whether the client is who it says. Where waiting does not help, "Client
    # authentication failed" (invalid_client, RFC 6749 §5.2), and its developer must do something.
    if known.passes:
        return TemporarilyUnavailable(
            f"the jwks_uri of this client {known.problem}; try the same again soon",
            reason="jwks_uri",
            retry_after=PAUSE,
        )
    return InvalidClient(f"the jwks_uri of this client {known.problem}", reason="jwks_uri")
