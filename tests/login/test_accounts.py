from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

import pytest

from everbearer.login.accounts import (
    PasswordChange,
    UnknownUser,
    UnusableLogin,
    WeakPassword,
    change_password,
    create_user,
    delete_user,
    disable_user,
    enable_user,
    set_password,
)
from everbearer.login.models import User
from everbearer.login.passwords import Weakness
from everbearer.login.sessions import cookie_value
from everbearer.login.sign_in import Attempt, SignedIn, TooManyAttempts, WrongCredentials
from everbearer.oauth.events import EventKind
from everbearer.oauth.models import EndReason
from everbearer.storage.memory import MemoryStore
from login_world import NOW, PASSWORD, World
from meddled_store import MeddledStore

NEW = "a new one entirely"


async def change(world: World, current: str = PASSWORD, new: str = NEW) -> PasswordChange:
    attempt = Attempt(login="ada@example.com", password=current, address="192.0.2.1")
    return await change_password(attempt, new, store=world.store, run=world.run, now=world.now, limits=world.limits)


def meddled(world: World, happening: Callable[[], Awaitable[object]], *, after: bool) -> World:
    """Return the same world as somebody sees it whom something happens to when a user is changed."""
    store = MeddledStore(world.store, "change_user", happening, after=after, call=1)
    return replace(world, store=cast("MemoryStore", store))


async def test_a_new_user_has_a_normal_login_and_an_opaque_subject(world: World) -> None:
    user = await world.create(" Grace@Example.COM ")

    assert user.login == "grace@example.com"
    assert len(user.subject) == 22
    event = await world.newest_event()
    assert (event.kind, event.actor, event.subject) == (EventKind.USER_CREATED, "admin:test", user.subject)


async def test_a_user_may_be_given_a_subject_and_claims(world: World) -> None:
    user = await create_user(
        "grace",
        PASSWORD,
        store=world.store,
        run=world.run,
        now=NOW,
        actor="admin:test",
        claims={"name": "Grace"},
        subject="u-1",
    )

    assert (user.subject, user.claims) == ("u-1", {"name": "Grace"})


@pytest.mark.parametrize("login", ["", "   ", "x" * 321, "ada@example.com"])
async def test_an_unusable_login_is_refused(world: World, ada: User, login: str) -> None:
    with pytest.raises(UnusableLogin):
        await world.create(login)

    assert await world.store.users() == [ada]


async def test_a_weak_password_makes_no_user(world: World) -> None:
    with pytest.raises(WeakPassword) as refused:
        await world.create("grace", "password1")

    assert refused.value.weakness is Weakness.COMMON
    assert "password1" not in str(refused.value)
    assert await world.store.users() == []


@pytest.mark.spec("ASVS 5.0", "6.2.2", "6.2.3")
async def test_changing_the_password_takes_the_present_one(world: World, ada: User) -> None:
    assert await change(world, current="wrong password") == WrongCredentials()
    assert isinstance(await change(world), SignedIn)
    assert await world.sign_in(ada.login, PASSWORD) == WrongCredentials()
    assert isinstance(await world.sign_in(ada.login, NEW), SignedIn)


@pytest.mark.spec("ASVS 5.0", "7.4.3")
async def test_changing_the_password_ends_all_sessions_but_the_new_one(world: World, ada: User) -> None:
    before = await world.session()
    changed = await change(world)

    assert isinstance(changed, SignedIn)
    assert await world.open(cookie_value(before, world.sealer)) is None
    assert await world.open(cookie_value(changed.session, world.sealer)) == changed.session
    ended = await world.store.session(before.session_id)
    assert ended is not None
    assert ended.ended is not None
    assert (ended.ended.reason, ended.ended.actor) == (EndReason.PASSWORD_CHANGED, f"user:{ada.subject}")


@pytest.mark.usefixtures("ada")
async def test_a_weak_new_password_changes_nothing(world: World) -> None:
    session = await world.session()
    with pytest.raises(WeakPassword):
        await change(world, new="ada@example.com")

    assert await world.open(cookie_value(session, world.sealer)) == session


@pytest.mark.usefixtures("ada")
async def test_guessing_the_present_password_is_limited_as_signing_in_is(world: World) -> None:
    for _ in range(10):
        await change(world, current="wrong password")

    assert await change(world) == TooManyAttempts(retry_after=900)


async def test_a_user_disabled_while_the_password_changes_gets_no_session(world: World, ada: User) -> None:
    async def disable() -> None:
        await disable_user(ada.subject, store=world.store, now=world.now, actor="admin:test")

    assert await change(meddled(world, disable, after=True)) == WrongCredentials()
    assert await world.store.sessions_of(ada.subject) == []


async def test_an_operator_sets_a_password_without_the_present_one(world: World, ada: User) -> None:
    await set_password(ada, NEW, store=world.store, run=world.run, now=world.now, actor="admin:test")

    assert isinstance(await world.sign_in(ada.login, NEW), SignedIn)


async def test_a_disabled_user_cannot_sign_in_until_enabled(world: World, ada: User) -> None:
    await disable_user(ada.subject, store=world.store, now=world.now, actor="admin:test")
    assert await world.sign_in() == WrongCredentials()
    await enable_user(ada.subject, store=world.store, now=world.now, actor="admin:test")
    assert isinstance(await world.sign_in(), SignedIn)


async def test_enabling_brings_no_session_back(world: World, ada: User) -> None:
    cookie = cookie_value(await world.session(), world.sealer)
    await disable_user(ada.subject, store=world.store, now=world.now, actor="admin:test")
    await enable_user(ada.subject, store=world.store, now=world.now, actor="admin:test")

    assert await world.open(cookie) is None


async def test_disabling_twice_keeps_the_first_time(world: World, ada: User) -> None:
    await disable_user(ada.subject, store=world.store, now=world.now, actor="admin:test")
    await disable_user(ada.subject, store=world.store, now=world.now + 5, actor="admin:test")
    user = await world.store.user(ada.subject)

    assert user is not None
    assert user.disabled_at == world.now


async def test_a_deleted_user_is_gone(world: World, ada: User) -> None:
    await delete_user(ada.subject, store=world.store, now=world.now, actor="admin:test")

    assert await world.sign_in() == WrongCredentials()
    assert await world.store.user(ada.subject) is None


async def test_who_is_not_there_cannot_be_changed(world: World, ada: User) -> None:
    await delete_user(ada.subject, store=world.store, now=world.now, actor="admin:test")

    with pytest.raises(UnknownUser):
        await disable_user(ada.subject, store=world.store, now=world.now, actor="admin:test")
    with pytest.raises(UnknownUser):
        await enable_user(ada.subject, store=world.store, now=world.now, actor="admin:test")
    with pytest.raises(UnknownUser):
        await delete_user(ada.subject, store=world.store, now=world.now, actor="admin:test")
    with pytest.raises(UnknownUser):
        await set_password(ada, NEW, store=world.store, run=world.run, now=world.now, actor="admin:test")
