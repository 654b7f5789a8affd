"""Clients, read by id and by the origins of their redirect URIs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.client import Client
from everbearer.oauth.store import ClientStore
from everbearer.testing.values import CLIENT, PutClient


class ClientStoreTests:
    """What every `ClientStore` does. Needs the fixtures `store` and `put_client`."""

    async def test_a_client_comes_back_as_it_was_stored(self, store: ClientStore, put_client: PutClient) -> None:
        await put_client(CLIENT)

        assert await store.client("spa") == CLIENT

    async def test_a_client_of_defaults_comes_back(self, store: ClientStore, put_client: PutClient) -> None:
        await put_client(Client(client_id="web"))

        assert await store.client("web") == Client(client_id="web")

    async def test_a_client_that_was_changed_comes_back_as_it_is_now(
        self, store: ClientStore, put_client: PutClient
    ) -> None:
        await put_client(CLIENT)
        await put_client(replace(CLIENT, client_name="Another", disabled_at=None))

        assert await store.client("spa") == replace(CLIENT, client_name="Another", disabled_at=None)

    @pytest.mark.parametrize("client_id", ["web", "", "SPA", "spa ", "spa\n", "x" * 1000])
    async def test_there_is_no_client_of_another_id(
        self, store: ClientStore, put_client: PutClient, client_id: str
    ) -> None:
        await put_client(CLIENT)

        assert await store.client(client_id) is None

    @pytest.mark.parametrize(
        ("origin", "allowed"),
        [
            ("https://app.example", True),
            ("http://localhost:8080", True),
            ("https://bye.example", True),
            ("http://app.example", False),
            ("https://app.example:8443", False),
            ("https://evil.example", False),
            ("https://app.example.evil.example", False),
            ("com.example.app:", False),
            ("null", False),
            ("", False),
        ],
    )
    async def test_the_origins_of_redirect_uris_are_allowed_and_no_others(
        self, store: ClientStore, put_client: PutClient, origin: str, *, allowed: bool
    ) -> None:
        await put_client(CLIENT)

        assert await store.allows_origin(origin) is allowed
