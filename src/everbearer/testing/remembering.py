"""What is remembered for a while, and the audit trail."""

from __future__ import annotations

from everbearer.oauth.store import GrantStore
from everbearer.testing.values import EVENT, NOW


class RememberingTests:
    """What a store remembers."""

    async def test_a_value_is_remembered_once(self, store: GrantStore) -> None:
        first = await store.remember("jti", "value", until=NOW)
        second = await store.remember("jti", "value", until=NOW + 1)

        assert (first, second) == (True, False)

    async def test_a_value_that_is_remembered_is_known(self, store: GrantStore) -> None:
        await store.remember("jti", "value", until=NOW)

        assert await store.remembers("jti", "value") is True

    async def test_what_is_remembered_for_one_purpose_is_not_for_another(self, store: GrantStore) -> None:
        await store.remember("jti", "value", until=NOW)

        assert await store.remembers("revoked", "value") is False
        assert await store.remember("revoked", "value", until=NOW) is True

    async def test_another_value_is_not_known(self, store: GrantStore) -> None:
        await store.remember("jti", "value", until=NOW)

        assert await store.remembers("jti", "other") is False

    async def test_an_event_is_taken_any_number_of_times(self, store: GrantStore) -> None:
        await store.record(EVENT)
        await store.record(EVENT)

        assert await store.remembers("jti", "value") is False
