"""A primary that is killed and a synchronous standby that takes over: what was answered before is known after."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.models import Grant
from everbearer.storage.postgresql import PostgreSQLStore
from heart.heart_world import (
    NOW,
    SPA,
    created,
    fill,
    generation_of,
    refresh,
    refreshed_grant,
    server_over,
    token_of,
)
from postgresql_server import PostgreSQLServer, new_server, new_standby, temporary_folder

GRANTS = 12
GENERATION = 1
ENOUGH = 120
"""Seconds after which something is stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A primary, and the standby without which it commits nothing."""

    primary: PostgreSQLServer
    standby: PostgreSQLServer

    @property
    def url(self) -> str:
        return f"postgresql://everbearer@{self.primary.host},{self.standby.host}/postgres"


@pytest.fixture
def pair() -> Iterator[Pair]:
    with temporary_folder() as first, temporary_folder() as second:
        primary = new_server(first)
        primary.start(fsync="off")
        standby = new_standby(primary, second)
        standby.start(fsync="off", hot_standby="on")
        primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        primary.execute("SELECT pg_reload_conf()")
        try:
            yield Pair(primary=primary, standby=standby)
        finally:
            standby.stop()
            if (primary.folder / "data" / "postmaster.pid").exists():
                primary.stop()


@dataclass(slots=True, kw_only=True)
class Session:
    """A client that refreshes whenever it can, and keeps what it was answered."""

    server: AuthorizationServer
    token: str
    refreshed: int = 0
    came_again: int = 0

    async def go_on(self, over: asyncio.Event) -> None:
        while not over.is_set():
            answer = await refresh(self.server, SPA, self.token)
            if answer.ok:
                self.token = answer.refresh_token
                self.refreshed += 1
            else:
                assert (answer.status, answer.error) == (503, "temporarily_unavailable")
                self.came_again += 1
                await asyncio.sleep(0.02)


@pytest.mark.rt("RT-66")
async def test_a_refresh_answered_before_a_fail_over_is_known_after_it(pair: Pair) -> None:
    store = PostgreSQLStore(pair.url)
    await store.migrate()
    grants: list[Grant] = [refreshed_grant(SPA, GENERATION, number=number) for number in range(1, GRANTS + 1)]
    await store.put_client(SPA, created(grants[0]))
    for grant in grants:
        await fill(store, grant)
    server, over = server_over(store, lambda: NOW), asyncio.Event()
    sessions = [Session(server=server, token=token_of(grant, GENERATION)) for grant in grants]
    tasks = [asyncio.create_task(session.go_on(over)) for session in sessions]
    async with asyncio.timeout(ENOUGH):
        await until(lambda: all(session.refreshed >= 5 for session in sessions))
        await asyncio.to_thread(pair.primary.kill)
        await until(lambda: all(session.came_again >= 2 for session in sessions))
        answered = [(generation_of(session.token), session.refreshed) for session in sessions]
        await asyncio.to_thread(pair.standby.promote)
        after = [refreshed + 5 for _, refreshed in answered]
        await until(lambda: all(session.refreshed >= enough for session, enough in zip(sessions, after, strict=True)))
        over.set()
        await asyncio.gather(*tasks)

    for session, grant, (generation, refreshed) in zip(sessions, grants, answered, strict=True):
        found = await store.grant(grant.grant_id)
        assert found is not None
        assert found.ended is None
        # A chain without a gap: nothing answered was forgotten, nothing was answered twice.
        assert generation_of(session.token) == generation + session.refreshed - refreshed
        assert found.generation == generation_of(session.token)
        assert not [entry for entry in found.history if entry.happening == "recovered"]
    await store.close()


async def until(it_is_so: Callable[[], bool]) -> None:
    while not it_is_so():  # noqa: ASYNC110 - many sessions and a server bring it about
        await asyncio.sleep(0.02)
