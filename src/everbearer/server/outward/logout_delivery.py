"""Logout tokens on their way: taken from the store, sent, and sent again (OpenID Connect Back-Channel Logout 1.0 §2.5).

Any number of processes deliver at once: each takes what the others have not. Who dies on the way leaves what it took to
the others, after a while; so a client may be told twice, but never not at all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TypeAlias

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.errors import OAuthError, StoreUnavailable
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import HOUR, MINUTE
from everbearer.oauth.sessions.backchannel_logout import Logout, mint_logout_token
from everbearer.server.outward.fetching import Unfetched
from everbearer.storage.store import AdminStore

Post: TypeAlias = Callable[[str, Mapping[str, str]], Awaitable[int]]
"""Sends a form to a URL and returns the status of the answer, or raises `Unfetched`."""

PAUSES = (10, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR)
"""Seconds from each try that fails to the next; the one after the last is given up with."""
LEASE = MINUTE
"""Seconds after which a try is taken for dead: far more than any lasts."""
LOOK_EVERY = 2.0
TOGETHER = 20
"""How many are told at a time."""

log = logging.getLogger("everbearer")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutDelivery:
    """Tells clients, in one server process."""

    store: AdminStore
    server: AuthorizationServer
    post: Post

    @asynccontextmanager
    async def going_on(self) -> AsyncGenerator[None]:
        """Deliver what is due while the context is open; what is under way then comes to its end."""
        stopping = asyncio.Event()
        task = asyncio.create_task(self._until(stopping))
        try:
            yield
        finally:
            stopping.set()
            await task

    async def _until(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            more = await self._deliver_or_wait()
            if not more:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY):
                        await stopping.wait()

    async def _deliver_or_wait(self) -> bool:
        try:
            return await self.deliver() == TOGETHER
        except StoreUnavailable:
            log.warning("logout tokens wait: the store cannot answer now")
            return False

    async def deliver(self) -> int:
        """Try to deliver some of what is due, and return how many that were.

        Raises:
            StoreUnavailable: the store cannot answer.
        """
        now = self.server.now()
        taken = await self.store.take_logouts(now=now, until=now + LEASE, limit=TOGETHER)
        for problem in await asyncio.gather(*map(self._tell, taken), return_exceptions=True):
            if isinstance(problem, StoreUnavailable):
                raise problem
            if problem is not None:
                # A fault of ours with one client is to keep no other waiting.
                log.error("a logout token could not be sent", exc_info=problem)
        return len(taken)

    async def _tell(self, logout: Logout) -> None:
        client = await self.server.store.client(logout.client_id)
        if client is None or not client.backchannel_logout_uri:
            problem = "the client does not want to be told any more"
            await self._settle(EventKind.LOGOUT_TOKEN_GIVEN_UP, logout, {"problem": problem}, again=None)
            return
        try:
            status = await self._send(client, logout)
        except (Unfetched, OAuthError) as problem:
            await self._failed(logout, str(problem))
            return
        # "Some Web frameworks will substitute an HTTP 204 No Content response for an HTTP 200 OK when the HTTP body is
        # empty" (§2.8).
        if 200 <= status < 300:  # noqa: PLR2004 - the class of successes
            await self._settle(EventKind.LOGOUT_TOKEN_DELIVERED, logout, {"status": str(status)}, again=None)
        # "If the logout request was invalid or the logout failed, the RP MUST respond with HTTP 400 Bad Request"
        # (§2.8).
        elif status == 400:  # noqa: PLR2004 - Bad Request
            await self._given_up(EventKind.LOGOUT_TOKEN_REFUSED, logout, "answers 400")
        else:
            await self._failed(logout, f"answers {status}")

    async def _send(self, client: Client, logout: Logout) -> int:
        # Minted for each try: it is good for two minutes.
        token = await mint_logout_token(client, logout, self.server)
        return await self.post(client.backchannel_logout_uri, {"logout_token": token})

    async def _failed(self, logout: Logout, problem: str) -> None:
        # "The OP should not retransmit a Back-Channel Logout Request unless the OP suspects that previous transmissions
        # may have failed due to potentially recoverable errors" (§2.5).
        if logout.attempts > len(PAUSES):
            await self._given_up(EventKind.LOGOUT_TOKEN_GIVEN_UP, logout, problem)
            return
        again = replace(logout, due_at=self.server.now() + PAUSES[logout.attempts - 1], problem=problem)
        await self._settle(EventKind.LOGOUT_TOKEN_FAILED, logout, {"problem": problem}, again=again)

    async def _given_up(self, kind: EventKind, logout: Logout, problem: str) -> None:
        log.warning("client %s was not told of a logout: its backchannel_logout_uri %s", logout.client_id, problem)
        await self._settle(kind, logout, {"problem": problem}, again=replace(logout, due_at=None, problem=problem))

    async def _settle(
        self, kind: EventKind, logout: Logout, outcome: Mapping[str, str], *, again: Logout | None
    ) -> None:
        event = Event(
            kind=kind,
            at=self.server.now(),
            actor="server",
            client_id=logout.client_id,
            subject=logout.subject,
            details={"session": logout.session_id, "attempt": str(logout.attempts), **outcome},
        )
        if await self.store.settle_logout(logout, event, again=again):
            self.server.tell(event)
