"""What a running server does beside answering: it reads new keys, replaces old ones and removes what is long dead."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from everbearer.login.passwords import RunHeavy
from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.models import DAY, HOUR
from everbearer.oauth.sealing import Sealer
from everbearer.server.clock import SharedClock
from everbearer.server.config import KeysSection
from everbearer.server.signing_keys import RELOAD_AFTER, KeysUnreadable, SigningKeys, tend_keys
from everbearer.storage.store import AdminStore

KEEP_DEAD = 30 * DAY
"""Seconds for which what has ended stays, so that an operator can still be told why."""
BATCH = 500
MOST_BATCHES = 1000
BETWEEN_BATCHES = 0.5
"""Seconds for which others have the store to themselves."""
TEND_EVERY = HOUR

log = logging.getLogger("everbearer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Housekeeping:
    """The chores of one server process. Any number of processes may do them at once."""

    store: AdminStore
    sealer: Sealer
    keys: SigningKeys
    clock: SharedClock
    settings: KeysSection
    run: RunHeavy

    @asynccontextmanager
    async def going_on(self) -> AsyncGenerator[None]:
        """Do the chores while the context is open."""
        await self.clock.synchronize()
        await self.keys.refresh(at_once=True)
        task = asyncio.create_task(self._forever())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _forever(self) -> None:
        elapsed = 0
        while True:
            await asyncio.sleep(RELOAD_AFTER)
            elapsed += RELOAD_AFTER
            try:
                await self.clock.synchronize()
                await self.keys.refresh(at_once=True)
                if elapsed >= TEND_EVERY:
                    elapsed = 0
                    await self._tend()
            except StoreUnavailable:
                log.warning("housekeeping waits: the store cannot answer now")
            except KeysUnreadable as error:
                # Another process has a newer secret of the server. What is open stays good.
                log.error("%s", error)  # noqa: TRY400 - a traceback tells nothing more

    async def _tend(self) -> None:
        now = self.clock()
        await tend_keys(self.store, self.sealer, self.settings, now=now, run=self.run)
        for _ in range(MOST_BATCHES):
            purged = await self.store.purge(now=now, keep=KEEP_DEAD, batch=BATCH)
            if purged.total < BATCH:
                break
            await asyncio.sleep(BETWEEN_BATCHES)
