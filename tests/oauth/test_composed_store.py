"""Clients of the application's own beside a grant store that is shipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import pytest

from everbearer.oauth.client import Client
from everbearer.oauth.composed_store import ComposedStore
from everbearer.oauth.models import EndReason, Everything
from everbearer.oauth.store import Store
from everbearer.storage.origins import web_origins
from everbearer.storage.store import AdminStore
from everbearer.testing import ClientStoreTests, GrantStoreTests
from everbearer.testing.values import PutClient
from world import World, new_world

Rows: TypeAlias = dict[str, Client]


@dataclass(frozen=True)
class OwnClients:
    """Clients where an application keeps them: it knows no epochs."""

    rows: Mapping[str, Client]

    async def client(self, client_id: str) -> Client | None:
        return self.rows.get(client_id)

    async def allows_origin(self, origin: str) -> bool:
        return any(origin in web_origins(client) for client in self.rows.values())


async def moved(world: World) -> World:
    """Return the world with its clients in a store of the application's own."""
    own = OwnClients({client.client_id: replace(client, epoch=0) for client in await world.store.clients()})
    for client_id in own.rows:
        await world.delete_client(client_id)
    return replace(world, server=replace(world.server, store=ComposedStore(clients=own, grants=world.store)))


@pytest.fixture
async def composed(store: AdminStore) -> World:
    return await moved(await new_world(store))


async def test_a_client_of_the_applications_own_has_grants_in_ours(composed: World) -> None:
    token = await composed.refresh_token()

    assert (await composed.refresh(token)).status == 200
    assert await composed.store.client("spa") is None


async def test_reuse_is_noticed_as_ever(composed: World) -> None:
    token = await composed.refresh_token()
    await composed.refresh((await composed.refresh(token)).refresh_token)

    assert (await composed.refresh(token)).error == "invalid_grant"


async def test_grants_that_are_given_after_all_of_the_clients_had_ended_live(composed: World) -> None:
    before = await composed.refresh_token()
    await composed.server.store.end_all(Everything.CLIENT, "spa", composed.ended(EndReason.REVOKED_BY_ADMIN))
    after = await composed.refresh_token()

    assert [(await composed.refresh(token)).status for token in (before, after)] == [400, 200]


class TestComposedStore(GrantStoreTests, ClientStoreTests):
    """Two stores together are one."""

    @pytest.fixture
    def rows(self) -> Rows:
        return {}

    @pytest.fixture
    def store(self, store: AdminStore, rows: Rows) -> Store:
        return ComposedStore(clients=OwnClients(rows), grants=store)

    @pytest.fixture
    def put_client(self, rows: Rows) -> PutClient:
        async def put(client: Client) -> None:
            rows[client.client_id] = client

        return put
