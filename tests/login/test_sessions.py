from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.login.accounts import delete_user, disable_user
from everbearer.login.models import SessionLifetimes, User
from everbearer.login.sessions import (
    authentication,
    cookie_value,
    needs_sign_in,
    sign_out,
    sign_out_others,
)
from everbearer.login.sign_in import SignedIn
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.encoding import base64url
from everbearer.oauth.models import Authentication, EndReason
from login_world import NOW, World

pytestmark = pytest.mark.usefixtures("ada")


async def test_a_cookie_opens_its_session(world: World) -> None:
    session = await world.session()

    assert await world.open(cookie_value(session, world.sealer)) == session


async def test_each_sign_in_has_a_session_of_its_own(world: World) -> None:
    first, second = await world.session(), await world.session()

    assert first.session_id != second.session_id
    assert first.secret != second.secret


@pytest.mark.spec("ASVS 5.0", "7.2.4")
async def test_who_signs_in_again_goes_on_in_the_same_session_with_another_cookie(world: World) -> None:
    first = await world.session()
    world.now += 5

    second = await world.session(flow="again", present=first)

    assert (second.session_id, second.auth_time, second.flow) == (first.session_id, NOW + 5, "again")
    assert await world.open(cookie_value(second, world.sealer)) == second
    assert await world.open(cookie_value(first, world.sealer)) is None


async def test_who_signs_in_as_another_user_has_a_session_of_their_own(world: World) -> None:
    await world.create("bob@example.com")
    adas = await world.session()

    outcome = await world.sign_in("bob@example.com", present=adas)

    assert isinstance(outcome, SignedIn)
    assert outcome.session.session_id != adas.session_id
    assert await world.open(cookie_value(adas, world.sealer)) == adas


async def test_a_session_that_ended_meanwhile_does_not_go_on(world: World) -> None:
    first = await world.session()
    await sign_out(first, store=world.store, now=world.now)

    second = await world.session(present=first)

    assert second.session_id != first.session_id
    assert await world.open(cookie_value(second, world.sealer)) == second


async def test_a_cookie_that_was_not_sealed_here_opens_nothing(world: World) -> None:
    session = await world.session()
    foreign = Sealer([b"x" * 32])
    truncated = "ers_" + base64url(world.sealer.seal("session", b"short"))
    other_purpose = "ers_" + base64url(world.sealer.seal("other", b"x" * 32))

    for cookie in ("", "ers_", "ers_%%%", "erb_abc", cookie_value(session, foreign), truncated, other_purpose):
        assert await world.open(cookie) is None


async def test_a_cookie_needs_the_secret_of_the_row(world: World) -> None:
    session = await world.session()

    assert await world.open(cookie_value(replace(session, secret=b"x" * 16), world.sealer)) is None


async def test_a_cookie_of_a_session_that_is_gone_opens_nothing(world: World, ada: User) -> None:
    cookie = cookie_value(await world.session(), world.sealer)
    await delete_user(ada.subject, store=world.store, now=world.now, actor="admin:test")

    assert await world.open(cookie) is None


@pytest.mark.spec("ASVS 5.0", "7.3.1")
async def test_a_session_ends_when_it_idles(world: World) -> None:
    world.lifetimes = SessionLifetimes(absolute=10_000, idle=100)
    cookie = cookie_value(await world.session(), world.sealer)

    world.now = NOW + 99
    assert await world.open(cookie) is not None
    world.now = NOW + 99 + 99
    assert await world.open(cookie) is not None
    world.now += 100
    assert await world.open(cookie) is None


@pytest.mark.spec("ASVS 5.0", "7.3.2")
async def test_a_session_ends_however_much_it_is_used(world: World) -> None:
    world.lifetimes = SessionLifetimes(absolute=200, idle=100)
    cookie = cookie_value(await world.session(), world.sealer)
    for world.now in range(NOW, NOW + 200, 70):
        assert await world.open(cookie) is not None

    world.now = NOW + 200
    assert await world.open(cookie) is None


