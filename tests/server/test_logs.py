"""The log: one line for what failed and for what looks like theft, with the id of the request, and no secret."""

from __future__ import annotations

import json
import logging
import re
import sys

import httpx
import pytest

from everbearer.http.asgi import asgi_application
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.messages import Request, Response
from everbearer.server.config import LogsSection
from everbearer.server.observing.logs import (
    REQUEST_ID,
    JsonFormatter,
    TextFormatter,
    configure_logs,
    log_theft,
    log_unusable_keys,
)
from everbearer.server.observing.metrics import REQUESTS, Metrics
from everbearer.server.observing.requests import observing


async def fine(_: Request) -> Response:
    return Response(status=200)


async def in_trouble(_: Request) -> Response:
    return Response(status=503)


async def broken(_: Request) -> Response:
    raise RuntimeError("out of order")


def client_of(endpoint: object, metrics: Metrics | None = None) -> httpx.AsyncClient:
    app = asgi_application(endpoint, max_body=10, observe=observing(metrics or Metrics(), ["/known"]))  # type: ignore[arg-type] # any of the three
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://id.example")


def record(message: str = "said", **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("everbearer", logging.WARNING, "file.py", 1, message, (), None)
    made.fields = fields
    return made


def fields_of(found: logging.LogRecord) -> object:
    return getattr(found, "fields", None)


async def test_an_answer_carries_the_id_of_its_request() -> None:
    async with client_of(fine) as client:
        given = await client.get("/known", headers={"X-Request-Id": "from-the-proxy/1"})
        made = [(await client.get("/known")).headers["x-request-id"] for _ in range(2)]

    assert given.headers["x-request-id"] == "from-the-proxy/1"
    assert re.fullmatch(r"[0-9a-f]{16}", made[0])
    assert made[0] != made[1]


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, 'a"b', "a\x1b[2J", "ä"])
async def test_an_id_that_could_do_harm_is_not_taken_over(sent: str) -> None:
    async with client_of(fine) as client:
        answer = await client.get("/known", headers=[(b"X-Request-Id", sent.encode())])

    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])


async def test_a_request_that_is_answered_well_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "everbearer")
    async with client_of(fine) as client:
        await client.get("/known?secret=1")

    assert caplog.records == []


async def test_a_request_that_fails_is_logged_without_what_it_carried(caplog: pytest.LogCaptureFixture) -> None:
    async with client_of(in_trouble) as client:
        await client.get("/erb_secret?secret=1")

    assert [fields_of(found) for found in caplog.records] == [{"method": "GET", "endpoint": "other", "status": 503}]


async def test_an_error_of_ours_is_answered_counted_and_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = Metrics()
    async with client_of(broken, metrics) as client:
        answer = await client.get("/known?secret=1")

    assert (answer.status_code, answer.json()["error"]) == (500, "server_error")
    assert answer.headers["x-request-id"]
    assert [labels for labels, _ in metrics.snapshot()[REQUESTS.name]] == [("/known", "GET", "500", "server_error")]
    assert "out of order" in caplog.text
    assert "secret" not in caplog.text


async def test_a_body_that_is_too_long_is_counted_too() -> None:
    metrics = Metrics()
    async with client_of(fine, metrics) as client:
        answer = await client.post("/known", content=b"x" * 11)

    assert answer.headers["x-request-id"]
    assert [labels for labels, _ in metrics.snapshot()[REQUESTS.name]] == [("/known", "POST", "413", "invalid_request")]


@pytest.mark.parametrize(
    ("reason", "told"), [("reused", 1), ("late_retries", 1), ("code_replayed", 1), ("expired_idle", 0), ("", 0)]
)
def test_what_looks_like_theft_is_logged(caplog: pytest.LogCaptureFixture, reason: str, told: int) -> None:
    log_theft(Event(kind=EventKind.INVALID_GRANT, at=1, grant_id="g", client_id="spa", details={"reason": reason}))
    log_theft(Event(kind=EventKind.TOKEN_REFRESHED, at=1, details={"happening": "rotated"}))

    assert len(caplog.records) == told


def test_a_client_that_nothing_can_be_encrypted_to_is_logged_with_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    details = {"reason": "the jwks of this client is not JSON"}
    log_unusable_keys(Event(kind=EventKind.CLIENT_KEYS_UNUSABLE, at=1, client_id="web", details=details))
    log_unusable_keys(Event(kind=EventKind.TOKEN_REFRESHED, at=1, details={"happening": "rotated"}))

    (told,) = caplog.records
    assert vars(told)["fields"] == {"client_id": "web"} | details


def test_a_line_of_json_has_the_fields_and_the_id() -> None:
    token = REQUEST_ID.set("abc")
    line = JsonFormatter().format(record(reason="reused"))
    REQUEST_ID.reset(token)

    members = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", members.pop("time"))
    assert members == {
        "level": "warning",
        "logger": "everbearer",
        "message": "said",
        "request_id": "abc",
        "reason": "reused",
    }


def test_a_traceback_stays_within_its_line_of_json() -> None:
    try:
        json.loads("line one\nline two")
    except ValueError as error:
        error.args = ("line one\nline two",)
        made = logging.LogRecord("everbearer", logging.ERROR, "file.py", 1, "failed", (), sys.exc_info())

    line = JsonFormatter().format(made)

    assert "\n" not in line
    assert "line two" in json.loads(line)["exception"]
    assert TextFormatter().format(made).splitlines()[-1] == "line two"


def test_a_value_cannot_begin_a_line_of_its_own() -> None:
    line = TextFormatter().format(record(address="192.0.2.1\n2026 ERROR forged"))

    assert line.endswith(r'WARNING everbearer: said address="192.0.2.1\n2026 ERROR forged"')


@pytest.mark.parametrize(("level", "told"), [("info", 2), ("warning", 1), ("error", 0)])
def test_the_level_is_a_setting(capsys: pytest.CaptureFixture[str], level: str, told: int) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        configure_logs(LogsSection(level=level, format="json"))  # type: ignore[arg-type] # one of its words
        logging.getLogger("everbearer").info("ours")
        logging.getLogger("a.library").warning("another's")
    finally:
        logging.getLogger().handlers, logging.getLogger().level = before

    assert len(capsys.readouterr().err.splitlines()) == told
