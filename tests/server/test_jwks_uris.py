"""What clients publish is kept for a while, and nobody can have it fetched more often than that."""

from __future__ import annotations

import asyncio
import logging

import pytest

from everbearer.oauth.errors import InvalidClient, TemporarilyUnavailable
from everbearer.server.outward import documents
from everbearer.server.outward.fetching import Unfetched
from everbearer.server.outward.jwks_uris import LIFETIME, MOST, PAUSE, JwksUris
from server.web import Web
from world import Clock

URI = "https://client.example/jwks?secret"
GONE = Unfetched("answers 404")
BUSY = Unfetched("answers 503", passes=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def web() -> Web:
    return Web()


@pytest.fixture
def jwks(web: Web, clock: Clock) -> JwksUris:
    return JwksUris(web.fetch, clock)


async def test_what_was_fetched_is_good_for_its_lifetime(jwks: JwksUris, web: Web, clock: Clock) -> None:
    seen = [await jwks(URI, anew=False)]
    web.stands = "second"
    for seconds in (LIFETIME - 1, 1):
        clock.advance(seconds)
        seen.append(await jwks(URI, anew=False))

    assert seen == ["first", "first", "second"]
    assert web.asked == [URI, URI]


async def test_who_wants_it_anew_gets_it_twice_in_a_pause(jwks: JwksUris, web: Web, clock: Clock) -> None:
    seen = [await jwks(URI, anew=True)]
    web.stands = "second"
    clock.advance(1)
    seen += [await jwks(URI, anew=True) for _ in range(5)]
    web.stands = "third"
    for seconds in (PAUSE - 2, 1):
        clock.advance(seconds)
        seen += [await jwks(URI, anew=True) for _ in range(5)]

    assert seen == ["first"] + ["second"] * 10 + ["third"] * 5
    assert len(web.asked) == 3


async def test_a_key_published_right_after_another_was_fetched_is_known_at_once(
    jwks: JwksUris, web: Web, clock: Clock
) -> None:
    seen = [await jwks(URI, anew=False)]
    web.stands = "second"
    clock.advance(1)

    assert [*seen, await jwks(URI, anew=True)] == ["first", "second"]


@pytest.mark.parametrize(("trouble", "error"), [(GONE, InvalidClient), (BUSY, TemporarilyUnavailable)])
async def test_a_failure_is_told_and_not_asked_for_again_within_a_pause(
    jwks: JwksUris, web: Web, clock: Clock, trouble: Unfetched, error: type[Exception]
) -> None:
    web.stands = trouble
    for anew in (False, True, False):
        with pytest.raises(error, match=f"the jwks_uri of this client {trouble}"):
            await jwks(URI, anew=anew)
    before = len(web.asked)
    web.stands = "first"
    clock.advance(PAUSE)

    assert await jwks(URI, anew=False) == "first"
    assert before == 1


async def test_a_failure_that_passes_says_when_to_come_again(jwks: JwksUris, web: Web) -> None:
    web.stands = BUSY

    with pytest.raises(TemporarilyUnavailable) as told:
        await jwks(URI, anew=False)

    assert told.value.retry_after == PAUSE


async def test_what_is_known_stays_good_while_it_cannot_be_fetched_anew(jwks: JwksUris, web: Web, clock: Clock) -> None:
    await jwks(URI, anew=False)
    web.stands = BUSY
    clock.advance(PAUSE)
    with pytest.raises(TemporarilyUnavailable):
        await jwks(URI, anew=True)

    assert await jwks(URI, anew=False) == "first"
    clock.advance(LIFETIME)
    with pytest.raises(TemporarilyUnavailable):
        await jwks(URI, anew=False)


async def test_all_that_ask_at_once_wait_for_one_fetch(jwks: JwksUris, web: Web) -> None:
    web.open.clear()
    asking = [asyncio.create_task(jwks(URI, anew=anew)) for anew in (True, False) * 10]
    for _ in range(3):
        await asyncio.sleep(0)
    asking[0].cancel()
    web.open.set()

    seen = await asyncio.gather(*asking, return_exceptions=True)

    assert isinstance(seen[0], asyncio.CancelledError)
    assert seen[1:] == ["first"] * 19
    assert web.asked == [URI]


async def test_nothing_published_is_asked_for_again_after_a_pause(jwks: JwksUris, web: Web, clock: Clock) -> None:
    web.stands = ""
    seen = [await jwks(URI, anew=False) for _ in range(3)]
    web.stands = "first"
    clock.advance(PAUSE)

    assert [*seen, await jwks(URI, anew=False)] == ["", "", "", "first"]
    assert len(web.asked) == 2


async def test_no_more_is_kept_than_a_certain_number(jwks: JwksUris, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST", 3)
    for number in (1, 2, 3, 4, 4, 1):
        await jwks(f"{URI}{number}", anew=False)

    assert web.asked == [f"{URI}{number}" for number in (1, 2, 3, 4, 1)]
    assert MOST == 1000


async def test_the_log_says_why_without_the_query(jwks: JwksUris, web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    web.stands = GONE

    with pytest.raises(InvalidClient):
        await jwks(URI, anew=False)

    assert caplog.messages == ["the jwks_uri https://client.example/jwks answers 404"]
