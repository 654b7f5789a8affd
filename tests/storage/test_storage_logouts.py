"""Who is to be told of the end of a session, on every store."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from everbearer.login.models import SessionLifetimes
from everbearer.login.store import UserChange
from everbearer.oauth.events import EventKind
from everbearer.oauth.models import Everything, consent_key
from everbearer.storage.sql.purge import WINDOW
from everbearer.storage.store import AdminStore
from storage.values import CLIENT, ENDED, EVENT, LOGOUT, NOW, OTHER_END, SESSION, USER, new_grant

TOLD = replace(EVENT, kind=EventKind.LOGOUT_TOKEN_DELIVERED, grant_id="")
DUE = ENDED.at
LEASED = DUE + 60


async def begin(store: AdminStore, *, clients: tuple[str, ...] = ("spa",)) -> None:
    """Store a user and clients that want to be told, and let a session sign in to them."""
    await store.create_user(USER, EVENT)
    await store.create_session(SESSION, EVENT)
    for client_id in clients:
        await store.put_client(replace(CLIENT, client_id=client_id), EVENT)
        await store.note_client("session", client_id, subject="ada", at=NOW)


async def take(store: AdminStore, *, now: int = DUE, limit: int = 10) -> list[str]:
    """Take what is due, and return the clients."""
    return sorted(logout.client_id for logout in await store.take_logouts(now=now, until=LEASED, limit=limit))


async def test_a_grant_notes_its_client_once(store: AdminStore) -> None:
    await store.create_grant(new_grant("first"), EVENT)
    await store.create_grant(new_grant("second", offline=False), EVENT)
    await store.create_grant(replace(new_grant("third"), client_id="another"), EVENT)
    await store.create_grant(new_grant("elsewhere", session_id="other"), EVENT)

    assert await store.clients_of_session("session") == ["another", "spa"]
    assert await store.clients_of_session("other") == ["spa"]


async def test_a_grant_without_a_session_notes_nothing(store: AdminStore) -> None:
    await store.create_grant(new_grant(session_id=""), EVENT)

    assert await store.clients_of_session("") == []


async def test_a_client_is_noted_without_a_grant(store: AdminStore) -> None:
    await store.note_client("session", "spa", subject="ada", at=NOW)
    await store.note_client("session", "spa", subject="ada", at=NOW + 1)

    assert await store.clients_of_session("session") == ["spa"]


async def test_a_session_that_has_ended_notes_nothing(store: AdminStore) -> None:
    await store.end_all(Everything.SESSION, "session", ENDED)
    await store.note_client("session", "spa", subject="ada", at=NOW)

    assert await store.clients_of_session("session") == []


async def test_with_a_session_a_logout_begins_for_each_of_its_clients(store: AdminStore) -> None:
    await begin(store, clients=("spa", "web"))
    await store.note_client("other", "spa", subject="ada", at=NOW)
    await store.end_all(Everything.SESSION, "session", ENDED)

    assert await store.logouts() == [replace(LOGOUT, client_id="web"), LOGOUT]
    assert await store.clients_of_session("session") == []
    assert await store.clients_of_session("other") == ["spa"]


async def test_a_client_whose_grants_are_gone_is_told_all_the_same(store: AdminStore) -> None:
    await begin(store, clients=())
    await store.put_client(CLIENT, EVENT)
    await store.create_grant(new_grant(offline=False), EVENT)
    await store.end_grant("grant", replace(ENDED, at=NOW))
    await store.purge(now=NOW + 10, keep=0, batch=10)
    assert await store.grant("grant") is None
    await store.end_all(Everything.SESSION, "session", ENDED)

    assert await store.logouts() == [LOGOUT]


async def test_a_client_that_wants_not_to_be_told_or_is_gone_is_not(store: AdminStore) -> None:
    await begin(store, clients=("spa", "gone"))
    await store.put_client(replace(CLIENT, backchannel_logout_uri=""), EVENT)
    await store.delete_client("gone", EVENT, replace(ENDED, at=NOW))
    await store.end_all(Everything.SESSION, "session", ENDED)

    assert await store.logouts() == []
    assert await store.clients_of_session("session") == []


async def test_a_session_that_ends_twice_is_told_of_once(store: AdminStore) -> None:
    await begin(store)
    await store.end_all(Everything.SESSION, "session", ENDED)
    await store.end_all(Everything.SESSION, "session", OTHER_END)

    assert await store.logouts() == [LOGOUT]


async def test_with_a_user_all_sessions_and_all_grants_that_outlived_theirs_are_told_of(store: AdminStore) -> None:
    await begin(store, clients=("spa", "web"))
    await store.note_client("bobs", "spa", subject="bob", at=NOW)
    await store.create_grant(new_grant("living", session_id="earlier"), EVENT)
    await store.create_grant(new_grant("online", session_id="forgotten", offline=False), EVENT)
    await store.create_grant(new_grant("revoked", session_id="before"), EVENT)
    await store.create_grant(new_grant("without", session_id=""), EVENT)
    await store.end_grant("revoked", replace(ENDED, at=NOW))
    await store.end_all(Everything.SESSION, "before", replace(ENDED, at=NOW))
    await store.end_all(Everything.SESSION, "earlier", replace(ENDED, at=NOW))
    await store.end_all(Everything.SESSION, "forgotten", replace(ENDED, at=NOW))
    for logout in await store.take_logouts(now=NOW, until=LEASED, limit=10):
        await store.settle_logout(logout, TOLD, again=None)
    await store.end_all(Everything.USER, "ada", ENDED)

    told = {(logout.session_id, logout.client_id) for logout in await store.logouts()}
    assert told == {("session", "spa"), ("session", "web"), ("earlier", "spa")}
    assert await store.clients_of_session("bobs") == ["spa"]


@pytest.mark.parametrize("everything", [(Everything.CLIENT, "spa"), (Everything.CONSENT, consent_key("ada", "spa"))])
async def test_a_grant_that_ended_before_its_user_is_not_told_of(
    store: AdminStore, everything: tuple[Everything, str]
) -> None:
    await begin(store, clients=())
    await store.put_client(CLIENT, EVENT)
    await store.create_grant(new_grant(), EVENT)
    await store.end_all(Everything.SESSION, "session", replace(ENDED, at=NOW))
    for logout in await store.take_logouts(now=NOW, until=LEASED, limit=10):
        await store.settle_logout(logout, TOLD, again=None)
    await store.end_all(*everything, replace(ENDED, at=NOW))
    await store.end_all(Everything.USER, "ada", ENDED)

    assert await store.logouts() == []


async def test_a_second_end_of_a_user_tells_nobody_again(store: AdminStore) -> None:
    await begin(store)
    await store.create_grant(new_grant(), EVENT)
    await store.end_all(Everything.USER, "ada", ENDED)
    for logout in await store.take_logouts(now=DUE, until=LEASED, limit=10):
        await store.settle_logout(logout, TOLD, again=None)
    await store.end_all(Everything.USER, "ada", OTHER_END)

    assert await store.logouts() == []


async def test_who_changes_with_an_end_is_told_of(store: AdminStore) -> None:
    await begin(store)

    assert await store.change_user(USER, EVENT, was=USER, ends=ENDED) is UserChange.CHANGED
    assert await store.logouts() == [LOGOUT]


async def test_who_is_deleted_is_told_of(store: AdminStore) -> None:
    await begin(store)

    assert await store.delete_user("ada", EVENT, ENDED) is True
    assert await store.logouts() == [LOGOUT]
    assert await store.clients_of_session("session") == []


async def test_what_is_due_is_taken_by_one(store: AdminStore) -> None:
    await begin(store, clients=("a", "b", "c"))
    await store.end_all(Everything.SESSION, "session", ENDED)
    takers = [store.take_logouts(now=DUE, until=LEASED, limit=2) for _ in range(3)]
    taken = [logout for found in await asyncio.gather(*takers) for logout in found]

    assert sorted(logout.client_id for logout in taken) == ["a", "b", "c"]
    assert {(logout.attempts, logout.due_at) for logout in taken} == {(1, LEASED)}
    assert await take(store, now=LEASED - 1) == []


async def test_nothing_is_taken_before_it_is_due(store: AdminStore) -> None:
    await begin(store)
    await store.end_all(Everything.SESSION, "session", ENDED)

    assert await take(store, now=DUE - 1) == []


async def test_the_longest_due_is_taken_first(store: AdminStore) -> None:
    await begin(store, clients=("old",))
    await store.note_client("other", "old", subject="ada", at=NOW)
    await store.end_all(Everything.SESSION, "other", OTHER_END)
    await store.end_all(Everything.SESSION, "session", ENDED)

    (first,) = await store.take_logouts(now=OTHER_END.at, until=LEASED, limit=1)

    assert first.session_id == "session"


async def test_what_was_taken_and_not_settled_is_due_again(store: AdminStore) -> None:
    await begin(store)
    await store.end_all(Everything.SESSION, "session", ENDED)
    await take(store)

    (again,) = await store.take_logouts(now=LEASED, until=LEASED + 60, limit=10)

    assert again == replace(LOGOUT, attempts=2, due_at=LEASED + 60)


async def test_what_was_told_is_gone_and_recorded(store: AdminStore) -> None:
    await begin(store)
    await store.end_all(Everything.SESSION, "session", ENDED)
    (taken,) = await store.take_logouts(now=DUE, until=LEASED, limit=10)

    assert await store.settle_logout(taken, TOLD, again=None) is True
    assert await store.logouts() == []
    assert await store.events(limit=1) == [TOLD]


async def test_what_failed_waits_with_its_problem(store: AdminStore) -> None:
    await begin(store)
    await store.end_all(Everything.SESSION, "session", ENDED)
    (taken,) = await store.take_logouts(now=DUE, until=LEASED, limit=10)
    again = replace(taken, due_at=DUE + 600, problem="answers 503")

    assert await store.settle_logout(taken, TOLD, again=again) is True
    assert await store.logouts() == [again]
    assert await take(store, now=DUE + 599) == []
    assert await take(store, now=DUE + 600) == ["spa"]


async def test_who_settles_too_late_changes_nothing(store: AdminStore) -> None:
    await begin(store)
    await store.end_all(Everything.SESSION, "session", ENDED)
    (late,) = await store.take_logouts(now=DUE, until=LEASED, limit=10)
    (taken,) = await store.take_logouts(now=LEASED, until=LEASED + 60, limit=10)
    events = await store.events()

    assert await store.settle_logout(late, TOLD, again=None) is False
    assert await store.settle_logout(late, TOLD, again=replace(late, due_at=None)) is False
    assert await store.logouts() == [taken]
    assert await store.events() == events


async def test_who_is_to_be_told_of_another_end_is_told_anew(store: AdminStore) -> None:
    await begin(store)
    await store.create_grant(new_grant(), EVENT)
    await store.end_all(Everything.SESSION, "session", ENDED)
    (taken,) = await store.take_logouts(now=DUE, until=LEASED, limit=10)
    await store.settle_logout(taken, TOLD, again=replace(taken, due_at=None, problem="answers 400"))
    await store.end_all(Everything.USER, "ada", OTHER_END)

    assert await store.logouts() == [replace(LOGOUT, ended_at=OTHER_END.at, due_at=OTHER_END.at)]


async def given_up(store: AdminStore, *clients: str) -> None:
    await begin(store, clients=clients)
    await store.end_all(Everything.SESSION, "session", ENDED)
    for taken in await store.take_logouts(now=DUE, until=LEASED, limit=10):
        await store.settle_logout(taken, TOLD, again=replace(taken, due_at=None, problem="answers 400"))


async def test_what_was_given_up_stays_to_be_seen_and_is_not_due(store: AdminStore) -> None:
    await given_up(store, "spa")

    gone = replace(LOGOUT, attempts=1, due_at=None, problem="answers 400")
    assert await store.logouts() == [gone]
    assert await take(store, now=DUE + 10**6) == []


async def test_logouts_are_found_by_client_and_by_what_was_given_up(store: AdminStore) -> None:
    await given_up(store, "one", "two")
    await store.note_client("other", "one", subject="ada", at=NOW)
    await store.end_all(Everything.SESSION, "other", OTHER_END)

    assert [logout.client_id for logout in await store.logouts()] == ["one", "two", "one"]
    assert [logout.session_id for logout in await store.logouts(client_id="one")] == ["other", "session"]
    assert [logout.client_id for logout in await store.logouts(given_up_only=True)] == ["two", "one"]
    assert len(await store.logouts(limit=2)) == 2


async def test_what_was_given_up_begins_anew_for_all_or_for_a_client(store: AdminStore) -> None:
    await given_up(store, "one", "two")

    assert await store.retry_logouts(client_id="one", now=DUE + 5) == 1
    assert await take(store, now=DUE + 5) == ["one"]
    assert await store.retry_logouts(now=DUE + 6) == 1
    assert await take(store, now=DUE + 6) == ["two"]
    assert await store.retry_logouts(now=DUE + 7) == 0


async def test_a_purge_removes_what_was_given_up_long_ago_and_nothing_that_waits(store: AdminStore) -> None:
    await given_up(store, "one")
    await store.put_client(replace(CLIENT, client_id="two"), EVENT)
    await store.note_client("other", "two", subject="ada", at=NOW)
    await store.end_all(Everything.SESSION, "other", ENDED)

    assert (await store.purge(now=DUE - 1, keep=0, batch=10)).total == 0
    await store.purge(now=DUE, keep=0, batch=10)
    assert [logout.client_id for logout in await store.logouts()] == ["two"]


async def test_a_purge_forgets_the_clients_of_sessions_that_are_gone(store: AdminStore) -> None:
    await begin(store)
    await store.note_client("expired", "spa", subject="ada", at=NOW)
    await store.note_client("with a grant", "spa", subject="ada", at=NOW)
    await store.create_grant(new_grant(session_id="with a grant", offline=False), EVENT)
    await store.note_client("young", "spa", subject="ada", at=NOW + 1)
    await store.purge(now=NOW, keep=0, batch=10)
    await store.purge(now=NOW, keep=0, batch=10)

    left = [name for name in ("session", "expired", "with a grant", "young") if await store.clients_of_session(name)]
    assert left == ["session", "with a grant", "young"]


async def expired(store: AdminStore, *, at: int) -> list[str]:
    """Look at all sessions and return the ids of those that had expired."""
    found, after, more = list[str](), "", True
    while more:
        seen = await store.expired_sessions(at=at, after=after)
        found += seen.session_ids
        after, more = seen.last, bool(seen.last)
    return found


LIFETIMES = SessionLifetimes()
IDLE_AT = SESSION.used_at + LIFETIMES.idle


async def test_a_session_has_expired_when_it_was_idle_too_long_or_is_too_old(store: AdminStore) -> None:
    await begin(store)
    early, in_time = await expired(store, at=IDLE_AT - 1), await expired(store, at=IDLE_AT)
    await store.touch_session("session", NOW + LIFETIMES.absolute)
    used = await expired(store, at=IDLE_AT)

    assert (early, in_time, used) == ([], ["session"], [])
    assert await expired(store, at=NOW + LIFETIMES.absolute) == ["session"]


async def test_a_session_that_signed_in_to_no_client_is_not_looked_for(store: AdminStore) -> None:
    await begin(store, clients=())

    assert await expired(store, at=IDLE_AT) == []


@pytest.mark.parametrize("everything", [(Everything.SESSION, "session"), (Everything.USER, "ada")])
async def test_a_session_that_has_ended_does_not_expire(store: AdminStore, everything: tuple[Everything, str]) -> None:
    await begin(store)
    await store.end_all(*everything, ENDED)

    assert await expired(store, at=IDLE_AT) == []


async def test_however_many_sessions_there_are_all_that_expired_are_found(store: AdminStore) -> None:
    await begin(store)
    for number in range(WINDOW):
        await store.create_session(replace(SESSION, session_id=f"another {number:03}"), EVENT)
    await store.note_client("another 007", "spa", subject="ada", at=NOW)

    assert await expired(store, at=IDLE_AT) == ["another 007", "session"]
