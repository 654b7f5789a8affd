"""What a resource server asks of its issuer over HTTP, as values: it is asked by a function that is passed in.

Whatever may need to ask is a generator of `Fetch` that is sent back a `Fetched` for each: one text for blocking and for
asynchronous programs. `flights` runs it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from everbearer.oauth.messages import Headers

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """One HTTP request to the issuer."""

    url: str
    headers: Headers = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    """A form to post; None for a GET."""
    key: str = field(default="", repr=False)
    """What one answer serves all who ask at the same time by; the URL where there is none."""

    @property
    def method(self) -> str:
        """Return `GET`, or `POST` where there is a body."""
        return "GET" if self.body is None else "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The answer to a `Fetch`."""

    status: int
    """The HTTP status; 0 where no answer came."""
    body: bytes = field(default=b"", repr=False)


NO_ANSWER = Fetched(status=0)

Steps: TypeAlias = Generator[Fetch, Fetched, T]
"""Work that may need something fetched on the way to its result."""

BlockingFetch: TypeAlias = Callable[[Fetch], Fetched]
"""Sends a request and returns its answer. It may raise anything where none comes, must give up after some seconds, and
should follow no redirect: what it sends may hold credentials."""
AsyncFetch: TypeAlias = Callable[[Fetch], Awaitable[Fetched]]
"""The same, to be awaited."""
