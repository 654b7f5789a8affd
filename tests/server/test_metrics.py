"""Metrics: what is counted, what becomes of several processes' numbers, and what Prometheus reads."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.messages import Request, Response
from everbearer.server.observing import scraping
from everbearer.server.observing.exposition import merge, text_of
from everbearer.server.observing.metrics import (
    CODES_REFUSED,
    FAMILIES,
    KEY_AGE,
    REFRESHES,
    REQUEST_SECONDS,
    REQUESTS,
    SIGN_INS,
    WORKERS,
    Metrics,
)
from everbearer.server.observing.requests import observing
from everbearer.server.observing.scraping import Collector, metrics_port, telling
from everbearer.server.password_pool import PasswordPool
from everbearer.storage.sqlite import SQLiteStore
from server_process import free_port

ENOUGH = 60
"""Seconds after which something is stuck."""


def counted(metrics: Metrics, *events: Event) -> Metrics:
    for event in events:
        metrics.hear(event)
    return metrics


def refused(reason: str, grant_type: str = "refresh_token") -> Event:
    return Event(kind=EventKind.INVALID_GRANT, at=1, details={"grant_type": grant_type, "reason": reason})


def read(text: str) -> dict[str, Any]:
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_reason_that_is_not_ours_is_no_label() -> None:
    metrics = counted(Metrics(), refused("reused"), refused("made up"), refused("made up", "authorization_code"))

    assert metrics.snapshot()[REFRESHES.name] == [(("refused", "reused"), [1.0]), (("refused", "other"), [1.0])]
    assert metrics.snapshot()[CODES_REFUSED.name] == [(("other",), [1.0])]


def test_a_sign_in_that_was_not_looked_at_is_told_from_a_wrong_one() -> None:
    events = [
        Event(kind=EventKind.SIGN_IN_FAILED, at=1, details={"reason": reason})
        for reason in ("wrong credentials", "too many attempts")
    ]

    assert counted(Metrics(), *events).snapshot()[SIGN_INS.name] == [(("wrong",), [1.0]), (("limited",), [1.0])]


def test_events_that_are_not_counted_are_let_pass() -> None:
    metrics = counted(Metrics(), Event(kind=EventKind.CONSENT_GIVEN, at=1))

    assert REFRESHES.name not in metrics.snapshot()


def test_counts_of_processes_are_added_and_ages_are_not() -> None:
    one, other = Metrics(), Metrics()
    one.add(REQUESTS, "/a", "GET", "200", "")
    other.add(REQUESTS, "/a", "GET", "200", "")
    other.add(REQUESTS, "/b", "GET", "200", "")
    one.watch(KEY_AGE, lambda: {("ES256",): 5})
    other.watch(KEY_AGE, lambda: {("ES256",): 7})

    merged = merge([one.snapshot(), other.snapshot()])

    assert merged[REQUESTS.name] == [(("/a", "GET", "200", ""), [2.0]), (("/b", "GET", "200", ""), [1.0])]
    assert merged[KEY_AGE.name] == [(("ES256",), [7.0])]
    assert merged[WORKERS.name] == [((), [2.0])]


@given(seconds=st.lists(st.floats(0, 100), max_size=20), label=st.text())
def test_prometheus_reads_what_is_written(seconds: list[float], label: str) -> None:
    metrics = Metrics()
    for value in seconds:
        metrics.observe(REQUEST_SECONDS, value, label)

    families = {family.name: family for family in text_string_to_metric_families(text_of(merge([metrics.snapshot()])))}

    assert {family.name.removesuffix("_total") for family in FAMILIES} <= families.keys()
    samples = families[REQUEST_SECONDS.name].samples
    assert [sample.value for sample in samples if sample.name.endswith("_count")] == [len(seconds)] * bool(seconds)
    assert [sample.labels["endpoint"] for sample in samples] == [label] * len(samples)
    buckets = [sample.value for sample in samples if sample.name.endswith("_bucket")]
    assert buckets == sorted(buckets)


def test_every_metric_is_in_the_operations_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")

    assert [family.name for family in FAMILIES if f"`{family.name}`" not in page] == []


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give processes longer to tell their snapshot than they need on a busy machine."""
    monkeypatch.setattr(scraping, "PATIENCE", ENOUGH)


