"""Ends: of one grant, and of all of a user, client, consent or session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from everbearer.oauth.models import Ended, EndReason, Everything, consent_key
from everbearer.oauth.store import GrantStore, Spend
from everbearer.testing.values import ENDED, EVENT, GRANT, NOW, OTHER_END, new_grant, rotated, stored

EVERY_END: dict[str, Callable[[GrantStore], Awaitable[object]]] = {
    "its own": lambda store: store.end_grant("grant", ENDED),
    "all of its user's": lambda store: store.end_all(Everything.USER, "ada", ENDED),
    "all of its client's": lambda store: store.end_all(Everything.CLIENT, "spa", ENDED),
    "all under its consent": lambda store: store.end_all(Everything.CONSENT, consent_key("ada", "spa"), ENDED),
    "all of its session's": lambda store: store.end_all(Everything.SESSION, "session", ENDED),
}


class EndingTests:
    """What a store does with an end, and with what has ended."""

    @pytest.mark.parametrize("end", EVERY_END.values(), ids=EVERY_END)
    async def test_an_ended_grant_tells_how_it_ended_and_is_never_spent(
        self, store: GrantStore, end: Callable[[GrantStore], Awaitable[object]]
    ) -> None:
        grant = await stored(store, new_grant(offline=False))
        await end(store)

        assert await store.spend(rotated(grant), expected=2) is Spend.ENDED
        assert await store.grant("grant") == replace(grant, ended=ENDED)
        assert await store.end_grant("grant", OTHER_END) is False

    @pytest.mark.parametrize("end", EVERY_END.values(), ids=EVERY_END)
    async def test_an_end_leaves_what_is_another_ones(
        self, store: GrantStore, end: Callable[[GrantStore], Awaitable[object]]
    ) -> None:
        await store.create_grant(new_grant(offline=False), EVENT)
        other = replace(new_grant("other", session_id="elsewhere"), subject="bob", client_id="web", offline=False)
        grant = await stored(store, replace(other, authentication=replace(other.authentication, subject="bob")))
        await end(store)

        assert await store.grant("other") == grant
        assert await store.spend(rotated(grant), expected=2) is Spend.SPENT

    async def test_a_grant_is_ended_once(self, store: GrantStore) -> None:
        await store.create_grant(new_grant(), EVENT)

        assert await store.end_grant("grant", ENDED) is True
        assert await store.end_grant("grant", OTHER_END) is False
        assert await store.end_grant("other", ENDED) is False

    async def test_of_two_spends_of_a_generation_one_is_superseded(self, store: GrantStore) -> None:
        grant = await stored(store, new_grant())

        assert await store.spend(rotated(grant), expected=2) is Spend.SPENT
        assert await store.spend(replace(rotated(grant), used_at=0), expected=2) is Spend.SUPERSEDED
        assert (await store.grant("grant")) == rotated(grant)

    async def test_a_grant_made_after_all_had_ended_lives(self, store: GrantStore) -> None:
        for everything, key in (
            (Everything.USER, "ada"),
            (Everything.CLIENT, "spa"),
            (Everything.CONSENT, consent_key("ada", "spa")),
        ):
            await store.end_all(everything, key, ENDED)
            await store.end_all(everything, key, OTHER_END)
        grant = await stored(store, new_grant())

        assert grant.ended is None
        assert (grant.authentication.user_epoch, grant.client_epoch, grant.consent_epoch) == (2, 2, 2)

    async def test_a_grant_of_a_sign_in_before_all_had_ended_is_born_dead(self, store: GrantStore) -> None:
        await store.end_all(Everything.USER, "ada", ENDED)
        grant = await stored(store, GRANT)

        assert grant.ended == ENDED
        assert await store.spend(rotated(grant), expected=3) is Spend.ENDED

    async def test_a_user_and_a_client_of_one_name_have_epochs_of_their_own(self, store: GrantStore) -> None:
        await store.create_grant(replace(new_grant(), client_id="ada"), EVENT)
        await store.end_all(Everything.USER, "ada", ENDED)
        await store.end_all(Everything.CLIENT, "ada", OTHER_END)
        grant = await stored(store, replace(new_grant("later"), client_id="ada"))
        before = await store.grant("grant")

        assert (grant.ended, grant.authentication.user_epoch, grant.client_epoch) == (None, 1, 1)
        assert before is not None
        assert before.ended == ENDED

    async def test_a_later_end_does_not_change_the_reason(self, store: GrantStore) -> None:
        await store.create_grant(new_grant(), EVENT)
        await store.end_all(Everything.USER, "ada", ENDED)
        await store.end_all(Everything.USER, "ada", OTHER_END)
        await store.end_all(Everything.CLIENT, "spa", OTHER_END)

        found = await store.grant("grant")
        assert found is not None
        assert found.ended == ENDED

    async def test_the_first_of_several_ends_is_told(self, store: GrantStore) -> None:
        await store.create_grant(new_grant(offline=False), EVENT)
        ends = [
            (Everything.USER, "ada"),
            (Everything.CLIENT, "spa"),
            (Everything.CONSENT, consent_key("ada", "spa")),
            (Everything.SESSION, "session"),
        ]
        for earlier, (everything, key) in enumerate(ends):
            await store.end_all(everything, key, replace(ENDED, at=NOW - earlier))

            found = await store.grant("grant")
            assert found is not None
            assert found.ended == replace(ENDED, at=NOW - earlier)

    async def test_its_own_end_goes_before_all_others(self, store: GrantStore) -> None:
        await store.create_grant(new_grant(), EVENT)
        await store.end_grant("grant", ENDED)
        await store.end_all(Everything.USER, "ada", replace(OTHER_END, at=0))

        found = await store.grant("grant")
        assert found is not None
        assert found.ended == ENDED

    async def test_an_offline_grant_outlives_its_session(self, store: GrantStore) -> None:
        grant = await stored(store, new_grant(offline=True))
        await store.end_all(Everything.SESSION, "session", ENDED)

        assert await store.spend(rotated(grant), expected=2) is Spend.SPENT

    async def test_a_grant_without_session_does_not_end_with_one(self, store: GrantStore) -> None:
        grant = await stored(store, new_grant(offline=False, session_id=""))
        await store.end_all(Everything.SESSION, "", ENDED)

        assert await store.spend(rotated(grant), expected=2) is Spend.SPENT

    @pytest.mark.parametrize("reason", EndReason)
    async def test_every_reason_is_kept(self, store: GrantStore, reason: EndReason) -> None:
        ended = Ended(reason=reason, actor="server", at=NOW)
        await store.create_grant(GRANT, EVENT)
        await store.end_grant("grant", ended)

        found = await store.grant("grant")
        assert found is not None
        assert found.ended == ended
