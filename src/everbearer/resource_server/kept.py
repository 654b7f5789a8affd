"""A document that is fetched when it is wanted, good for a while, and better than nothing for a while longer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from everbearer.oauth.errors import TemporarilyUnavailable
from everbearer.resource_server.fetching import Steps
from everbearer.resource_server.trouble import Trouble

T = TypeVar("T")

PAUSE = 10
"""Seconds in which a document that was just fetched is not fetched again, whoever presents what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known(Generic[T]):
    """What was fetched last. Replaced as a whole, so that every thread sees it whole."""

    value: T
    fetched_at: int


class Kept(Generic[T]):
    """Fetches a document of the issuer's and keeps it.

    Within its lifetime it costs nothing. After that one request at a time pays for its renewal, and all others go on
    with what is there, until `stale_lifetime` seconds after it was fetched: so long may the issuer be away.
    """

    def __init__(
        self,
        fetch: Callable[[], Steps[T]],
        now: Callable[[], int],
        trouble: Trouble,
        lifetime: int,
        stale_lifetime: int,
    ) -> None:
        self._fetch = fetch
        self._now = now
        self._trouble = trouble
        self._lifetime = lifetime
        self._stale_lifetime = stale_lifetime
        self._known: _Known[T] | None = None
        self._renewed_at: int | None = None
        """When somebody last went to renew it, while the others go on with what is there."""

    def get(self) -> Steps[T]:
        """Return the document as it was fetched lately.

        Raises:
            TemporarilyUnavailable: there is none that may still be used, and it cannot be fetched.
        """
        known, now = self._usable(), self._now()
        if known is None:
            return (yield from self._asked())
        if now - known.fetched_at < self._lifetime or _within(PAUSE, self._renewed_at, now):
            return known.value
        self._renewed_at = now
        try:
            return (yield from self._asked())
        except TemporarilyUnavailable:
            return known.value

    def newer(self) -> Steps[T]:
        """Return the document as it stands there now, or stood a moment ago.

        Raises:
            TemporarilyUnavailable: that cannot be known.
        """
        known = self._usable()
        if known is not None and not self._trouble.present and _within(PAUSE, known.fetched_at, self._now()):
            return known.value
        return (yield from self._asked())

    def _usable(self) -> _Known[T] | None:
        known = self._known
        longest = max(self._lifetime, self._stale_lifetime)
        return known if known is not None and self._now() - known.fetched_at < longest else None

    def _asked(self) -> Steps[T]:
        self._trouble.check()
        try:
            value = yield from self._fetch()
        except TemporarilyUnavailable as problem:
            raise self._trouble.begin(problem.reason) from None
        self._known = _Known(value=value, fetched_at=self._now())
        self._trouble.end()
        return value


def _within(seconds: int, since: int | None, now: int) -> bool:
    return since is not None and 0 <= now - since < seconds
