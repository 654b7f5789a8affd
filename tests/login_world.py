"""What the tests of signing in share: a store in memory, a clock that is set by hand, and one user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from everbearer.login.accounts import create_user
from everbearer.login.models import Session, SessionLifetimes, User
from everbearer.login.sessions import open_session
from everbearer.login.sign_in import Attempt, SignedIn, SignInLimits, SignInOutcome, sign_in
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.events import Event
from everbearer.storage.memory import MemoryStore

T = TypeVar("T")

PASSWORD = "correct horse battery"
NOW = 1_800_000_000


@dataclass(kw_only=True)
class World:
    store: MemoryStore = field(default_factory=MemoryStore)
    sealer: Sealer = field(default_factory=lambda: Sealer([b"s" * 32]))
    limits: SignInLimits = field(default_factory=SignInLimits)
    lifetimes: SessionLifetimes = field(default_factory=SessionLifetimes)
    now: int = NOW
    heavy: int = 0
    """How many computations were run that take long."""

    async def run(self, work: Callable[[], T]) -> T:
        self.heavy += 1
        return work()

    async def create(self, login: str = "ada@example.com", password: str = PASSWORD) -> User:
        return await create_user(login, password, store=self.store, run=self.run, now=self.now, actor="admin:test")

    async def sign_in(
        self,
        login: str = "ada@example.com",
        password: str = PASSWORD,
        *,
        address: str = "192.0.2.1",
        flow: str = "",
        present: Session | None = None,
    ) -> SignInOutcome:
        attempt = Attempt(login=login, password=password, flow=flow, address=address, agent="test")
        return await sign_in(attempt, store=self.store, run=self.run, now=self.now, limits=self.limits, present=present)

    async def session(self, *, flow: str = "", present: Session | None = None) -> Session:
        outcome = await self.sign_in(flow=flow, present=present)
        assert isinstance(outcome, SignedIn)
        return outcome.session

    async def open(self, cookie: str) -> Session | None:
        return await open_session(cookie, store=self.store, sealer=self.sealer, lifetimes=self.lifetimes, now=self.now)

    async def newest_event(self) -> Event:
        return (await self.store.events(limit=1))[0]
