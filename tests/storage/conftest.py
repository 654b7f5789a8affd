"""The storage tests run on every store, PostgreSQL included."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from everbearer.storage.store import AdminStore
from every_store import BACKENDS, POSTGRESQL, new_store


@pytest.fixture(params=[*BACKENDS, POSTGRESQL])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AdminStore]:
    async with new_store(request, tmp_path / "everbearer.db") as store:
        yield store
