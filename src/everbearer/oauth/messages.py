"""HTTP requests and responses as plain values, free of any server or framework."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from everbearer.oauth.encoding import compact_json

Headers: TypeAlias = tuple[tuple[str, str], ...]

NO_STORE: Headers = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
"""What every answer with a token, a code or an error carries (RFC 6749 §5.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. Header names are in lower case; `query` is as on the wire, without the `?`."""

    method: str
    path: str
    query: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes = field(default=b"", repr=False)
    remote_address: str = ""

    @property
    def media_type(self) -> str:
        """Return the content type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def user_agent(self) -> str:
        """Return the `User-Agent`, cut to a length that is safe to keep."""
        return self.headers.get("user-agent", "")[:200]


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One HTTP response. `error` is the OAuth error it tells of, for those who count: it is not sent by itself.

    `trouble` is why the store could not answer, for the operator, and is not sent at all.
    """

    status: int = 200
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    error: str = ""
    trouble: str = ""

    def with_headers(self, *headers: tuple[str, str]) -> Response:
        """Return the same response with more headers."""
        return Response(
            status=self.status,
            headers=(*self.headers, *headers),
            body=self.body,
            error=self.error,
            trouble=self.trouble,
        )


Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
"""What answers at a path."""


def json_response(members: Mapping[str, object], *, status: int = 200, headers: Headers = NO_STORE) -> Response:
    """Render members as JSON, not to be stored unless `headers` say otherwise (RFC 6749 §5.1)."""
    body = compact_json(members)
    return Response(status=status, headers=(("Content-Type", "application/json"), *headers), body=body)


def redirect(location: str, *headers: tuple[str, str]) -> Response:
    """Redirect with 303, so that a posted form is never sent on (RFC 9700 §4.12)."""
    return Response(status=303, headers=(("Location", location), *NO_STORE, *headers))
