"""Stores on a database say so when they are opened with the wrong things."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from everbearer.storage import postgresql, sqlite

SQLITE: Any = sqlite.SQLiteStore
BLOCKING: Any = sqlite.BlockingSQLiteStore
POSTGRESQL: Any = postgresql.PostgreSQLStore
URL = "postgresql://127.0.0.1/everbearer"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: SQLITE(None), "path must be a str or a Path, not None"),
        (lambda: SQLITE("a.db", patience=timedelta(1)), "patience must be a number, not a timedelta"),
        (lambda: SQLITE("a.db", client_lifetimes=3600), "client_lifetimes must be a Lifetimes or None, not an int"),
        (lambda: BLOCKING(b"a.db"), "path must be a str or a Path, not bytes"),
        (lambda: BLOCKING("a.db", session_lifetimes={}), "session_lifetimes must be a SessionLifetimes or None, not a"),
        (lambda: POSTGRESQL(None), "url must be a str, not None"),
        (lambda: POSTGRESQL(URL, connections="8"), "connections must be an int, not a str"),
        (lambda: POSTGRESQL(URL, connections=0), "connections is 0: it must be at least 1"),
    ],
)
def test_what_makes_no_store_says_so(make: Callable[[], object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        make()
