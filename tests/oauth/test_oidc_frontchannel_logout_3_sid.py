"""OpenID Connect Front-Channel Logout 1.0 §3 (and Back-Channel Logout 1.0 §2.1): the `sid` of ID tokens."""

from __future__ import annotations

import re

import pytest

from everbearer.oauth.crypto.sealing import Sealer
from world import World, claims_of


async def _sid(world: World, client: str = "spa", *, session_id: str = "browser") -> str:
    answer = await world.sign_in(client, authentication=world.authentication(session_id=session_id))
    return str(claims_of(answer.json["id_token"])["sid"])


@pytest.mark.spec("OpenID Connect Front-Channel Logout", "3")
async def test_a_client_knows_a_session_by_one_sid(world: World) -> None:
    assert await _sid(world) == await _sid(world)


@pytest.mark.spec("OpenID Connect Front-Channel Logout", "3")
async def test_another_session_has_another_sid(world: World) -> None:
    assert await _sid(world) != await _sid(world, session_id="another")


async def test_clients_that_compare_their_sids_learn_nothing(world: World) -> None:
    assert await _sid(world, "spa") != await _sid(world, "web")


@pytest.mark.spec("OpenID Connect Front-Channel Logout", "3", "5")
async def test_a_sid_is_opaque_of_enough_entropy_and_of_the_characters_of_a_client_id(world: World) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", await _sid(world))


async def test_a_sid_does_not_tell_the_session_id(world: World) -> None:
    assert "browser" not in await _sid(world)


async def test_a_sid_outlives_a_change_of_the_servers_secret(world: World) -> None:
    before = await _sid(world)

    assert await _sid(world.sealed_by(Sealer([b"another secret of the server, as long as it must be"]))) == before


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.1")
async def test_the_sid_stays_through_refreshes_and_retries(world: World) -> None:
    first = await world.sign_in()
    second = await world.refresh(first.refresh_token)
    again = await world.refresh(first.refresh_token)
    third = await world.refresh(second.refresh_token)

    sids = {claims_of(answer.json["id_token"])["sid"] for answer in (first, second, again, third)}

    assert len(sids) == 1


async def test_online_and_offline_grants_of_a_session_have_its_sid(world: World) -> None:
    online = await world.sign_in(scope="openid")
    offline = await world.sign_in(scope="openid offline_access")

    assert claims_of(online.json["id_token"])["sid"] == claims_of(offline.json["id_token"])["sid"]
