"""What a profile lets clients register that nobody may under the strict one."""

from __future__ import annotations

import pytest

from everbearer.oauth.profile import OPENID_CERTIFICATION, STRICT, Profile
from registering import SCOPE, Registrar, new_registrar
from world import ANY_STORE, World

pytestmark = ANY_STORE


@pytest.fixture
def registrar(world: World) -> Registrar:
    return new_registrar(world)


REQUESTS = "https://app.example/requests/1"
IMPLICIT = {"grant_types": ["implicit"], "response_types": ["id_token", "token id_token"]}


@pytest.fixture
def certifying(registrar: Registrar) -> Registrar:
    return registrar.under(OPENID_CERTIFICATION)


async def test_tokens_by_the_browser_are_for_nobody_who_registers_himself(registrar: Registrar) -> None:
    assert (await registrar.refused(**IMPLICIT)).startswith("grant_types may be: ")


async def test_no_response_type_is_left_of_those_that_a_profile_does_not_offer(registrar: Registrar) -> None:
    both = {"grant_types": ["authorization_code", "implicit"], "response_types": ["code id_token"]}

    assert (await registrar.refused(**both)).startswith("response_types may be: ")


async def test_a_profile_lets_clients_register_for_tokens_by_the_browser(certifying: Registrar) -> None:
    client = await certifying.client(**IMPLICIT)

    assert (client.response_types, client.grant_types) == (("id_token", "token id_token"), ("implicit",))
    assert client.scope == tuple(value for value in SCOPE if value != "offline_access")


@pytest.mark.spec("RFC 7591", "5")
async def test_a_client_that_gets_tokens_by_the_browser_registers_where_to(certifying: Registrar) -> None:
    assert (await certifying.error(**IMPLICIT, redirect_uris=None))[1] == "invalid_redirect_uri"


@pytest.mark.spec("RFC 7591", "2.1")
@pytest.mark.parametrize("profile", [STRICT, OPENID_CERTIFICATION])
async def test_a_client_that_asks_for_no_tokens_by_the_browser_is_not_registered_for_them(
    registrar: Registrar, profile: Profile
) -> None:
    told = await registrar.under(profile).registered(grant_types=["authorization_code", "implicit"])

    assert (told["grant_types"], told["response_types"]) == (["authorization_code"], ["code"])


@pytest.mark.parametrize(
    ("profile", "setting", "required"),
    [
        (STRICT, None, True),
        (STRICT, False, False),
        (OPENID_CERTIFICATION, None, None),
        (OPENID_CERTIFICATION, True, True),
    ],
)
async def test_pkce_is_required_unless_a_profile_or_the_operator_does_without(
    registrar: Registrar, profile: Profile, setting: bool | None, required: bool | None
) -> None:
    client = await registrar.allowing(require_pkce=setting).under(profile).client()

    assert client.require_pkce is required


async def test_nobody_registers_to_send_unsigned_request_objects(registrar: Registrar) -> None:
    told = await registrar.refused(request_object_signing_alg="none")

    assert told == "request_object_signing_alg none is not allowed here: sign request objects"


async def test_a_profile_lets_clients_register_to_send_unsigned_request_objects(certifying: Registrar) -> None:
    assert (await certifying.client(request_object_signing_alg="none")).request_object_signing_alg == "none"


async def test_where_request_objects_stand_is_registered_by_leave_of_a_profile_alone(registrar: Registrar) -> None:
    assert "request_uris" not in await registrar.registered(request_uris=[REQUESTS])


async def test_a_profile_lets_clients_register_where_request_objects_stand(certifying: Registrar) -> None:
    assert (await certifying.registered(request_uris=[REQUESTS]))["request_uris"] == [REQUESTS]
