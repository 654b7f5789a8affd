"""The suite of `everbearer.testing`, passed by every store of ours, and without an event loop by those that block."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from everbearer.http.wsgi import finish
from everbearer.oauth.client import Client
from everbearer.oauth.models import Grant
from everbearer.oauth.store import Spend
from everbearer.storage.memory import MemoryStore
from everbearer.storage.store import AdminStore
from everbearer.testing import BlockingDeviceStoreTests, BlockingStoreTests, DeviceStoreTests, PutClient, StoreTests
from every_store import BACKENDS
from storage.values import EVENT


@pytest.fixture
def put_client(store: AdminStore) -> PutClient:
    async def put(client: Client) -> None:
        await store.put_client(client, EVENT)

    return put


class TestEveryStore(StoreTests, DeviceStoreTests):
    """Memory, SQLite and PostgreSQL."""


class TestBlockingStores(BlockingStoreTests, BlockingDeviceStoreTests):
    """The stores that never suspend."""

    @pytest.fixture(params=["memory", "blocking sqlite"])
    def store(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AdminStore]:
        store = BACKENDS[request.param](tmp_path / "everbearer.db")
        finish(store.migrate())
        yield store
        finish(store.close())


class Hasty(MemoryStore):
    """A store that reads, lets others in, and writes."""

    async def spend(  # type: ignore[override] # what an `async def` returns has two names
        self, grant: Grant, *, expected: int
    ) -> Spend:
        stored = await self.grant(grant.grant_id)
        await asyncio.sleep(0)
        assert stored is not None
        self.tables.grants[grant.grant_id] = replace(grant, ended=None)
        return Spend.SPENT if stored.generation == expected else Spend.SUPERSEDED

    async def remember(  # type: ignore[override] # the same
        self, purpose: str, value: str, *, until: int
    ) -> bool:
        known = await self.remembers(purpose, value)
        await asyncio.sleep(0)
        self.tables.remembered[purpose, value] = until
        return not known


async def test_the_suite_notices_a_spend_that_is_not_atomic() -> None:
    with pytest.raises(AssertionError):
        await StoreTests().test_of_many_spends_of_a_generation_at_once_one_wins(Hasty())


async def test_the_suite_notices_an_end_that_a_spend_undoes() -> None:
    with pytest.raises(AssertionError):
        await StoreTests().test_a_grant_that_ends_while_it_is_spent_has_ended(Hasty())


async def test_the_suite_notices_a_memory_that_is_not_atomic() -> None:
    with pytest.raises(AssertionError):
        await StoreTests().test_of_many_who_have_a_value_remembered_at_once_one_is_the_first(Hasty())
