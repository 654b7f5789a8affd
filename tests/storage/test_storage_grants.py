"""Grants, their generations and their ends, on every store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from everbearer.oauth.events import EventKind
from everbearer.oauth.models import CodeBinding, Ended, EndReason, Everything, Grant, consent_key
from everbearer.oauth.store import Spend
from everbearer.storage.store import AdminStore
from storage.values import CLIENT, ENDED, EVENT, GRANT, NOW, OTHER_END, SESSION, USER, new_grant, rotated

EVERY_END: dict[str, Callable[[AdminStore], Awaitable[object]]] = {
    "its own": lambda store: store.end_grant("grant", ENDED),
    "all of its user's": lambda store: store.end_all(Everything.USER, "ada", ENDED),
    "all of its client's": lambda store: store.end_all(Everything.CLIENT, "spa", ENDED),
    "all under its consent": lambda store: store.end_all(Everything.CONSENT, consent_key("ada", "spa"), ENDED),
    "all of its session's": lambda store: store.end_all(Everything.SESSION, "session", ENDED),
    "its consent withdrawn": lambda store: store.withdraw_consent("ada", "spa", ENDED),
    "its user changed": lambda store: store.change_user(USER, EVENT, was=USER, ends=ENDED),
    "its user deleted": lambda store: store.delete_user("ada", EVENT, ENDED),
    "its client changed": lambda store: store.put_client(CLIENT, EVENT, ends=ENDED),
    "its client deleted": lambda store: store.delete_client("spa", EVENT, ENDED),
}


async def stored(store: AdminStore, grant: Grant) -> Grant:
    await store.create_grant(grant, EVENT)
    found = await store.grant(grant.grant_id)
    assert found is not None
    return found


async def test_a_grant_comes_back_as_it_was_stored(store: AdminStore) -> None:
    await store.create_grant(GRANT, EVENT)

    assert await store.grant("grant") == GRANT


async def test_a_grant_of_nothing_but_what_it_must_have_comes_back(store: AdminStore) -> None:
    bare = replace(
        GRANT,
        scope=(),
        offline=False,
        authentication=replace(GRANT.authentication, amr=(), acr="", session_id=""),
        idempotency_key="",
        code=None,
        history=(),
    )
    await store.create_grant(bare, EVENT)

    assert await store.grant("grant") == bare


async def test_there_is_no_grant_that_was_not_stored(store: AdminStore) -> None:
    assert await store.grant("other") is None


async def test_creating_a_grant_records_its_event(store: AdminStore) -> None:
    await store.create_grant(GRANT, EVENT)

    assert await store.events(grant_id="grant") == [EVENT]


async def test_a_spend_writes_all_that_changes(store: AdminStore) -> None:
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


async def test_a_spend_writes_nothing_that_does_not_change(store: AdminStore) -> None:
    before = await stored(store, GRANT)
    after = replace(before, subject="eve", client_id="other", scope=("admin",), secret=b"x" * 16, created_at=0)
    await store.spend(replace(after, offline=False), expected=3)

    assert await store.grant("grant") == before


async def test_of_two_spends_of_a_generation_one_is_superseded(store: AdminStore) -> None:
    grant = await stored(store, new_grant())

    assert await store.spend(rotated(grant), expected=2) is Spend.SPENT
    assert await store.spend(replace(rotated(grant), used_at=0), expected=2) is Spend.SUPERSEDED
    assert (await store.grant("grant")) == rotated(grant)


async def test_a_spend_may_jump_over_generations_the_store_has_lost(store: AdminStore) -> None:
    grant = await stored(store, new_grant())

    assert await store.spend(replace(grant, generation=9), expected=2) is Spend.SPENT


async def test_a_grant_that_is_not_there_has_ended(store: AdminStore) -> None:
    assert await store.spend(GRANT, expected=3) is Spend.ENDED


async def test_a_code_binding_is_forgotten_when_the_code_is_redeemed(store: AdminStore) -> None:
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
async def test_a_retry_raises_the_count_by_one(store: AdminStore, given: int, kept: int) -> None:
    grant = await stored(store, GRANT)
    await store.spend(replace(grant, retries=given), expected=3)

    found = await store.grant("grant")
    assert found is not None
    assert found.retries == kept


async def test_a_rotation_begins_to_count_retries_anew(store: AdminStore) -> None:
    grant = await stored(store, GRANT)
    await store.spend(replace(grant, generation=4, retries=5), expected=3)

    found = await store.grant("grant")
    assert found is not None
    assert found.retries == 0


@pytest.mark.parametrize(("given", "kept"), [((2, 5), (2, 1)), ((1, 5), (2, 1)), ((3, 0), (3, 0)), ((3, 2), (3, 2))])
async def test_a_retry_that_was_late_is_not_forgotten(
    store: AdminStore, given: tuple[int, int], kept: tuple[int, int]
) -> None:
    grant = await stored(store, GRANT)
    await store.spend(replace(grant, late_generation=given[0], late_streak=given[1]), expected=3)

    found = await store.grant("grant")
    assert found is not None
    assert (found.late_generation, found.late_streak) == kept


async def test_a_spend_never_lowers_what_is_confirmed(store: AdminStore) -> None:
    grant = await stored(store, GRANT)
    await store.confirm("grant", 3)
    await store.spend(replace(grant, generation=4, confirmed=1), expected=3)

    found = await store.grant("grant")
    assert found is not None
    assert found.confirmed == 3


@pytest.mark.parametrize(("generation", "confirmed"), [(2, 2), (3, 3), (4, 2)])
async def test_only_the_newest_generation_is_confirmed(store: AdminStore, generation: int, confirmed: int) -> None:
    await store.create_grant(GRANT, EVENT)
    await store.confirm("grant", generation)

    found = await store.grant("grant")
    assert found is not None
    assert found.confirmed == confirmed


@pytest.mark.parametrize("end", EVERY_END.values(), ids=EVERY_END)
async def test_an_ended_grant_tells_how_it_ended_and_is_never_spent(
    store: AdminStore, end: Callable[[AdminStore], Awaitable[object]]
) -> None:
    await store.create_user(USER, EVENT)
    await store.put_client(CLIENT, EVENT)
    grant = await stored(store, new_grant(offline=False))
    await end(store)

    assert await store.spend(rotated(grant), expected=2) is Spend.ENDED
    assert await store.grant("grant") == replace(grant, ended=ENDED)
    assert await store.grants(live_only=True) == []
    assert await store.end_grant("grant", OTHER_END) is False


@pytest.mark.parametrize("end", EVERY_END.values(), ids=EVERY_END)
async def test_an_end_leaves_what_is_another_ones(
    store: AdminStore, end: Callable[[AdminStore], Awaitable[object]]
) -> None:
    await store.create_user(USER, EVENT)
    await store.put_client(CLIENT, EVENT)
    other = replace(new_grant("other", session_id="elsewhere"), subject="bob", client_id="web", offline=False)
    grant = await stored(store, replace(other, authentication=replace(other.authentication, subject="bob")))
    await end(store)

    assert await store.grant("other") == grant
    assert await store.spend(rotated(grant), expected=2) is Spend.SPENT


async def test_a_grant_made_after_all_had_ended_lives(store: AdminStore) -> None:
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


async def test_a_grant_of_a_sign_in_before_all_had_ended_is_born_dead(store: AdminStore) -> None:
    await store.end_all(Everything.USER, "ada", ENDED)
    grant = await stored(store, GRANT)

    assert grant.ended == ENDED
    assert await store.spend(rotated(grant), expected=3) is Spend.ENDED


async def test_a_user_and_a_client_of_one_name_have_epochs_of_their_own(store: AdminStore) -> None:
    await store.create_grant(replace(new_grant(), client_id="ada"), EVENT)
    await store.end_all(Everything.USER, "ada", ENDED)
    await store.end_all(Everything.CLIENT, "ada", OTHER_END)
    grant = await stored(store, replace(new_grant("later"), client_id="ada"))
    before = await store.grant("grant")

    assert (grant.ended, grant.authentication.user_epoch, grant.client_epoch) == (None, 1, 1)
    assert before is not None
    assert before.ended == ENDED


async def test_a_later_end_does_not_change_the_reason(store: AdminStore) -> None:
    await store.create_grant(new_grant(), EVENT)
    await store.end_all(Everything.USER, "ada", ENDED)
    await store.end_all(Everything.USER, "ada", OTHER_END)
    await store.end_all(Everything.CLIENT, "spa", OTHER_END)

    found = await store.grant("grant")
    assert found is not None
    assert found.ended == ENDED


async def test_the_first_of_several_ends_is_told(store: AdminStore) -> None:
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


async def test_its_own_end_goes_before_all_others(store: AdminStore) -> None:
    await store.create_grant(new_grant(), EVENT)
    await store.end_grant("grant", ENDED)
    await store.end_all(Everything.USER, "ada", replace(OTHER_END, at=0))

    found = await store.grant("grant")
    assert found is not None
    assert found.ended == ENDED


async def test_an_offline_grant_outlives_its_session(store: AdminStore) -> None:
    grant = await stored(store, new_grant(offline=True))
    await store.end_all(Everything.SESSION, "session", ENDED)

    assert await store.spend(rotated(grant), expected=2) is Spend.SPENT


async def test_a_grant_without_session_does_not_end_with_one(store: AdminStore) -> None:
    grant = await stored(store, new_grant(offline=False, session_id=""))
    await store.end_all(Everything.SESSION, "", ENDED)

    assert await store.spend(rotated(grant), expected=2) is Spend.SPENT


async def test_ending_a_grant_is_recorded_once(store: AdminStore) -> None:
    await store.create_grant(new_grant(), EVENT)

    assert await store.end_grant("grant", ENDED) is True
    assert await store.end_grant("grant", ENDED) is False
    assert await store.end_grant("other", ENDED) is False
    event, _ = await store.events()
    assert (event.kind, event.at, event.actor) == (EventKind.GRANT_ENDED, ENDED.at, ENDED.actor)
    assert (event.grant_id, event.client_id, event.subject) == ("grant", "spa", "ada")
    assert event.details == {"reason": "revoked_by_user"}


@pytest.mark.parametrize(
    ("everything", "key", "subject", "client_id"),
    [
        (Everything.USER, "ada", "ada", ""),
        (Everything.CLIENT, "spa", "", "spa"),
        (Everything.CONSENT, "ada spa", "ada", "spa"),
        (Everything.SESSION, "session", "ada", ""),
        (Everything.SESSION, "unknown", "", ""),
    ],
)
async def test_ending_everything_is_recorded(
    store: AdminStore, everything: Everything, key: str, subject: str, client_id: str
) -> None:
    await store.create_session(SESSION, EVENT)
    await store.end_all(everything, key, ENDED)

    event = (await store.events())[0]
    assert (event.kind, event.at, event.actor) == (EventKind.ALL_ENDED, ENDED.at, ENDED.actor)
    assert (event.subject, event.client_id, event.grant_id) == (subject, client_id, "")
    assert event.details == {"reason": "revoked_by_user", "everything": everything, "key": key}


@pytest.mark.parametrize("reason", EndReason)
async def test_every_reason_is_kept(store: AdminStore, reason: EndReason) -> None:
    ended = Ended(reason=reason, actor="server", at=NOW)
    await store.create_grant(GRANT, EVENT)
    await store.end_grant("grant", ended)

    found = await store.grant("grant")
    assert found is not None
    assert found.ended == ended


async def test_grants_are_listed_newest_first(store: AdminStore) -> None:
    for age, name in enumerate(["newest", "middle", "oldest"]):
        await store.create_grant(replace(new_grant(name), created_at=NOW - age), EVENT)

    assert [grant.grant_id for grant in await store.grants()] == ["newest", "middle", "oldest"]
    assert [grant.grant_id for grant in await store.grants(limit=2)] == ["newest", "middle"]


async def test_grants_are_listed_by_user_client_and_session(store: AdminStore) -> None:
    for subject in ("ada", "bob"):
        for client_id in ("spa", "web"):
            for session_id in ("", "s1", "s2"):
                grant = new_grant(f"{subject} {client_id} {session_id}", session_id=session_id)
                authentication = replace(grant.authentication, subject=subject)
                await store.create_grant(
                    replace(grant, subject=subject, client_id=client_id, authentication=authentication), EVENT
                )

    async def listed(subject: str = "", client_id: str = "", session_id: str = "") -> set[str]:
        found = await store.grants(subject=subject, client_id=client_id, session_id=session_id)
        return {grant.grant_id for grant in found}

    assert len(await listed()) == 12
    assert await listed(subject="ada") == {
        f"ada {client} {session}" for client in ("spa", "web") for session in ("", "s1", "s2")
    }
    assert await listed(client_id="web") == {
        f"{user} web {session}" for user in ("ada", "bob") for session in ("", "s1", "s2")
    }
    assert await listed(session_id="s1") == {
        f"{user} {client} s1" for user in ("ada", "bob") for client in ("spa", "web")
    }
    assert await listed(subject="bob", client_id="spa", session_id="s2") == {"bob spa s2"}
    assert await listed(subject="eve") == set()
