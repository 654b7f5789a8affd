"""Verbs at the same moment: whole facts, one after the other, whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from everbearer.oauth.models import Everything
from everbearer.oauth.store import GrantStore, Spend
from everbearer.testing.values import ENDED, EVENT, NOW, OTHER_END, new_grant, rotated, stored

R = TypeVar("R")

AT_ONCE = 8
"""How many try at the same moment."""


class AtOnce:
    """How calls are made at the same moment."""

    async def at_once(self, *calls: Callable[[], Awaitable[R]]) -> list[R]:
        """Make the calls at once and return their results in order. Yours to replace, where yours run otherwise."""
        return list(await asyncio.gather(*(call() for call in calls)))


class RaceTests(AtOnce):
    """What must hold whoever else asks at the same moment."""

    async def test_of_many_spends_of_a_generation_at_once_one_wins(self, store: GrantStore) -> None:
        grant = await stored(store, new_grant())
        spends = [replace(rotated(grant), used_at=NOW + 100 + number) for number in range(AT_ONCE)]
        outcomes = await self.at_once(*((lambda each=each: store.spend(each, expected=2)) for each in spends))

        assert sorted(outcome.name for outcome in outcomes) == ["SPENT", *["SUPERSEDED"] * (AT_ONCE - 1)]
        assert await store.grant("grant") == spends[outcomes.index(Spend.SPENT)]

    async def test_a_generation_is_spent_once_however_long_the_race_goes_on(self, store: GrantStore) -> None:
        grant = await stored(store, new_grant())
        for _ in range(10):
            after = rotated(grant)
            call = lambda after=after: store.spend(after, expected=after.generation - 1)  # noqa: E731
            outcomes = await self.at_once(*[call] * AT_ONCE)
            assert outcomes.count(Spend.SPENT) == 1
            grant = after

        found = await store.grant("grant")
        assert found is not None
        assert found.generation == 12

    async def test_a_grant_that_ends_while_it_is_spent_has_ended(self, store: GrantStore) -> None:
        grant = await stored(store, new_grant())
        outcome, ended = await self.at_once(
            lambda: store.spend(rotated(grant), expected=2), lambda: store.end_grant("grant", ENDED)
        )

        found = await store.grant("grant")
        assert ended is True
        assert found is not None
        assert (found.ended, found.generation) == (ENDED, 3 if outcome is Spend.SPENT else 2)
        assert await store.spend(replace(rotated(grant), generation=4), expected=found.generation) is Spend.ENDED

    async def test_a_grant_whose_users_all_end_while_it_is_spent_has_ended(self, store: GrantStore) -> None:
        grant = await stored(store, new_grant())
        await self.at_once(
            lambda: store.spend(rotated(grant), expected=2), lambda: store.end_all(Everything.USER, "ada", ENDED)
        )

        found = await store.grant("grant")
        assert found is not None
        assert found.ended == ENDED

    async def test_of_many_ends_at_once_one_is_the_first(self, store: GrantStore) -> None:
        await store.create_grant(new_grant(), EVENT)
        ends = [ENDED, OTHER_END] * (AT_ONCE // 2)
        outcomes = await self.at_once(*((lambda each=each: store.end_grant("grant", each)) for each in ends))

        found = await store.grant("grant")
        assert found is not None
        assert outcomes.count(True) == 1
        assert found.ended == ends[outcomes.index(True)]

    async def test_of_many_who_end_all_at_once_each_counts(self, store: GrantStore) -> None:
        await self.at_once(*[lambda: store.end_all(Everything.USER, "ada", ENDED)] * AT_ONCE)

        grant = await stored(store, new_grant())
        assert (grant.authentication.user_epoch, grant.ended) == (AT_ONCE, None)

    async def test_of_many_who_have_a_value_remembered_at_once_one_is_the_first(self, store: GrantStore) -> None:
        call = lambda: store.remember("jti", "value", until=NOW)  # noqa: E731 - the same for all
        outcomes = await self.at_once(*[call] * AT_ONCE)

        assert outcomes.count(True) == 1
