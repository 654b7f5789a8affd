"""What is seen of every request: an id that its answer and its log lines carry, a count and a time, maybe a trace."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from itertools import count
from secrets import token_hex
from time import perf_counter
from typing import Protocol, TypeAlias

from everbearer.http.asgi import Observe, answer_safely
from everbearer.oauth.messages import Endpoint, Request, Response
from everbearer.server.observing.logs import REQUEST_ID, log_failure
from everbearer.server.observing.metrics import METHODS, OTHER, REQUEST_SECONDS, REQUESTS, Metrics

REFUSED, FAILED = 400, 500
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
"""What we take over as an id: nothing that could begin a line or a header of its own."""


class Span(Protocol):
    """A trace of one request under way."""

    def answered(self, response: Response) -> None:
        """Note how it was answered."""
        ...


Trace: TypeAlias = Callable[[Request, str, str], AbstractContextManager[Span]]
"""Opens the span of a request, given its method and endpoint in bounded words."""


Refused: TypeAlias = Callable[[Request, Response], Response]
"""Says how a request is told that it was refused, or that answering it failed."""


def _as_it_is(request: Request, response: Response) -> Response:  # noqa: ARG001 - a `Refused`
    return response


def observing(
    metrics: Metrics, paths: Collection[str], *, trace: Trace | None = None, refused: Refused = _as_it_is
) -> Observe:
    """Return what asks endpoints and sees to the rest. `paths` are those that have a name of their own in metrics."""
    known = frozenset(paths)
    # Random once and counted from there: an id is to be told from others, and need not be hard to guess.
    ids = map(f"{token_hex(4)}{{:08x}}".format, count())

    async def observe(request: Request, endpoint: Endpoint) -> Response:
        began = perf_counter()
        path = request.path if request.path in known else OTHER
        method = request.method if request.method in METHODS else OTHER
        request_id = _sent_id(request) or next(ids)
        token = REQUEST_ID.set(request_id)
        metrics.requests_under_way += 1
        try:
            if trace is None:
                response = await answer_safely(request, endpoint)
            else:
                with trace(request, method, path) as span:
                    response = await answer_safely(request, endpoint)
                    span.answered(response)
            if response.status >= REFUSED:
                response = refused(request, response)
            if response.status >= FAILED:
                log_failure(method, path, response.status)
        finally:
            metrics.requests_under_way -= 1
            REQUEST_ID.reset(token)
        metrics.add(REQUESTS, path, method, str(response.status), response.error)
        metrics.observe(REQUEST_SECONDS, perf_counter() - began, path)
        return response.with_headers(("X-Request-Id", request_id))

    return observe


def _sent_id(request: Request) -> str:
    sent = request.headers.get("x-request-id", "")
    return sent if sent and _REQUEST_ID.fullmatch(sent) else ""
