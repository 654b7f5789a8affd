"""Traces: a span for a share of the requests, which tells what became of each and nothing that it carried."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from everbearer.oauth.messages import Request, Response
from everbearer.server.config import Config, TracesSection
from everbearer.server.config.rules import config_problems
from everbearer.server.observing.metrics import Metrics
from everbearer.server.observing.requests import observing
from everbearer.server.observing.tracing import start_tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TOKEN = Request(
    method="POST",
    path="/oauth2/token",
    query="secret=1",
    headers={"traceparent": PARENT, "authorization": "Basic secret", "x-request-id": "abc"},
    body=b"secret=1",
)


async def traced(response: Response, *, sample: float = 1.0, path: str = TOKEN.path) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    trace, stop = start_tracing(TracesSection(endpoint="http://127.0.0.1:4318/v1/traces", sample=sample), exporter)

    async def endpoint(_: Request) -> Response:
        return response

    await observing(Metrics(), [path], trace=trace)(TOKEN, endpoint)
    stop()
    return exporter


async def test_a_request_has_a_span_within_its_callers_trace() -> None:
    (span,) = (await traced(Response(status=400, error="invalid_grant"))).get_finished_spans()

    assert (span.name, span.kind) == ("POST /oauth2/token", SpanKind.SERVER)
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/oauth2/token",
        "everbearer.request_id": "abc",
        "http.response.status_code": 400,
        "error.type": "invalid_grant",
    }
    assert span.context.trace_id == int(PARENT.split("-")[1], 16)
    assert span.status.status_code is StatusCode.UNSET
    assert "secret" not in span.to_json()


async def test_a_request_that_fails_has_a_span_that_says_so() -> None:
    (span,) = (await traced(Response(status=503))).get_finished_spans()

    assert span.status.status_code is StatusCode.ERROR


async def test_a_path_that_somebody_made_up_is_no_name() -> None:
    (span,) = (await traced(Response(status=404), path="/elsewhere")).get_finished_spans()

    assert span.name == "POST other"


async def test_a_caller_does_not_decide_what_is_traced() -> None:
    assert (await traced(Response(), sample=0.0)).get_finished_spans() == ()


@pytest.mark.parametrize(("endpoint", "told"), [("127.0.0.1:4318", 1), ("http://127.0.0.1:4318/v1/traces", 0), ("", 0)])
def test_an_endpoint_that_is_no_url_is_refused(endpoint: str, told: int) -> None:
    problems = config_problems(Config(traces=TracesSection(endpoint=endpoint)))

    assert len([problem for problem in problems if problem.startswith("traces.endpoint")]) == told
