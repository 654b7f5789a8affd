"""What is seen of every request: an id that its answer and its log lines carry, a count and a time, maybe a trace."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from secrets import token_hex
from time import perf_counter
from typing import Protocol, TypeAlias

from everbearer.http.asgi import Observe, answer_safely
from everbearer.oauth.messages import Endpoint, Request, Response
from everbearer.server.logs import REQUEST_ID, log_failure
from everbearer.server.metrics import METHODS, OTHER, REQUEST_SECONDS, REQUESTS, Metrics

FAILED = 500
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
"""What we take over as an id: nothing that could begin a line or a header of its own."""


class Span(Protocol):
    """A trace of one request under way."""

    def answered(self, response: Response) -> None:
        """Note how it was answered."""
        ...


Trace: TypeAlias = Callable[[Request, str, str], AbstractContextManager[Span]]
"""Opens the span of a request, given its method and endpoint in bounded words."""


class _NoSpan:
    def answered(self, response: Response) -> None:
        pass


_NOTHING = nullcontext(_NoSpan())


def no_trace(request: Request, method: str, endpoint: str) -> AbstractContextManager[Span]:  # noqa: ARG001 - a `Trace`
    """Trace nothing."""
    return _NOTHING


def observing(metrics: Metrics, paths: Collection[str], *, trace: Trace = no_trace) -> Observe:
    """Return what asks endpoints and sees to the rest. `paths` are those that have a name of their own in metrics."""
    known = frozenset(paths)

    async def observe(request: Request, endpoint: Endpoint) -> Response:
        began = perf_counter()
        path = request.path if request.path in known else OTHER
        method = request.method if request.method in METHODS else OTHER
        request_id = _request_id(request)
        token = REQUEST_ID.set(request_id)
        metrics.requests_under_way += 1
        try:
            with trace(request, method, path) as span:
                response = await answer_safely(request, endpoint)
                span.answered(response)
            if response.status >= FAILED:
                log_failure(method, path, response.status)
        finally:
            metrics.requests_under_way -= 1
            REQUEST_ID.reset(token)
        metrics.add(REQUESTS, path, method, str(response.status), response.error)
        metrics.observe(REQUEST_SECONDS, perf_counter() - began, path)
        return response.with_headers(("X-Request-Id", request_id))

    return observe


def _request_id(request: Request) -> str:
    sent = request.headers.get("x-request-id", "")
    return sent if _REQUEST_ID.fullmatch(sent) else token_hex(8)
