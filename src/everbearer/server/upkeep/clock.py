"""One clock for all nodes, the store's: what counts by seconds must not depend on which node is asked."""

from __future__ import annotations

import time
from collections.abc import Callable

from everbearer.storage.store import AdminStore

SLOWEST = 1.0
"""Seconds beyond which an answer of the store tells too little of what time it was."""


def machine_time() -> float:
    """Return the time of this machine in seconds since 1970 (UTC)."""
    return time.time()


class SharedClock:
    """Tells the store's time without asking it each time: by how much this machine's clock differs is kept."""

    def __init__(self, store: AdminStore, local: Callable[[], float] = machine_time) -> None:
        self._store = store
        self._local = local
        self._difference = 0.0

    def __call__(self) -> int:
        """Return the time in whole seconds since 1970 (UTC)."""
        return int(self._local() + self._difference)

    async def synchronize(self) -> None:
        """Ask the store for its time.

        Raises:
            StoreUnavailable: it cannot answer; what was known before stays.
        """
        asked_at = self._local()
        told = await self._store.clock()
        answered_at = self._local()
        if answered_at - asked_at <= SLOWEST:
            self._difference = told - (asked_at + answered_at) / 2
