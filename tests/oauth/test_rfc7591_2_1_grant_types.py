"""How clients that register themselves may get tokens, and for what (RFC 7591 §2.1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device_world import device
from everbearer.oauth.client import DEVICE_CODE, JWT_BEARER
from registering import Registrar, new_registrar
from world import ANY_STORE, World

pytestmark = ANY_STORE


@pytest.fixture
def registrar(world: World) -> Registrar:
    return new_registrar(world)


# Grant types and response types


@pytest.mark.spec("RFC 7591", "2.1")
@pytest.mark.parametrize(
    ("grant_types", "response_types"),
    [
        (["authorization_code"], ["id_token"]),
        (["authorization_code"], ["token"]),
        (["authorization_code"], ["code", "code id_token"]),
        (["implicit"], ["code"]),
        (["client_credentials"], ["code"]),
        (["client_credentials"], ["none"]),
        (["authorization_code", "implicit"], ["id_token token"]),
    ],
)
async def test_grant_types_and_response_types_that_contradict_each_other_are_refused(
    registrar: Registrar, grant_types: list[str], response_types: list[str]
) -> None:
    assert "grant_types" in await registrar.refused(grant_types=grant_types, response_types=response_types)


@pytest.mark.spec("RFC 7591", "3.2.1")
async def test_grant_types_and_response_types_that_are_not_offered_are_left_out_and_the_answer_tells(
    registrar: Registrar,
) -> None:
    told = await registrar.registered(
        grant_types=["authorization_code", "implicit", "refresh_token", "urn:ietf:params:oauth:grant-type:x"],
        response_types=["code", "id_token token", "code id_token"],
    )

    assert told["grant_types"] == ["authorization_code", "refresh_token"]
    assert told["response_types"] == ["code"]


@pytest.mark.parametrize(
    ("grant_types", "response_types"),
    [
        (["implicit"], ["id_token"]),
        (["password"], None),
        (["refresh_token"], None),
        (["implicit", "authorization_code"], ["code token"]),
    ],
)
async def test_a_client_of_which_nothing_would_be_left_is_refused(
    registrar: Registrar, grant_types: list[str], response_types: list[str] | None
) -> None:
    description = await registrar.refused(grant_types=grant_types, response_types=response_types)

    assert "may be" in description


async def test_a_client_without_users_has_no_response_types_and_no_scope_that_it_does_not_name(
    registrar: Registrar,
) -> None:
    machines = registrar.allowing(grant_types=("client_credentials",))

    told = await machines.registered(grant_types=["client_credentials"], redirect_uris=None)
    named = await machines.registered(grant_types=["client_credentials"], redirect_uris=None, scope="read openid")

    assert not told.keys() & {"response_types", "redirect_uris", "scope"}
    assert named["scope"] == "read openid"


# Devices


@pytest.mark.spec("RFC 7591", "2", '"clients using flows with redirection MUST register their redirection URI values"')
async def test_a_device_registers_without_redirect_uris(registrar: Registrar) -> None:
    devices = registrar.allowing(grant_types=(DEVICE_CODE, "refresh_token"))
    told = await devices.registered(
        grant_types=[DEVICE_CODE, "refresh_token"], redirect_uris=None, token_endpoint_auth_method="none"
    )

    assert told["grant_types"] == [DEVICE_CODE, "refresh_token"]
    assert not told.keys() & {"redirect_uris", "response_types", "client_secret"}


async def test_a_device_that_names_no_scope_gets_all_that_is_allowed_for_it_has_users(registrar: Registrar) -> None:
    devices = registrar.allowing(grant_types=(DEVICE_CODE,))
    told = await devices.registered(grant_types=[DEVICE_CODE], redirect_uris=None)

    assert told["scope"] == "openid profile email read"


async def test_a_device_that_registered_itself_is_let_in_by_its_user(registrar: Registrar) -> None:
    devices = registrar.allowing(grant_types=(DEVICE_CODE, "refresh_token"))
    told = await devices.registered(
        grant_types=[DEVICE_CODE, "refresh_token"], redirect_uris=None, token_endpoint_auth_method="none"
    )
    asked = await device(devices.world, told["client_id"], scope="openid offline_access")
    await asked.allow()

    assert (await asked.poll()).refresh_token


async def test_where_no_devices_are_kept_none_registers(registrar: Registrar) -> None:
    devices = registrar.allowing(grant_types=(DEVICE_CODE, "authorization_code"))
    world = replace(devices.world, server=replace(devices.world.server, devices=None))
    without = replace(devices, world=world)

    assert "grant_types may be: authorization_code" in await without.refused(
        grant_types=[DEVICE_CODE], redirect_uris=None
    )


async def test_what_contradicts_itself_in_another_way_is_refused_in_words_for_its_developer(
    registrar: Registrar,
) -> None:
    machines = registrar.allowing(grant_types=("client_credentials",))

    description = await machines.refused(grant_types=["client_credentials"], token_endpoint_auth_method="none")

    assert "client_credentials is for clients with a secret" in description


# Scope


@pytest.mark.spec("RFC 7591", "2")
async def test_a_client_that_names_no_scope_gets_all_that_is_allowed(registrar: Registrar) -> None:
    told = await registrar.registered(grant_types=["authorization_code", "refresh_token"])

    assert told["scope"] == "openid profile email offline_access read"


async def test_a_client_without_refresh_tokens_does_not_get_the_scope_for_them(registrar: Registrar) -> None:
    assert (await registrar.registered(scope="openid offline_access"))["scope"] == "openid"


@pytest.mark.spec("ASVS 5.0", "10.4.11")
async def test_no_client_registers_itself_with_more_than_is_allowed(registrar: Registrar) -> None:
    assert (await registrar.registered(scope="openid write admin read"))["scope"] == "openid read"
    assert (await registrar.refused(scope="write admin")).startswith("nothing of scope")


async def test_a_grant_that_the_server_does_not_offer_is_registered_by_nobody(registrar: Registrar) -> None:
    without = registrar.allowing(grant_types=("authorization_code", JWT_BEARER))
    told = await without.registered(grant_types=["authorization_code", JWT_BEARER])

    assert told["grant_types"] == ["authorization_code"]
    assert "grant_types may be: authorization_code" in await without.refused(
        grant_types=[JWT_BEARER], response_types=[]
    )
