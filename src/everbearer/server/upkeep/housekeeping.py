"""What a running server does beside answering: it reads new keys, replaces old ones and removes what is long dead."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from everbearer.login.passwords import RunHeavy
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.models import DAY, HOUR
from everbearer.server.config import KeysSection
from everbearer.server.upkeep.clock import SharedClock
from everbearer.server.upkeep.pairwise_salt import PairwiseSalt, tend_salt
from everbearer.server.upkeep.reaping import reap_clients
from everbearer.server.upkeep.session_expiry import end_expired_sessions
from everbearer.server.upkeep.signing_keys import RELOAD_AFTER, KeysUnreadable, SigningKeys, tend_keys
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
    salt: PairwiseSalt
    clock: SharedClock
    settings: KeysSection
    run: RunHeavy
    unused_after: int | None = None
    """After how many seconds a client that registered itself is removed that nobody uses; None for never."""
    tell_of_expiry: bool = False
    """Whether sessions that have expired are ended, so that applications learn of it."""

    @asynccontextmanager
    async def going_on(self) -> AsyncGenerator[None]:
        """Do the chores while the context is open."""
        await self.clock.synchronize()
        await self.keys.refresh(at_once=True)
        await self.salt.read()
        changed = asyncio.Event()
        async with self.store.hearing_of_keys(changed.set):
            tasks = [asyncio.create_task(self._keep_up(changed)), asyncio.create_task(self._tend_hourly())]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_up(self, changed: asyncio.Event) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RELOAD_AFTER):
                    await changed.wait()
            # Before it is read, so that a change meanwhile is read too.
            changed.clear()
            await _unless_in_trouble(self._follow)

    async def _follow(self) -> None:
        await self.clock.synchronize()
        await self.keys.refresh(at_once=True)
        await self.salt.read()

    async def _tend_hourly(self) -> None:
        while True:
            await asyncio.sleep(TEND_EVERY)
            await _unless_in_trouble(self._tend)

    async def _tend(self) -> None:
        now = self.clock()
        await tend_keys(self.store, self.sealer, self.settings, now=now, run=self.run)
        await tend_salt(self.store, self.sealer)
        if self.unused_after is not None:
            await reap_clients(self.store, now=now, unused_after=self.unused_after)
        if self.tell_of_expiry:
            await end_expired_sessions(self.store, now=now)
        for _ in range(MOST_BATCHES):
            purged = await self.store.purge(now=now, keep=KEEP_DEAD, batch=BATCH)
            if purged.total < BATCH:
                break
            await asyncio.sleep(BETWEEN_BATCHES)


async def _unless_in_trouble(chore: Callable[[], Awaitable[None]]) -> None:
    try:
        await chore()
    except StoreUnavailable:
        log.warning("housekeeping waits: the store cannot answer now")
    except KeysUnreadable as error:
        # Another process has a newer secret of the server. What is open stays good.
        log.error("%s", error)  # noqa: TRY400 - a traceback tells nothing more