@pytest.mark.usefixtures("patience")
async def test_the_port_tells_what_a_process_has_counted() -> None:
    port = free_port()
    metrics = Metrics()
    metrics.add(REQUESTS, "/a", "GET", "200", "")
    with metrics_port("127.0.0.1", port) as folder:
        async with telling(metrics, folder), httpx.AsyncClient(timeout=ENOUGH) as prometheus:
            answer = await prometheus.get(f"http://127.0.0.1:{port}/metrics")
            elsewhere = await prometheus.get(f"http://127.0.0.1:{port}/other")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert [value for name, value in read(answer.text).items() if name.startswith(REQUESTS.name)] == [1.0]
    assert elsewhere.status_code == 404


def test_a_port_that_is_taken_is_told() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="in use"),
        metrics_port("127.0.0.1", taken.getsockname()[1]),
    ):
        pass


@pytest.mark.usefixtures("patience")
async def test_counts_of_a_process_that_has_ended_stay(tmp_path: Path) -> None:
    collector = Collector(tmp_path)
    for _ in range(2):
        metrics = Metrics()
        metrics.add(REQUESTS, "/a", "GET", "200", "")
        async with telling(metrics, tmp_path):
            told = await asyncio.to_thread(collector.collect)

    after = collector.collect()

    assert [told[REQUESTS.name][0][1], told[WORKERS.name][0][1]] == [[2.0], [1.0]]
    assert after[REQUESTS.name][0][1] == [2.0]
    assert after[WORKERS.name] == []


TELLING = """
import asyncio, sys
from pathlib import Path
from everbearer.server.observing.metrics import REQUESTS, Metrics
from everbearer.server.observing.scraping import telling

async def main():
    metrics = Metrics()
    metrics.add(REQUESTS, "/a", "GET", "200", "")
    async with telling(metrics, Path(sys.argv[1])):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def process(tmp_path: Path) -> Any:
    command = [sys.executable, "-c", TELLING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:  # noqa: S603 - our own program
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        yield started
        started.kill()


def assert_told(collector: Collector) -> None:
    """Have the process tell its snapshot, for which it may need more than one call on a busy machine."""
    assert any(collector.collect()[WORKERS.name] for _ in range(ENOUGH))


def test_a_process_that_was_killed_is_forgotten_and_its_counts_are_not(process: Any, tmp_path: Path) -> None:
    collector = Collector(tmp_path)
    assert_told(collector)
    process.kill()
    process.wait()

    told = collector.collect()

    assert (told[REQUESTS.name][0][1], told[WORKERS.name]) == ([1.0], [])
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_too_busy_to_answer_counts_as_it_did(process: Any, tmp_path: Path) -> None:
    collector = Collector(tmp_path)
    assert_told(collector)
    process.send_signal(signal.SIGSTOP)

    told = collector.collect()

    assert (told[REQUESTS.name][0][1], told[WORKERS.name][0][1]) == ([1.0], [1.0])


async def test_the_store_tells_of_each_transaction_and_of_those_that_failed(tmp_path: Path) -> None:
    told: list[tuple[int, float]] = []
    store = SQLiteStore(tmp_path / "e.db", written=lambda verbs, seconds: told.append((verbs, seconds)))
    await store.migrate()
    told.clear()

    await asyncio.gather(*(store.count_attempt(f"bucket {at}", now=1, window=60) for at in range(20)))
    await store.close()
    broken = SQLiteStore(tmp_path / "no folder" / "e.db", written=lambda verbs, seconds: told.append((verbs, seconds)))
    with pytest.raises(Exception, match="SQLite cannot answer"):
        await broken.migrate()
    await broken.close()

    assert sum(verbs for verbs, _ in told) == 20
    assert (told[-1][0], min(seconds for _, seconds in told) >= 0) == (0, True)


async def test_the_pool_tells_of_whom_it_refuses() -> None:
    refusals: list[None] = []
    pool = PasswordPool(threads=1, waiting=0, refused=lambda: refusals.append(None))
    first = asyncio.create_task(pool.run(lambda: None))
    await asyncio.sleep(0)

    with pytest.raises(Exception, match="too many"):
        await pool.run(lambda: None)

    assert (len(refusals), pool.under_way) == (1, 1)
    await first
    pool.close()


async def test_a_request_under_way_is_seen_and_counted_when_it_has_ended() -> None:
    metrics = Metrics()
    observe = observing(metrics, ["/a"])
    seen: list[int] = []

    async def endpoint(_: Request) -> Response:
        seen.append(metrics.requests_under_way)
        return Response(status=204)

    await observe(Request(method="GET", path="/a"), endpoint)
    await observe(Request(method="BREW", path="/b"), endpoint)

    assert (seen, metrics.requests_under_way) == ([1, 1], 0)
    assert [labels for labels, _ in metrics.snapshot()[REQUESTS.name]] == [
        ("/a", "GET", "204", ""),
        ("other", "other", "204", ""),
    ]