async def test_a_session_is_touched_at_most_once_a_minute(world: World) -> None:
    session = await world.session()
    cookie = cookie_value(session, world.sealer)
    used = []
    for world.now in (NOW + 59, NOW + 60, NOW + 100):
        await world.open(cookie)
        stored = await world.store.session(session.session_id)
        used.append(stored and stored.used_at)

    assert used == [NOW, NOW + 60, NOW + 60]


@pytest.mark.spec("ASVS 5.0", "7.4.1")
async def test_signing_out_ends_the_session(world: World) -> None:
    session = await world.session()
    await sign_out(session, store=world.store, now=world.now)

    assert await world.open(cookie_value(session, world.sealer)) is None
    stored = await world.store.session(session.session_id)
    assert stored is not None
    assert stored.ended is not None
    assert stored.ended.reason is EndReason.SIGNED_OUT


@pytest.mark.spec("ASVS 5.0", "7.4.2")
async def test_disabling_a_user_ends_all_sessions(world: World, ada: User) -> None:
    cookies = [cookie_value(await world.session(), world.sealer) for _ in range(3)]
    await disable_user(ada.subject, store=world.store, now=world.now, actor="admin:test")

    assert [await world.open(cookie) for cookie in cookies] == [None, None, None]


@pytest.mark.spec("ASVS 5.0", "7.4.3")
async def test_signing_out_others_leaves_the_current_one(world: World) -> None:
    sessions = [await world.session() for _ in range(3)]
    await sign_out_others(sessions[1], store=world.store, now=world.now)

    opened = [await world.open(cookie_value(session, world.sealer)) for session in sessions]
    assert opened == [None, sessions[1], None]


async def test_what_the_protocol_says_of_a_sign_in(world: World, ada: User) -> None:
    session = await world.session()

    assert authentication(session) == Authentication(
        subject=ada.subject, auth_time=NOW, amr=("pwd",), session_id=session.session_id, user_epoch=0
    )


@pytest.mark.spec("OpenID Connect Core", "2")
@pytest.mark.parametrize(("amr", "acr"), [(("pwd",), "urn:acr"), (("app",), "")])
async def test_the_acr_of_a_sign_in_by_password_is_said_of_no_other(
    world: World, amr: tuple[str, ...], acr: str
) -> None:
    session = replace(await world.session(), amr=amr)

    assert authentication(session, acr="urn:acr").acr == acr


async def test_who_is_not_signed_in_must() -> None:
    assert needs_sign_in(None, prompt=(), max_age=None, another_user=False, flow="", now=NOW)


@pytest.mark.spec("OpenID Connect Core", "3.1.2.3")
@pytest.mark.parametrize(
    ("prompt", "max_age", "flow", "seconds_later", "expected"),
    [
        ((), None, "", 10, False),
        (("consent",), None, "", 10, False),
        (("login",), None, "", 0, True),
        (("select_account",), None, "", 0, True),
        (("login",), None, "f1", 10, False),
        (("login",), None, "f2", 10, True),
        (("login",), None, "f1", 1801, True),
        ((), 10, "", 10, False),
        ((), 10, "", 11, True),
        ((), 0, "", 0, True),
        ((), 0, "", 1, True),
        ((), 0, "f1", 1, False),
    ],
)
async def test_when_who_is_signed_in_must_again(
    world: World, prompt: tuple[str, ...], max_age: int | None, flow: str, seconds_later: int, expected: bool
) -> None:
    session = await world.session(flow="f1")
    needed = needs_sign_in(
        session, prompt=prompt, max_age=max_age, another_user=False, flow=flow, now=NOW + seconds_later
    )

    assert needed is expected


async def test_prompt_login_is_not_satisfied_by_a_sign_in_for_nothing(world: World) -> None:
    session = await world.session(flow="")

    assert needs_sign_in(session, prompt=("login",), max_age=None, another_user=False, flow="", now=NOW)


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_another_user_than_the_named_one_must_sign_in(world: World) -> None:
    session = await world.session(flow="f1")

    assert needs_sign_in(session, prompt=(), max_age=None, another_user=True, flow="f1", now=NOW)
    assert not needs_sign_in(session, prompt=(), max_age=None, another_user=False, flow="", now=NOW)
