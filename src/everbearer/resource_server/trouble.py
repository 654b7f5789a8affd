"""What keeps a resource server from asking its issuer: told to the operator once, and not tried again at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from everbearer.oauth.errors import TemporarilyUnavailable
from everbearer.resource_server.errors import RETRY_AFTER, unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class _Last:
    reason: str
    at: int
    until: int


class Trouble:
    """The trouble with one thing that is asked of the issuer, if there is any."""

    def __init__(self, now: Callable[[], int], notify: Callable[[str], None]) -> None:
        self._now = now
        self._notify = notify
        self._last: _Last | None = None

    def begin(self, reason: str, *, pause: int = RETRY_AFTER) -> TemporarilyUnavailable:
        """Note a trouble and return what to raise. For `pause` seconds nobody tries again."""
        now, last = self._now(), self._last
        # All who waited for the same answer come here.
        if last is None or last.reason != reason or not 0 <= now - last.at < RETRY_AFTER:
            self._notify(reason)
        self._last = _Last(reason=reason, at=now, until=now + pause)
        return unavailable(reason, max(pause, RETRY_AFTER))

    def end(self) -> None:
        """Note that it works."""
        self._last = None

    @property
    def present(self) -> bool:
        """Whether the last try failed."""
        return self._last is not None

    def check(self) -> None:
        """Return if it may be tried now.

        Raises:
            TemporarilyUnavailable: it failed a moment ago.
        """
        last, now = self._last, self._now()
        if last is not None and last.at <= now < last.until:
            raise unavailable(last.reason, last.until - now)
