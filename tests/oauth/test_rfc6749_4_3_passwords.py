"""RFC 6749 §4.3, passwords of users as grants: for migrations alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from everbearer.oauth.client import AUTHORIZATION_CODE, PASSWORD, REFRESH_TOKEN, SubjectType
from everbearer.oauth.errors import TooManyRequests
from everbearer.oauth.events import EventKind
from everbearer.oauth.grants import GRANTS
from everbearer.oauth.grants.password import password_grant
from everbearer.oauth.messages import Request
from everbearer.oauth.models import Authentication, EndReason, Everything
from meddled_store import meddled, unavailable
from world import ADA, ANY_STORE, Answer, World, claims_of

RIGHT = "correct horse battery"


@pytest.fixture
async def world(world: World) -> World:
    """Return the world with a server that takes passwords, and `spa` and `web` that may send them."""

    async def check(username: str, password: str, request: Request) -> Authentication | None:
        if username == "hurried":
            raise TooManyRequests("too many attempts", retry_after=60)
        assert request.remote_address == "192.0.2.1"
        known = (username, password) == ("ada@example.com", RIGHT)
        return Authentication(subject=ADA, auth_time=world.clock.now, amr=("pwd",), user_epoch=0) if known else None

    world.server = replace(world.server, grants={**world.server.grants, PASSWORD: password_grant(check)})
    for client in ("spa", "web"):
        grants = (AUTHORIZATION_CODE, REFRESH_TOKEN, PASSWORD)
        await world.change_client(client, grant_types=grants, first_party=True)
    return world


async def bring(world: World, *, client: str = "spa", **changes: Any) -> Answer:
    form = {
        "grant_type": PASSWORD,
        "username": "ada@example.com",
        "password": RIGHT,
        "scope": "openid offline_access read",
        **await world.identity(client),
        **changes,
    }
    return await world.token(form)


@pytest.mark.spec("RFC 6749", "4.3.2", "4.3.3")
@pytest.mark.parametrize("client", ["spa", "web"])
async def test_a_right_password_gives_tokens_that_can_be_refreshed(world: World, client: str) -> None:
    answer = await bring(world, client=client)

    assert answer.status == 200
    assert answer.json["scope"] == "openid offline_access read"
    assert claims_of(answer.json["id_token"])["amr"] == ["pwd"]
    assert answer.headers["cache-control"] == "no-store"
    assert (await world.refresh(answer.refresh_token, client=client)).status == 200


async def test_the_grant_is_told_to_listeners_as_the_trail_keeps_it(world: World) -> None:
    await bring(world)
    (kept, *_) = await world.store.events(subject=ADA)

    assert kept.details["grant_type"] == PASSWORD
    assert world.heard_of(EventKind.GRANT_CREATED) == [kept]


@pytest.mark.spec("RFC 6749", "4.3.2")
async def test_without_a_scope_it_is_all_that_the_client_may_have(world: World) -> None:
    answer = await bring(world, scope=None)

    assert answer.json["scope"] == "openid offline_access profile email read write"


@ANY_STORE
async def test_a_client_that_may_not_refresh_gets_no_refresh_token(world: World) -> None:
    await world.change_client("spa", grant_types=(PASSWORD,))
    answers = [await bring(world, scope=scope) for scope in (None, "read offline_access")]

    assert not any("refresh_token" in answer.json or "offline_access" in answer.json["scope"] for answer in answers)


@pytest.mark.spec("RFC 6749", "4.3.2", "5.2")
@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"username": "eve"}])
async def test_a_wrong_one_is_an_invalid_grant(world: World, wrong: dict[str, str]) -> None:
    answer = await bring(world, **wrong)

    assert (answer.status, answer.error) == (400, "invalid_grant")
    assert RIGHT not in str(world.heard)
    assert world.heard[-1].kind is EventKind.INVALID_GRANT


@pytest.mark.spec("RFC 6749", "4.3.2")
@pytest.mark.parametrize("missing", ["username", "password"])
@ANY_STORE
async def test_both_are_required(world: World, missing: str) -> None:
    without: dict[str, Any] = {missing: None}

    assert (await bring(world, **without)).error == "invalid_request"


@pytest.mark.spec("RFC 6749", "4.3.2")
@ANY_STORE
async def test_who_tries_too_often_is_told_to_wait(world: World) -> None:
    answer = await bring(world, username="hurried")

    assert (answer.status, answer.headers["retry-after"]) == (429, "60")


@ANY_STORE
async def test_a_client_of_others_is_refused(world: World) -> None:
    await world.change_client("web", first_party=False)

    assert (await bring(world, client="web")).error == "unauthorized_client"


@ANY_STORE
async def test_a_client_without_this_grant_is_refused(world: World) -> None:
    assert (await bring(world, client="partner")).error == "unauthorized_client"


@pytest.mark.spec("RFC 9700", "2.4")
@ANY_STORE
async def test_it_is_not_among_the_grants_that_are_there_by_themselves(world: World) -> None:
    world.server = replace(world.server, grants=GRANTS)

    assert (await bring(world)).error == "unsupported_grant_type"


@ANY_STORE
async def test_a_scope_that_the_client_may_not_have_is_refused_before_the_password_is_looked_at(world: World) -> None:
    assert (await bring(world, scope="admin", username="hurried")).error == "invalid_scope"


@ANY_STORE
async def test_a_client_of_pairwise_subjects_needs_a_server_that_makes_them(world: World) -> None:
    await world.change_client("spa", subject_type=SubjectType.PAIRWISE)
    world.server = replace(world.server, pairwise_salt=lambda: b"")

    assert (await bring(world)).error == "unauthorized_client"


@pytest.mark.parametrize("end", [(Everything.USER, ADA), (Everything.CLIENT, "spa")])
async def test_what_it_gave_ends_with_the_user_and_the_client(world: World, end: tuple[Everything, str]) -> None:
    answer = await bring(world)
    await world.end_all(*end, EndReason.PASSWORD_CHANGED)

    assert not await world.active(answer.access_token)
    assert (await world.refresh(answer.refresh_token)).error == "invalid_grant"


async def test_a_password_that_was_changed_meanwhile_gives_nothing_that_lasts(world: World) -> None:
    async def changes() -> None:
        await world.end_all(Everything.USER, ADA, EndReason.PASSWORD_CHANGED)

    answer = await bring(meddled(world, "create_grant", changes))

    assert not await world.active(answer.access_token)


async def test_a_store_in_trouble_is_no_answer(world: World) -> None:
    assert (await bring(meddled(world, "create_grant", unavailable))).status == 503
