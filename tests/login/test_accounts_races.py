"""Two who change one user at the same moment: neither undoes what the other did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar, cast

import pytest

from everbearer.login.accounts import (
    TRIES,
    PasswordChange,
    UnknownUser,
    change_claims,
    change_password,
    create_user,
    delete_user,
    disable_user,
    enable_user,
    set_claims,
    set_password,
)
from everbearer.login.models import User
from everbearer.login.passwords import password_matches
from everbearer.login.sign_in import Attempt, SignedIn, SignInLimits, WrongCredentials
from everbearer.oauth.errors import StoreUnavailable
from everbearer.storage.store import AdminStore
from login_world import NOW, PASSWORD
from meddled_store import MeddledStore

T = TypeVar("T")

NEW = "a new one entirely"
OTHERS = "what the operator chose"
ADMIN = "admin:test"


async def at_once(work: Callable[[], T]) -> T:
    return work()


@pytest.fixture
async def ada(store: AdminStore) -> User:
    return await create_user("ada@example.com", PASSWORD, store=store, run=at_once, now=NOW, actor=ADMIN)


def before_change(
    store: AdminStore, happening: Callable[[], Awaitable[object]], *, calls: Iterable[int] = (1,)
) -> AdminStore:
    """Return the store as somebody sees it whom something happens to between reading and changing a user."""
    for call in calls:
        store = cast("AdminStore", MeddledStore(store, "change_user", happening, after=False, call=call))
    return store


async def change(store: AdminStore) -> PasswordChange:
    attempt = Attempt(login="ada@example.com", password=PASSWORD)
    return await change_password(attempt, NEW, store=store, run=at_once, now=NOW, limits=SignInLimits())


async def as_stored(store: AdminStore, ada: User) -> User:
    user = await store.user(ada.subject)
    assert user is not None
    return user


async def test_a_disable_is_not_undone_by_an_operators_new_password(store: AdminStore, ada: User) -> None:
    seen = before_change(store, lambda: disable_user(ada.subject, store=store, now=NOW, actor=ADMIN))
    await set_password(ada, NEW, store=seen, run=at_once, now=NOW, actor=ADMIN)

    user = await as_stored(store, ada)
    assert user.disabled_at == NOW
    assert password_matches(user.password_hash, NEW)
    assert user.epoch == 2


async def test_a_disable_is_not_undone_by_the_users_own_new_password(store: AdminStore, ada: User) -> None:
    seen = before_change(store, lambda: disable_user(ada.subject, store=store, now=NOW, actor=ADMIN))

    assert await change(seen) == WrongCredentials()
    user = await as_stored(store, ada)
    assert user.disabled_at == NOW
    assert password_matches(user.password_hash, PASSWORD)
    assert await store.sessions_of(ada.subject) == []


async def test_a_new_password_is_not_undone_by_a_disable_or_an_enable(store: AdminStore, ada: User) -> None:
    async def set_new() -> None:
        await set_password(ada, NEW, store=store, run=at_once, now=NOW, actor=ADMIN)

    await disable_user(ada.subject, store=before_change(store, set_new), now=NOW, actor=ADMIN)
    assert password_matches((await as_stored(store, ada)).password_hash, NEW)
    upgrade = before_change(store, lambda: store.upgrade_password_hash(ada.subject, old=ada.password_hash, new="x"))
    await enable_user(ada.subject, store=upgrade, now=NOW, actor=ADMIN)
    assert (await as_stored(store, ada)).disabled_at is None


async def test_who_knew_the_old_password_cannot_replace_the_one_set_meanwhile(store: AdminStore, ada: User) -> None:
    async def set_others() -> None:
        await set_password(ada, OTHERS, store=store, run=at_once, now=NOW, actor=ADMIN)

    assert await change(before_change(store, set_others)) == WrongCredentials()
    assert password_matches((await as_stored(store, ada)).password_hash, OTHERS)


async def test_who_changes_the_password_is_not_signed_in_by_one_set_right_after(store: AdminStore, ada: User) -> None:
    async def set_others() -> None:
        await set_password(ada, OTHERS, store=store, run=at_once, now=NOW, actor=ADMIN)

    seen = cast("AdminStore", MeddledStore(store, "change_user", set_others, after=True, call=1))

    assert await change(seen) == WrongCredentials()
    assert await store.sessions_of(ada.subject) == []


async def test_a_change_of_claims_meanwhile_does_not_keep_a_password_from_changing(
    store: AdminStore, ada: User
) -> None:
    seen = before_change(store, lambda: set_claims(ada, {"name": "Ada"}, store=store, now=NOW, actor=ADMIN))

    assert isinstance(await change(seen), SignedIn)
    assert (await as_stored(store, ada)).claims == {"name": "Ada"}


async def test_two_claims_changed_at_the_same_moment_are_both_changed(store: AdminStore, ada: User) -> None:
    seen = before_change(store, lambda: change_claims(ada, {"name": "Ada"}, store=store, now=NOW, actor=ADMIN))
    await change_claims(ada, {"nickname": "A"}, store=seen, now=NOW, actor=ADMIN)

    assert (await as_stored(store, ada)).claims == {"name": "Ada", "nickname": "A"}


async def test_claims_are_removed_by_none_and_what_is_so_already_is_no_change(store: AdminStore, ada: User) -> None:
    await change_claims(ada, {"name": "Ada", "nickname": "A"}, store=store, now=NOW, actor=ADMIN)
    named = await as_stored(store, ada)
    await change_claims(named, {"nickname": None}, store=store, now=NOW + 1, actor=ADMIN)
    after = await as_stored(store, ada)
    await change_claims(after, {"name": "Ada", "nickname": None}, store=store, now=NOW + 2, actor=ADMIN)

    assert (after.claims, after.updated_at) == ({"name": "Ada"}, NOW + 1)
    assert await as_stored(store, ada) == after


async def test_a_user_deleted_meanwhile_is_told(store: AdminStore, ada: User) -> None:
    seen = before_change(store, lambda: delete_user(ada.subject, store=store, now=NOW, actor=ADMIN))

    with pytest.raises(UnknownUser):
        await set_claims(ada, {}, store=seen, now=NOW, actor=ADMIN)


async def test_who_is_changed_by_others_again_and_again_is_left_to_them(store: AdminStore, ada: User) -> None:
    names = iter(range(100))

    async def rename() -> None:
        user = await as_stored(store, ada)
        await set_claims(user, {"name": str(next(names))}, store=store, now=NOW, actor=ADMIN)

    seen = before_change(store, rename, calls=range(1, TRIES + 1))
    with pytest.raises(StoreUnavailable):
        await disable_user(ada.subject, store=seen, now=NOW, actor=ADMIN)
    with pytest.raises(StoreUnavailable):
        await change(before_change(store, rename, calls=range(1, TRIES + 1)))
    user = await as_stored(store, ada)
    assert (user.disabled_at, user.password_hash) == (None, ada.password_hash)


async def test_a_real_race_of_disable_and_new_passwords_leaves_the_user_disabled(store: AdminStore, ada: User) -> None:
    await asyncio.gather(
        set_password(ada, NEW, store=store, run=at_once, now=NOW, actor=ADMIN),
        disable_user(ada.subject, store=store, now=NOW, actor=ADMIN),
        set_password(ada, OTHERS, store=store, run=at_once, now=NOW, actor=ADMIN),
    )

    user = await as_stored(store, ada)
    assert user.disabled_at == NOW
    assert user.epoch == 3
    assert not password_matches(user.password_hash, PASSWORD)
