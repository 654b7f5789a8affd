"""Grants as they are stored, and their generations as they are spent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.models import CodeBinding
from everbearer.oauth.store import GrantStore, Spend
from everbearer.testing.values import EVENT, GRANT, NOW, new_grant, stored


class SpendingTests:
    """What a store does with a grant while it lives."""

    async def test_a_grant_comes_back_as_it_was_stored(self, store: GrantStore) -> None:
        await store.create_grant(GRANT, EVENT)

        assert await store.grant("grant") == GRANT

    async def test_a_grant_of_nothing_but_what_it_must_have_comes_back(self, store: GrantStore) -> None:
        bare = replace(
            GRANT,
            scope=(),
            offline=False,
            authentication=replace(GRANT.authentication, amr=(), acr="", session_id=""),
            idempotency_key="",
            code=None,
            claims=None,
            resources=(),
            history=(),
        )
        await store.create_grant(bare, EVENT)

        assert await store.grant("grant") == bare

    async def test_there_is_no_grant_that_was_not_stored(self, store: GrantStore) -> None:
        assert await store.grant("other") is None

    async def test_a_spend_writes_all_that_changes(self, store: GrantStore) -> None:
        before = await stored(store, GRANT)
        after = replace(
            before,
            generation=4,
            rotated_at=NOW + 100,
            used_at=NOW + 101,
            confirmed=3,
            retries=0,
            late_generation=3,
            late_streak=2,
            idempotency_key="another",
            code=None,
            history=before.history[1:],
        )

        assert await store.spend(after, expected=3) is Spend.SPENT
        assert await store.grant("grant") == after

    async def test_a_spend_writes_nothing_that_does_not_change(self, store: GrantStore) -> None:
        before = await stored(store, GRANT)
        after = replace(
            before,
            subject="eve",
            client_id="other",
            scope=("admin",),
            resources=("https://other.example/",),
            secret=b"x" * 16,
            created_at=0,
        )
        await store.spend(replace(after, offline=False), expected=3)

        assert await store.grant("grant") == before

    async def test_a_spend_may_jump_over_generations_the_store_has_lost(self, store: GrantStore) -> None:
        grant = await stored(store, new_grant())

        assert await store.spend(replace(grant, generation=9), expected=2) is Spend.SPENT

    async def test_a_grant_that_is_not_there_has_ended(self, store: GrantStore) -> None:
        assert await store.spend(GRANT, expected=3) is Spend.ENDED

    async def test_a_code_binding_is_forgotten_when_the_code_is_redeemed(self, store: GrantStore) -> None:
        code = CodeBinding(redirect_uri="")
        grant = await stored(store, replace(new_grant(), generation=0, code=code))
        await store.spend(replace(grant, generation=1, code=None), expected=0)

        found = await store.grant("grant")
        assert grant.code == code
        assert found is not None
        assert found.code is None

    @pytest.mark.parametrize(
        ("given", "kept"), [(0, 1), (1, 1), (2, 2), (7, 2)], ids=["lower", "as read", "one higher", "much higher"]
    )
    async def test_a_retry_raises_the_count_by_one(self, store: GrantStore, given: int, kept: int) -> None:
        grant = await stored(store, GRANT)
        await store.spend(replace(grant, retries=given), expected=3)

        found = await store.grant("grant")
        assert found is not None
        assert found.retries == kept

    async def test_a_rotation_begins_to_count_retries_anew(self, store: GrantStore) -> None:
        grant = await stored(store, GRANT)
        await store.spend(replace(grant, generation=4, retries=5), expected=3)

        found = await store.grant("grant")
        assert found is not None
        assert found.retries == 0

    @pytest.mark.parametrize(
        ("given", "kept"), [((2, 5), (2, 1)), ((1, 5), (2, 1)), ((3, 0), (3, 0)), ((3, 2), (3, 2))]
    )
    async def test_a_retry_that_was_late_is_not_forgotten(
        self, store: GrantStore, given: tuple[int, int], kept: tuple[int, int]
    ) -> None:
        grant = await stored(store, GRANT)
        await store.spend(replace(grant, late_generation=given[0], late_streak=given[1]), expected=3)

        found = await store.grant("grant")
        assert found is not None
        assert (found.late_generation, found.late_streak) == kept

    async def test_a_spend_never_lowers_what_is_confirmed(self, store: GrantStore) -> None:
        grant = await stored(store, GRANT)
        await store.confirm("grant", 3)
        await store.spend(replace(grant, generation=4, confirmed=1), expected=3)

        found = await store.grant("grant")
        assert found is not None
        assert found.confirmed == 3

    @pytest.mark.parametrize(("generation", "confirmed"), [(2, 2), (3, 3), (4, 2)])
    async def test_only_the_newest_generation_is_confirmed(
        self, store: GrantStore, generation: int, confirmed: int
    ) -> None:
        await store.create_grant(GRANT, EVENT)
        await store.confirm("grant", generation)

        found = await store.grant("grant")
        assert found is not None
        assert found.confirmed == confirmed
