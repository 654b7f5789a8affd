"""Traces of requests for OpenTelemetry: one span each, for a share of them. Needs the extra `otel`.

A span tells method, path of the table, status and OAuth error, as semantic conventions name them; nothing that a
request carries.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from everbearer.oauth.messages import Request, Response
from everbearer.server.config import TracesSection
from everbearer.server.observing.logs import REQUEST_ID
from everbearer.server.observing.requests import FAILED, Trace


class _Answered:
    def __init__(self, span: Span) -> None:
        self._span = span

    def answered(self, response: Response) -> None:
        self._span.set_attribute("http.response.status_code", response.status)
        if response.error:
            self._span.set_attribute("error.type", response.error)
        if response.status >= FAILED:
            self._span.set_status(Status(StatusCode.ERROR))


def start_tracing(traces: TracesSection, exporter: SpanExporter | None = None) -> tuple[Trace, Callable[[], None]]:
    """Return what opens spans, and what sends those that are left and stops.

    Spans are sent by a thread of their own, in batches; where the collector does not keep up they are dropped.
    """
    # Not by the parent's word: what anybody sends from outside must not decide how much we trace.
    provider = TracerProvider(
        sampler=TraceIdRatioBased(traces.sample),
        resource=Resource.create({"service.name": "everbearer", "service.version": version("everbearer")}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter(endpoint=traces.endpoint)))
    tracer = provider.get_tracer("everbearer")

    @contextmanager
    def trace(request: Request, method: str, endpoint: str) -> Generator[_Answered]:
        with tracer.start_as_current_span(
            f"{method} {endpoint}",
            context=extract(request.headers),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": method,
                "http.route": endpoint,
                "everbearer.request_id": REQUEST_ID.get(),
            },
        ) as span:
            yield _Answered(span)

    return trace, provider.shutdown
