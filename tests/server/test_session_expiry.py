"""Sessions that have expired are ended, so that applications are told of it, and nothing else ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.login.models import Session, SessionLifetimes
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import Authentication, EndReason
from everbearer.server.upkeep.session_expiry import GRACE, end_expired_sessions
from world import ADA, ANY_STORE, World

pytestmark = ANY_STORE

IDLE = SessionLifetimes().idle
BROWSER = Authentication(subject=ADA, auth_time=0, session_id="browser", user_epoch=0)


async def signed_in(world: World, *, scope: str = "openid") -> str:
    """Sign a browser in, and by it to an application that wants to be told; return a refresh token, if there is one."""
    await world.change_client("web", backchannel_logout_uri="https://web.example/out")
    now = world.clock.now
    session = Session(
        session_id="browser", secret=b"s" * 16, subject=ADA, user_epoch=0, auth_time=now, created_at=now, used_at=now
    )
    await world.store.create_session(session, Event(kind=EventKind.SIGNED_IN, at=now, subject=ADA))
    answer = await world.sign_in("web", scope=scope, authentication=replace(BROWSER, auth_time=now))
    return str(answer.json.get("refresh_token", ""))


async def chores(world: World) -> int:
    return await end_expired_sessions(world.store, now=world.clock.now)


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.5")
async def test_applications_are_told_of_a_session_that_has_expired_once(world: World) -> None:
    await signed_in(world)
    world.clock.advance(IDLE + GRACE - 1)
    early = await chores(world)
    world.clock.advance(1)
    ended = [await chores(world), await chores(world)]

    assert (early, ended) == (0, [1, 0])
    (logout,) = await world.store.logouts()
    assert (logout.session_id, logout.client_id, logout.ended_at) == ("browser", "web", world.clock.now)


async def test_why_a_session_ended_is_recorded(world: World) -> None:
    await signed_in(world)
    world.clock.advance(IDLE + GRACE)
    await chores(world)

    session = await world.store.session("browser")
    assert session is not None
    assert session.ended is not None
    assert (session.ended.reason, session.ended.actor) == (EndReason.SESSION_EXPIRED, "server")


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.7")
async def test_a_grant_that_works_when_the_user_is_away_outlives_its_session(world: World) -> None:
    token = await signed_in(world, scope="openid offline_access")
    for _ in range(2):
        world.clock.advance(IDLE - 1)
        answer = await world.refresh(token, client="web")
        token = str(answer.json.get("refresh_token", token))

    assert await chores(world) == 1
    assert (await world.refresh(token, client="web")).status == 200


async def test_a_session_in_use_tells_nobody(world: World) -> None:
    await signed_in(world)
    world.clock.advance(IDLE)
    await world.store.touch_session("browser", world.clock.now)
    world.clock.advance(GRACE)

    assert await chores(world) == 0
    assert await world.store.logouts() == []
