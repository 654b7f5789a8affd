"""Blocking or not, all who want the same wait for one fetch."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from everbearer.resource_server import Fetch, Fetched, Introspection, InvalidToken, TemporarilyUnavailable
from everbearer.resource_server.fetching import NO_ANSWER, Steps
from everbearer.resource_server.flights import Flights
from resource_server.issuer_world import CREDENTIALS, INTROSPECT, JWKS, OAUTH_METADATA, Issuer
from world import ADA

WANTED = Fetch(url="https://id.example/x?secret=1")


def steps() -> Steps[Fetched]:
    return (yield WANTED)


async def test_asynchronous_requests_at_one_time_make_one_fetch_of_each_document(issuer: Issuer) -> None:
    api = issuer.api()
    texts = [issuer.forged() for _ in range(20)]
    tokens = await asyncio.gather(*[api.validate_async(text) for text in texts])

    assert {token.subject for token in tokens} == {ADA}
    assert [wanted.url for wanted in issuer.asked] == [OAUTH_METADATA, JWKS]


async def test_one_token_at_one_time_is_asked_about_once(issuer: Issuer) -> None:
    api, text = issuer.api(introspection=Introspection(**CREDENTIALS)), await issuer.user_token("opaque")
    tokens = await asyncio.gather(*[api.validate_async(text) for _ in range(20)])

    assert {token.subject for token in tokens} == {ADA}
    assert issuer.asked_for(INTROSPECT) == 1


async def test_a_function_of_ones_own_fetches_on_the_loop(issuer: Issuer) -> None:
    threads: list[threading.Thread] = []

    async def fetch(wanted: Fetch) -> Fetched:
        threads.append(threading.current_thread())
        return issuer.fetch(wanted)

    api = issuer.api(fetch_async=fetch)

    assert (await api.validate_async(issuer.forged())).subject == ADA
    assert set(threads) == {threading.main_thread()}


async def test_without_one_a_thread_fetches(issuer: Issuer) -> None:
    threads: list[threading.Thread] = []

    def fetch(wanted: Fetch) -> Fetched:
        threads.append(threading.current_thread())
        return issuer.fetch(wanted)

    await issuer.api(fetch=fetch).validate_async(issuer.forged())

    assert threading.main_thread() not in threads


async def test_what_is_refused_is_refused_when_awaited_as_well(issuer: Issuer) -> None:
    api = issuer.api()
    with pytest.raises(InvalidToken, match="is malformed"):
        await api.validate_async("")
    issuer.down = True
    with pytest.raises(TemporarilyUnavailable):
        await api.validate_async(issuer.forged())


async def test_who_gives_up_waiting_takes_nothing_from_the_others() -> None:
    flights, landing = Flights(), asyncio.Event()

    async def fetch(wanted: Fetch) -> Fetched:  # noqa: ARG001 - the shape of a fetch
        await landing.wait()
        return Fetched(status=200)

    first = asyncio.ensure_future(flights.run_async(steps(), fetch))
    second = asyncio.ensure_future(flights.run_async(steps(), fetch))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    landing.set()

    assert (await second).status == 200
    assert first.cancelled()


class Watched(Flights):
    """Flights that tell how many threads wait for the fetch of another."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = threading.Semaphore(0)

    def _waited(self, wanted: Fetch, future: Future[Fetched]) -> Fetched:
        self.waiting.release()
        return super()._waited(wanted, future)


def test_threads_at_one_time_make_one_fetch() -> None:
    flights, fetches = Watched(), []

    def fetch(wanted: Fetch) -> Fetched:
        fetches.append(wanted)
        for _ in range(7):
            flights.waiting.acquire()
        return Fetched(status=200)

    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(flights.run, steps(), fetch) for _ in range(8)]

    assert [result.result().status for result in results] == [200] * 8
    assert fetches == [WANTED]


def test_an_event_loop_and_a_thread_wait_for_the_same_fetch() -> None:
    flights, landing, under_way = Flights(), threading.Event(), threading.Event()

    def fetch(wanted: Fetch) -> Fetched:  # noqa: ARG001 - the shape of a fetch
        under_way.set()
        landing.wait()
        return Fetched(status=200)

    async def fetch_no_more(wanted: Fetch) -> Fetched:
        raise AssertionError(f"{wanted.url} is fetched already")

    async def awaiting() -> Fetched:
        waiting = asyncio.ensure_future(flights.run_async(steps(), fetch_no_more))
        await asyncio.sleep(0)
        landing.set()
        return await waiting

    with ThreadPoolExecutor(1) as pool:
        blocking = pool.submit(flights.run, steps(), fetch)
        under_way.wait()
        awaited = asyncio.run(awaiting())

    assert (awaited, blocking.result()) == (Fetched(status=200), Fetched(status=200))


def test_a_fetch_that_fails_is_no_answer_and_tells_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    def fetch(wanted: Fetch) -> Fetched:
        raise RuntimeError(f"Authorization of {wanted.url}")

    with caplog.at_level(logging.WARNING, "everbearer"):
        assert Flights().run(steps(), fetch) == NO_ANSWER

    assert caplog.messages == ["GET of https://id.example/x failed: RuntimeError"]


async def test_a_fetch_that_fails_when_awaited_is_no_answer_either(caplog: pytest.LogCaptureFixture) -> None:
    async def fetch(wanted: Fetch) -> Fetched:
        raise RuntimeError(wanted.url)

    with caplog.at_level(logging.WARNING, "everbearer"):
        assert await Flights().run_async(steps(), fetch) == NO_ANSWER

    assert caplog.messages == ["GET of https://id.example/x failed: RuntimeError"]


def test_a_thread_does_not_wait_for_ever_for_another() -> None:
    flights, landing, under_way = Flights(patience=0), threading.Event(), threading.Event()

    def fetch(wanted: Fetch) -> Fetched:  # noqa: ARG001 - the shape of a fetch
        under_way.set()
        landing.wait()
        return Fetched(status=200)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(flights.run, steps(), fetch)
        under_way.wait()
        assert flights.run(steps(), fetch) == NO_ANSWER
        # It was given up: the next one tries anew.
        landing.set()
        assert flights.run(steps(), fetch).status == 200

    assert first.result().status == 200


async def test_nor_does_an_event_loop() -> None:
    flights = Flights(patience=0)

    async def fetch(wanted: Fetch) -> Fetched:
        await asyncio.Event().wait()
        return Fetched(status=len(wanted.url))

    assert await flights.run_async(steps(), fetch) == NO_ANSWER


def test_the_end_of_an_event_loop_is_no_answer_to_those_elsewhere() -> None:
    flights = Flights()

    async def fetch(wanted: Fetch) -> Fetched:
        await asyncio.Event().wait()
        return Fetched(status=len(wanted.url))

    async def leaving() -> None:
        waiting = asyncio.ensure_future(flights.run_async(steps(), fetch))
        await asyncio.sleep(0)
        waiting.cancel()

    asyncio.run(leaving())

    assert flights._under_way == {}
