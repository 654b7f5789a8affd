"""The use of clients that registered themselves is noted, so that only those go that nobody uses."""

from __future__ import annotations

from typing import Any

import pytest

from everbearer.oauth.models import DAY
from meddled_store import calls_of, meddled, nothing
from registering import Registrar, new_registrar
from world import NOW, SECRET, World, basic

MACHINE: dict[str, Any] = {"grant_types": ["client_credentials"], "redirect_uris": None, "scope": "read"}


@pytest.fixture
def registrar(world: World) -> Registrar:
    return new_registrar(world).allowing(grant_types=("client_credentials", "authorization_code"))


async def used_at(registrar: Registrar, told: Any) -> int | None:
    return (await registrar.world.client(told["client_id"])).used_at


async def ask(registrar: Registrar, told: Any) -> None:
    credentials = basic(told["client_id"], told["client_secret"])
    answer = await registrar.world.token({"grant_type": "client_credentials"}, headers=credentials)
    assert answer.status == 200


async def test_a_machine_that_asks_for_tokens_is_in_use(registrar: Registrar) -> None:
    told = await registrar.registered(**MACHINE)
    seen: list[int | None] = []
    for _ in range(3):
        registrar.world.clock.advance(DAY // 2)
        await ask(registrar, told)
        seen.append(await used_at(registrar, told))

    assert seen == [NOW, NOW + DAY, NOW + DAY]


async def test_a_client_that_only_brings_users_back_is_in_use(registrar: Registrar) -> None:
    told = await registrar.registered(response_types=["code", "none"], scope="openid")
    registrar.world.clock.advance(DAY)

    await registrar.world.authorization_response(told["client_id"], scope="openid", response_type="none")

    assert await used_at(registrar, told) == NOW + DAY


async def test_a_client_that_users_allow_something_is_in_use(registrar: Registrar) -> None:
    told = await registrar.registered(scope="openid")
    registrar.world.clock.advance(DAY)

    await registrar.world.authorize(told["client_id"], scope="openid")

    assert await used_at(registrar, told) == NOW + DAY


async def test_of_an_operators_client_nothing_is_noted_and_of_another_only_where_it_matters(world: World) -> None:
    watched = meddled(world, "", nothing)
    watched.clock.advance(10 * DAY)
    client = await new_registrar(world).allowing(grant_types=("client_credentials",)).registered(**MACHINE)
    watched.clock.advance(10 * DAY)

    for credentials in (basic("machine", SECRET), basic(client["client_id"], client["client_secret"])):
        answer = await watched.token({"grant_type": "client_credentials"}, headers=credentials)
        assert answer.status == 200

    assert calls_of(watched) == ["client", "client"]
