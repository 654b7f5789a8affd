from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import pytest
from argon2 import PasswordHasher

from everbearer.login.accounts import create_user, disable_user
from everbearer.login.models import User
from everbearer.login.passwords import needs_upgrade
from everbearer.login.sign_in import (
    Attempt,
    SignedIn,
    SignInLimits,
    TooManyAttempts,
    WrongCredentials,
    normal_login,
    sign_in,
)
from everbearer.oauth.events import Event, EventKind
from login_world import NOW, PASSWORD, World

T = TypeVar("T")


@pytest.mark.parametrize(
    "typed", ["Ada@Example.com", " ada@example.com ", "\uff41da@example.com", "ada@example.com\n", "ADA@EXAMPLE.COM"]
)
async def test_a_login_may_be_typed_in_many_ways(world: World, ada: User, typed: str) -> None:
    outcome = await world.sign_in(typed)

    assert isinstance(outcome, SignedIn)
    assert outcome.user == ada


def test_a_normal_login_stays_as_it_is() -> None:
    assert normal_login(normal_login(" \u210cANS Stra\u00dfe ")) == normal_login(" \u210cANS Stra\u00dfe ")


async def test_signing_in_stores_a_session_and_records_it(world: World, ada: User) -> None:
    session = await world.session(flow="f1")

    assert await world.store.session(session.session_id) == session
    assert (session.subject, session.auth_time, session.flow) == (ada.subject, NOW, "f1")
    event = await world.newest_event()
    assert (event.kind, event.subject, event.address) == (EventKind.SIGNED_IN, ada.subject, "192.0.2.1")


async def test_unknown_wrong_and_disabled_are_answered_alike(world: World, ada: User) -> None:
    await world.create("passwordless", "")
    disabled = await world.create("disabled")
    await disable_user(disabled.subject, store=world.store, now=world.now, actor="admin:test")
    outcomes = [
        await world.sign_in("nobody"),
        await world.sign_in(ada.login, "wrong password"),
        await world.sign_in("disabled"),
        await world.sign_in("passwordless", ""),
        await world.sign_in("x" * 1000),
    ]

    assert outcomes == [WrongCredentials()] * 5


@pytest.mark.spec("ASVS 5.0", "6.3.8")
async def test_every_refusal_takes_one_hash_of_time(world: World, ada: User) -> None:
    disabled = await world.create("disabled")
    await disable_user(disabled.subject, store=world.store, now=world.now, actor="admin:test")
    costs = []
    for login in ("nobody", ada.login, "disabled", "x" * 1000):
        before = world.heavy
        await world.sign_in(login, "wrong password")
        costs.append(world.heavy - before)

    assert costs == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("login", "password", "reason"),
    [
        ("nobody", PASSWORD, "unknown login"),
        ("ada@example.com", "wrong password", "wrong password"),
        ("disabled", PASSWORD, "user disabled"),
    ],
)
async def test_the_operator_learns_why(world: World, ada: User, login: str, password: str, reason: str) -> None:
    disabled = await world.create("disabled")
    await disable_user(disabled.subject, store=world.store, now=world.now, actor="admin:test")
    await world.sign_in(login, password)

    event = await world.newest_event()
    assert event.kind is EventKind.SIGN_IN_FAILED
    assert event.details == {"reason": reason}
    assert ada.subject not in event.actor


async def test_what_was_typed_is_in_no_event_and_no_repr(world: World) -> None:
    await world.sign_in("my password by mistake", "hunter two")

    assert "mistake" not in repr(await world.newest_event())
    assert "hunter" not in repr(Attempt(login="ada", password="hunter two", flow="hunter"))


async def test_an_account_is_closed_to_guessing_after_ten_failures(world: World, ada: User) -> None:
    for n in range(10):
        assert await world.sign_in(ada.login, f"guess {n}", address=f"192.0.2.{n}") == WrongCredentials()

    assert await world.sign_in(ada.login, PASSWORD, address="192.0.2.99") == TooManyAttempts(retry_after=900)


