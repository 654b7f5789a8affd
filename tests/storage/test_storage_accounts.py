"""Users, browser sessions, consents and counted attempts, on every store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.login.models import Consent, Session, User
from everbearer.login.store import Counted, UserChange
from everbearer.oauth.events import EventKind
from everbearer.oauth.models import Everything
from everbearer.storage.store import AdminStore
from storage.values import CLIENT, ENDED, EVENT, NOW, OTHER_END, SESSION, USER, new_grant

CHANGED = replace(EVENT, kind=EventKind.USER_CHANGED, grant_id="")
BOB = replace(USER, subject="bob", login="bob@example.com")


async def test_a_user_comes_back_as_stored(store: AdminStore) -> None:
    assert await store.create_user(USER, CHANGED) is True
    assert await store.user("ada") == USER
    assert await store.user_by_login("ada@example.com") == USER
    assert await store.events(subject="ada") == [CHANGED]


async def test_there_is_no_user_that_was_not_stored(store: AdminStore) -> None:
    assert await store.user("ada") is None
    assert await store.user_by_login("ada@example.com") is None


@pytest.mark.parametrize("taken", [replace(BOB, login=USER.login), replace(BOB, subject=USER.subject)])
async def test_login_and_subject_are_one_users_alone(store: AdminStore, taken: object) -> None:
    assert isinstance(taken, type(USER))
    await store.create_user(USER, EVENT)

    assert await store.create_user(taken, CHANGED) is False
    assert await store.users() == [USER]
    assert await store.events() == [EVENT]


async def test_a_change_replaces_all_but_subject_and_creation(store: AdminStore) -> None:
    await store.create_user(USER, EVENT)
    changed = replace(
        USER, login="lovelace", password_hash="new", claims={"name": "A."}, disabled_at=None, updated_at=NOW + 9
    )

    assert await store.change_user(replace(changed, created_at=0), CHANGED, was=USER) is UserChange.CHANGED
    assert await store.user("ada") == changed
    assert await store.user_by_login("ada@example.com") is None
    assert await store.events() == [CHANGED, EVENT]


async def test_a_user_cannot_take_anothers_login(store: AdminStore) -> None:
    await store.create_user(USER, EVENT)
    await store.create_user(BOB, EVENT)
    await store.create_session(SESSION, EVENT)

    outcome = await store.change_user(replace(USER, login=BOB.login), CHANGED, was=USER, ends=ENDED)

    assert outcome is UserChange.TAKEN
    assert await store.user("ada") == USER
    assert await store.sessions_of("ada") == [SESSION]
    assert len(await store.events()) == 3


async def test_a_user_who_is_not_there_cannot_change(store: AdminStore) -> None:
    assert await store.change_user(USER, CHANGED, was=USER, ends=ENDED) is UserChange.GONE
    assert await store.events() == []


@pytest.mark.parametrize(
    "as_read",
    [
        replace(USER, login="lovelace"),
        replace(USER, password_hash="another"),
        replace(USER, claims={**USER.claims, "name": "A."}),
        replace(USER, disabled_at=None),
    ],
)
async def test_a_user_who_is_not_as_read_any_more_stays(store: AdminStore, as_read: User) -> None:
    await store.create_user(USER, EVENT)
    changed = replace(as_read, updated_at=NOW + 9)

    assert await store.change_user(changed, CHANGED, was=as_read, ends=ENDED) is UserChange.CHANGED_MEANWHILE
    assert await store.user("ada") == USER
    assert await store.events() == [EVENT]


async def test_a_user_is_changed_whoever_else_noted_the_time(store: AdminStore) -> None:
    await store.create_user(replace(USER, disabled_at=None), EVENT)
    as_read = replace(USER, disabled_at=None, updated_at=NOW - 1, epoch=3)

    assert await store.change_user(USER, CHANGED, was=as_read) is UserChange.CHANGED
    assert await store.user("ada") == USER


async def test_a_change_that_ends_all_raises_the_epoch(store: AdminStore) -> None:
    await store.create_user(USER, EVENT)
    await store.create_session(SESSION, EVENT)
    await store.change_user(USER, CHANGED, was=USER, ends=ENDED)

    assert await store.user("ada") == replace(USER, epoch=1)
    assert await store.user_by_login(USER.login) == replace(USER, epoch=1)
    assert await store.session("session") == replace(SESSION, ended=ENDED)
    assert [event.kind for event in await store.events(limit=2)] == [EventKind.ALL_ENDED, EventKind.USER_CHANGED]


async def test_a_deleted_user_leaves_no_session_and_no_consent(store: AdminStore) -> None:
    await store.create_user(USER, EVENT)
    await store.create_session(SESSION, EVENT)
    await store.create_session(replace(SESSION, session_id="bobs", subject="bob"), EVENT)
    await store.give_consent("ada", "spa", ("openid",), EVENT)
    await store.give_consent("bob", "spa", ("openid",), EVENT)

    assert await store.delete_user("ada", CHANGED, ENDED) is True
    assert await store.user("ada") is None
    assert await store.session("session") is None
    assert await store.consents_of("ada") == []
    assert await store.session("bobs") is not None
    assert len(await store.consents_of("bob")) == 1
    assert await store.delete_user("ada", CHANGED, ENDED) is False
    assert await store.create_user(USER, EVENT) is True
    assert await store.user("ada") == replace(USER, epoch=1)


async def test_users_are_listed_by_login_in_pages(store: AdminStore) -> None:
    for name in ("carol", "ada", "bob"):
        await store.create_user(replace(USER, subject=name, login=name), EVENT)

    assert [user.login for user in await store.users(limit=2)] == ["ada", "bob"]
    assert [user.login for user in await store.users(after="bob")] == ["carol"]


async def test_a_hash_is_upgraded_only_if_the_password_is_unchanged(store: AdminStore) -> None:
    await store.create_user(USER, EVENT)
    await store.upgrade_password_hash("ada", old="another", new="lost")
    await store.upgrade_password_hash("ada", old=USER.password_hash, new="upgraded")
    await store.upgrade_password_hash("eve", old=USER.password_hash, new="nobody's")

    assert await store.user("ada") == replace(USER, password_hash="upgraded")


async def test_a_session_comes_back_as_stored(store: AdminStore) -> None:
    await store.create_session(SESSION, CHANGED)

    assert await store.session("session") == SESSION
    assert await store.session("other") is None
    assert await store.events() == [CHANGED]


async def test_a_session_ends_once_and_alone(store: AdminStore) -> None:
    await store.create_session(SESSION, EVENT)
    await store.create_session(replace(SESSION, session_id="other"), EVENT)
    await store.end_all(Everything.SESSION, "session", ENDED)
    await store.end_all(Everything.SESSION, "session", OTHER_END)

    assert await store.session("session") == replace(SESSION, ended=ENDED)
    assert [session.session_id for session in await store.sessions_of("ada")] == ["other"]


async def test_a_session_begun_after_all_had_ended_lives(store: AdminStore) -> None:
    await store.end_all(Everything.USER, "ada", ENDED)
    await store.create_session(SESSION, EVENT)
    await store.create_session(replace(SESSION, session_id="new", user_epoch=1), EVENT)

    assert [session.session_id for session in await store.sessions_of("ada")] == ["new"]


RENEWED = replace(
    SESSION,
    secret=b"\x01" * 16,
    auth_time=NOW + 7,
    amr=("pwd", "otp"),
    flow="another flow",
    created_at=NOW + 7,
    used_at=NOW + 7,
    address="192.0.2.9",
    agent="Mozilla/6.0",
)


async def test_a_renewed_session_is_the_same_with_all_else_replaced(store: AdminStore) -> None:
    await store.create_session(SESSION, EVENT)

    assert await store.renew_session(RENEWED, CHANGED, was=SESSION) is True
    assert await store.session("session") == RENEWED
    assert await store.events() == [CHANGED, EVENT]


@pytest.mark.parametrize("everything", [(Everything.SESSION, "session"), (Everything.USER, "ada")])
async def test_a_session_that_has_ended_is_not_renewed(store: AdminStore, everything: tuple[Everything, str]) -> None:
    await store.create_session(SESSION, EVENT)
    await store.end_all(*everything, ENDED)

    assert await store.renew_session(RENEWED, CHANGED, was=SESSION) is False
    assert await store.session("session") == replace(SESSION, ended=ENDED)


@pytest.mark.parametrize(
    ("renewed", "was"),
    [
        (RENEWED, replace(SESSION, secret=b"another" * 2)),
        (replace(RENEWED, subject="bob"), SESSION),
        (replace(RENEWED, session_id="other"), SESSION),
    ],
)
async def test_only_the_session_as_read_is_renewed(store: AdminStore, renewed: Session, was: Session) -> None:
    await store.create_session(SESSION, EVENT)

    assert await store.renew_session(renewed, CHANGED, was=was) is False
    assert await store.session("session") == SESSION
    assert await store.session("other") is None
    assert await store.events() == [EVENT]


async def test_the_use_of_a_session_never_moves_backwards(store: AdminStore) -> None:
    await store.create_session(SESSION, EVENT)
    await store.touch_session("session", NOW + 500)
    await store.touch_session("session", NOW + 400)
    await store.touch_session("other", NOW)

    assert await store.session("session") == replace(SESSION, used_at=NOW + 500)


async def test_sessions_are_listed_by_their_last_use(store: AdminStore) -> None:
    for age, name in enumerate(["newest", "middle", "oldest"]):
        await store.create_session(replace(SESSION, session_id=name, used_at=NOW - age), EVENT)
    await store.create_session(replace(SESSION, session_id="bobs", subject="bob"), EVENT)
    await store.touch_session("oldest", NOW + 1)

    assert [session.session_id for session in await store.sessions_of("ada")] == ["oldest", "newest", "middle"]


async def test_a_consent_that_was_not_given_is_empty(store: AdminStore) -> None:
    assert await store.consent("ada", "spa") == Consent(subject="ada", client_id="spa")


async def test_a_consent_is_added_to_the_one_before(store: AdminStore) -> None:
    await store.give_consent("ada", "spa", ("openid", "email"), EVENT)
    await store.give_consent("ada", "spa", ("profile", "openid"), replace(EVENT, at=NOW + 5))

    consent = Consent(subject="ada", client_id="spa", scope=("openid", "email", "profile"), granted_at=NOW + 5)
    assert await store.consent("ada", "spa") == consent
    assert await store.consents_of("ada") == [consent]
    assert len(await store.events()) == 2


async def test_a_withdrawn_consent_is_forgotten_and_ends_its_grants(store: AdminStore) -> None:
    await store.give_consent("ada", "spa", ("openid",), EVENT)
    await store.give_consent("ada", "web", ("openid",), EVENT)
    await store.create_grant(new_grant(), EVENT)
    await store.withdraw_consent("ada", "spa", ENDED)

    assert await store.consent("ada", "spa") == Consent(subject="ada", client_id="spa", epoch=1)
    assert [consent.client_id for consent in await store.consents_of("ada")] == ["web"]
    ended = await store.grant("grant")
    assert ended is not None
    assert ended.ended == ENDED
    kinds = [event.kind for event in await store.events(subject="ada", client_id="spa", limit=2)]
    assert kinds == [EventKind.ALL_ENDED, EventKind.CONSENT_WITHDRAWN]


async def test_a_consent_given_again_keeps_its_epoch(store: AdminStore) -> None:
    await store.withdraw_consent("ada", "spa", ENDED)
    await store.give_consent("ada", "spa", ("email",), EVENT)

    consent = Consent(subject="ada", client_id="spa", scope=("email",), granted_at=NOW, epoch=1)
    assert await store.consent("ada", "spa") == consent
    assert await store.consents_of("ada") == [consent]


async def test_another_client_of_the_same_id_inherits_no_consent(store: AdminStore) -> None:
    await store.put_client(CLIENT, EVENT)
    await store.give_consent("ada", "spa", ("openid",), EVENT)
    await store.delete_client("spa", EVENT, ENDED)

    assert (await store.consent("ada", "spa")).scope == ()


async def test_attempts_are_counted_in_the_window_of_the_first(store: AdminStore) -> None:
    counts = [await store.count_attempt("ada", now=NOW + late, window=60) for late in (0, 10, 59, 60, 61)]

    first, second = NOW + 60, NOW + 120
    assert counts == [
        Counted(attempts=attempts, until=until)
        for attempts, until in ((1, first), (2, first), (3, first), (1, second), (2, second))
    ]
    assert await store.count_attempt("bob", now=NOW, window=60) == Counted(attempts=1, until=first)


async def test_an_emptied_bucket_counts_anew(store: AdminStore) -> None:
    await store.count_attempt("ada", now=NOW, window=60)
    await store.forget_attempts("ada")

    assert await store.count_attempt("ada", now=NOW + 5, window=60) == Counted(attempts=1, until=NOW + 65)
