"""Fetches by the standard library: what resource servers ask their issuer with unless another function is passed in."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPException, HTTPResponse
from typing import IO, cast
from urllib.error import HTTPError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from everbearer.oauth.arguments import check_fields
from everbearer.resource_server.fetching import NO_ANSWER, Fetch, Fetched

LONGEST = 512 * 1024
"""Bytes of an answer that are read."""
_CHUNK = 64 * 1024


class _NoRedirects(HTTPRedirectHandler):
    """Follows nothing: credentials would go along."""

    def redirect_request(
        self,
        req: Request,  # noqa: ARG002 - the shape of the method
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: Message,  # noqa: ARG002
        newurl: str,  # noqa: ARG002
    ) -> None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardFetch:
    """Fetches by `urllib`, through the proxy that the environment names, if any. No redirect is followed."""

    tls: ssl.SSLContext | None = None
    """What the issuer's certificate is verified by; None for what this machine trusts."""
    patience: float = 5.0
    """Seconds to wait for a connection and for each part of an answer, and for the whole of its body."""
    _opener: OpenerDirector = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_fields(self, {"tls": "write ssl.create_default_context(cafile=...)"})
        if not self.patience > 0:
            raise ValueError("patience is a number of seconds above 0")
        opener = OpenerDirector()
        for handler in (
            ProxyHandler(),
            HTTPHandler(),
            HTTPSHandler(context=self.tls),
            HTTPDefaultErrorHandler(),
            HTTPErrorProcessor(),
            _NoRedirects(),
        ):
            opener.add_handler(handler)
        object.__setattr__(self, "_opener", opener)

    def __call__(self, wanted: Fetch) -> Fetched:
        """Return the answer to a request, `NO_ANSWER` where none comes in time."""
        headers = {"User-Agent": "everbearer", **dict(wanted.headers)}
        request = Request(wanted.url, data=wanted.body, headers=headers, method=wanted.method)  # noqa: S310 - checked
        until = time.monotonic() + self.patience
        try:
            with cast("HTTPResponse", self._opener.open(request, timeout=self.patience)) as answer:
                return _read(answer, until)
        except HTTPError as error:
            with error:
                return Fetched(status=error.code)
        except (OSError, HTTPException):
            return NO_ANSWER


def _read(answer: HTTPResponse, until: float) -> Fetched:
    body = b""
    while chunk := answer.read1(_CHUNK):
        body += chunk
        if len(body) > LONGEST or time.monotonic() > until:
            return NO_ANSWER
    return Fetched(status=answer.status, body=body)
