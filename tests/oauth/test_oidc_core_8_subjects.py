"""OpenID Connect Core §8: subjects that all clients know, and such as only those of one sector know."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from everbearer.oauth.authorization_server import no_salt
from everbearer.oauth.client import SubjectType
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.parameters import Parameters
from everbearer.oauth.sessions.end_session import validate_end_session_request
from everbearer.oauth.tokens.explain import explain_token
from world import ANY_STORE, World, claims_of

pytestmark = ANY_STORE


async def _pairwise(world: World, client: str = "partner", **changes: Any) -> None:
    await world.change_client(client, subject_type=SubjectType.PAIRWISE, **changes)


async def _subject(world: World, client: str = "partner") -> str:
    tokens = await world.sign_in(client)
    return str(claims_of(tokens.json["id_token"])["sub"])


@pytest.mark.spec("OpenID Connect Core", "8")
async def test_a_public_subject_is_the_same_for_every_client(world: World) -> None:
    assert {await _subject(world, client) for client in ("partner", "spa", "web")} == {"ada"}


@pytest.mark.spec("OpenID Connect Core", "8.1")
async def test_a_pairwise_subject_tells_nothing_of_the_user(world: World) -> None:
    await _pairwise(world)

    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", await _subject(world))


@pytest.mark.spec("OpenID Connect Core", "8.1")
@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({}, {}, False),
        ({}, {"redirect_uris": ("https://partner.example/other",)}, True),
        ({}, {"sector_identifier": "PARTNER.example"}, True),
        ({"sector_identifier": "one.example"}, {"sector_identifier": "two.example"}, False),
        ({"redirect_uris": ("http://127.0.0.1/cb",)}, {"redirect_uris": ("http://127.0.0.1/cb",)}, False),
        (
            {"redirect_uris": ("https://a.example/", "https://b.example/")},
            {"redirect_uris": ("https://a.example/",)},
            False,
        ),
    ],
    ids=str,
)
async def test_clients_know_the_same_subject_if_they_are_of_one_sector(
    world: World, first: dict[str, Any], second: dict[str, Any], same: bool
) -> None:
    await _pairwise(world, "partner", **first)
    await _pairwise(world, "no-refresh", **second)

    assert (await _subject(world, "partner") == await _subject(world, "no-refresh")) is same


@pytest.mark.spec("OpenID Connect Core", "8.1")
async def test_users_of_one_sector_have_different_subjects(world: World) -> None:
    await _pairwise(world)
    eve = world.authentication(subject="eve")
    of_eve = claims_of((await world.sign_in("partner", authentication=eve)).json["id_token"])["sub"]

    assert of_eve != await _subject(world)


@pytest.mark.spec("OpenID Connect Core", "5.3.2", "8.1")
@pytest.mark.spec("RFC 9068", "2.2")
@pytest.mark.parametrize("client", ["partner", "opaque"])
async def test_userinfo_introspection_and_all_tokens_name_the_same_subject(world: World, client: str) -> None:
    await _pairwise(world, client)
    tokens = await world.sign_in(client, scope="openid email offline_access")
    subject = claims_of(tokens.json["id_token"])["sub"]

    userinfo = (await world.userinfo(tokens.access_token)).json
    assert userinfo == {"sub": subject, "email": "ada@example.com", "email_verified": True}
    assert (await world.introspect(tokens.access_token)).json["sub"] == subject
    assert (await world.introspect(tokens.refresh_token)).json["sub"] == subject
    refreshed = await world.refresh(tokens.refresh_token, client=client)
    assert claims_of(refreshed.json["id_token"])["sub"] == subject
    if client == "partner":
        assert claims_of(tokens.access_token)["sub"] == subject


async def test_an_operator_is_told_whom_a_pairwise_subject_stands_for(world: World) -> None:
    await _pairwise(world)
    tokens = await world.sign_in("partner")

    assert (await explain_token(tokens.access_token, world.server)).subject == "ada"


@pytest.mark.spec("OpenID Connect Core", "8")
async def test_a_pairwise_subject_outlives_the_servers_secret(world: World) -> None:
    await _pairwise(world)
    before = await _subject(world)

    assert await _subject(world.sealed_by(Sealer([b"another secret of the server, new"]))) == before


@pytest.mark.spec("OpenID Connect Core", "8.1")
async def test_a_server_without_a_salt_gives_no_code_to_a_client_with_pairwise_subjects(world: World) -> None:
    await _pairwise(world)
    plain = replace(world, server=replace(world.server, pairwise_salt=no_salt))

    assert (await plain.authorization_response("partner")).members["error"] == "unauthorized_client"


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1", "8.1")
@pytest.mark.parametrize("asking", ["partner", "spa"])
async def test_a_hint_names_the_user_as_the_client_it_was_issued_to_knows_them(world: World, asking: str) -> None:
    await _pairwise(world)
    hint = (await world.sign_in("partner")).json["id_token"]
    eve = world.authentication(subject="eve")

    assert "code" in (await world.authorization_response(asking, id_token_hint=hint)).members
    of_eve = await world.authorization_response(asking, id_token_hint=hint, authentication=eve)
    assert of_eve.members["error"] == "login_required"


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_a_hint_of_a_client_that_is_gone_still_names_a_user_by_a_public_subject(world: World) -> None:
    hint = (await world.sign_in("partner")).json["id_token"]
    await world.delete_client("partner")

    assert "code" in (await world.authorization_response("spa", id_token_hint=hint)).members


@pytest.mark.spec("OpenID Connect Core", "5.5", "8.1")
async def test_the_subject_in_claims_is_the_one_that_the_client_knows(world: World) -> None:
    await _pairwise(world)
    claims = json.dumps({"id_token": {"sub": {"value": await _subject(world)}}})

    assert "code" in (await world.authorization_response("partner", claims=claims)).members
    assert (await world.authorization_response("spa", claims=claims)).members["error"] == "login_required"


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
async def test_a_logout_hint_names_the_user_behind_a_pairwise_subject(world: World) -> None:
    await _pairwise(world)
    hint = (await world.sign_in("partner", authentication=world.authentication(session_id=""))).json["id_token"]

    asked = await validate_end_session_request(Parameters({"id_token_hint": hint}), world.server)

    assert asked.belongs_to("browser", "ada", world.server)
    assert not asked.belongs_to("browser", "eve", world.server)
