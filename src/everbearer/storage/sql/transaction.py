"""What a verb in SQL runs on, and the one difference between the databases: how a placeholder is spelt."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias, TypeVar

T = TypeVar("T")

Row: TypeAlias = tuple[Any, ...]
"""Columns in the order of the statement: texts, integers and None."""

Value: TypeAlias = str | int | None

Verb: TypeAlias = "Callable[[Transaction], Awaitable[T]]"
"""What happens in one transaction. It awaits nothing but its statements."""


Written: TypeAlias = Callable[[int, float], None]
"""Is told of each transaction that writes: how many verbs shared it, 0 where it failed, and its seconds. It may be
called by another thread, and may not raise."""


def tell_nobody(verbs: int, seconds: float) -> None:
    """Listen to nothing."""


class Transaction(Protocol):
    """One transaction of a database."""

    async def run(self, statement: str, /, **parameters: Value) -> list[Row]:
        """Run a statement with its `:name` placeholders filled in, and return all rows."""
        ...


class Database(Protocol):
    """Where transactions run. All of them raise `StoreUnavailable` where the database cannot answer in time."""

    async def look_up(self, verb: Verb[T]) -> T:
        """Run a verb that reads one thing by its key, in one statement: what every request does."""
        ...

    async def read(self, verb: Verb[T]) -> T:
        """Run a verb that reads in one statement, which may take long."""
        ...

    async def write(self, verb: Verb[T]) -> T:
        """Run a verb that writes, alone among writers; it returns when its effect is kept for good."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of all resources."""
        ...


_PLACEHOLDER = re.compile(r"(?<!:):([a-z_]+)")


def numbered(statement: str) -> tuple[str, tuple[str, ...]]:
    """Return a statement with PostgreSQL's `$n` for each `:name`, and the names in the order of their numbers."""
    names = tuple(dict.fromkeys(_PLACEHOLDER.findall(statement)))
    return _PLACEHOLDER.sub(lambda match: f"${names.index(match[1]) + 1}", statement), names