async def test_who_has_to_wait_is_told_how_long_the_window_still_is(world: World) -> None:
    waits = []
    for late in (0, 1, 100, 899):
        world.now = NOW + late
        for _ in range(11):
            outcome = await world.sign_in("nobody", address=f"192.0.2.{late % 200}")
        waits.append(outcome)
    world.now = NOW + 900

    assert waits == [TooManyAttempts(retry_after=wait) for wait in (900, 899, 800, 1)]
    assert await world.sign_in("nobody") == WrongCredentials()


async def test_an_unknown_login_is_limited_like_a_known_one(world: World) -> None:
    for _ in range(10):
        await world.sign_in("nobody")

    assert await world.sign_in("Nobody ") == TooManyAttempts(retry_after=900)


async def test_the_password_is_not_looked_at_beyond_the_limit(world: World, ada: User) -> None:
    world.limits = SignInLimits(per_account=1)
    await world.sign_in(ada.login, "wrong password")
    before = world.heavy
    await world.sign_in(ada.login)

    assert world.heavy == before


async def test_an_account_opens_again_after_the_window(world: World, ada: User) -> None:
    for _ in range(11):
        await world.sign_in(ada.login, "wrong password")
    world.now += 900

    assert isinstance(await world.sign_in(), SignedIn)


async def test_a_success_forgets_the_failures_before_it(world: World, ada: User) -> None:
    for _ in range(3):
        for _ in range(9):
            await world.sign_in(ada.login, "wrong password")
        assert isinstance(await world.sign_in(), SignedIn)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("not an address", "not an address", True),
        ("", "", False),
    ],
)
async def test_addresses_are_limited_too(world: World, first: str, second: str, same: bool) -> None:
    world.limits = SignInLimits(per_address=1)
    await world.sign_in("one", address=first)

    limited = await world.sign_in("two", address=second) == TooManyAttempts(retry_after=900)
    assert limited is same


async def test_an_address_over_its_limit_uses_up_no_account(world: World, ada: User) -> None:
    world.limits = SignInLimits(per_address=3, per_account=5)
    for _ in range(50):
        await world.sign_in(ada.login, "wrong password", address="203.0.113.5")

    assert isinstance(await world.sign_in(), SignedIn)


async def test_a_flood_of_attempts_is_recorded_once(world: World) -> None:
    world.limits = SignInLimits(per_account=2)
    for _ in range(20):
        await world.sign_in("nobody")

    events = await world.store.events()
    assert [event.details["reason"] for event in events] == ["too many attempts", "unknown login", "unknown login"]


async def test_a_hash_of_old_parameters_is_upgraded_at_sign_in(world: World, ada: User) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    event = Event(kind=EventKind.USER_CHANGED, at=world.now)
    await world.store.change_user(dataclasses.replace(ada, password_hash=old), event, was=ada)
    await world.sign_in()
    upgraded = await world.store.user(ada.subject)

    assert upgraded is not None
    assert not needs_upgrade(upgraded.password_hash)
    assert isinstance(await world.sign_in(), SignedIn)


async def test_a_user_disabled_while_the_password_is_checked_leaves_no_live_session(world: World, ada: User) -> None:
    async def disable_meanwhile(work: Callable[[], T]) -> T:
        await disable_user(ada.subject, store=world.store, now=world.now, actor="admin:test")
        return work()

    attempt = Attempt(login=ada.login, password=PASSWORD)
    outcome = await sign_in(attempt, store=world.store, run=disable_meanwhile, now=world.now, limits=world.limits)

    assert isinstance(outcome, SignedIn)
    stored = await world.store.session(outcome.session.session_id)
    assert stored is not None
    assert stored.ended is not None


async def test_two_users_may_not_share_a_login(world: World, ada: User) -> None:
    with pytest.raises(Exception, match="taken"):
        await create_user(
            " ADA@example.com", "another password", store=world.store, run=world.run, now=NOW, actor="admin:test"
        )

    assert await world.store.user_by_login("ada@example.com") == ada
