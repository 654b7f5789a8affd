"""OpenID Connect Core §12.2: the ID token of a refresh."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from world import ISSUER, World, claims_of, jwt_part, signing_keys


async def _before_and_after(world: World, *, client: str = "spa") -> tuple[str, str]:
    first = await world.sign_in(client, nonce="n-1", scope="openid offline_access email")
    world.clock.advance(1000)
    second = await world.refresh(first.refresh_token, client=client)
    return first.json["id_token"], second.json["id_token"]


@pytest.mark.rt("RT-13")
@pytest.mark.spec("OpenID Connect Core", "12.2")
@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "auth_time", "amr", "sid"])
@pytest.mark.parametrize("client", ["spa", "web"])
async def test_a_claim_of_the_sign_in_stays_the_same(world: World, client: str, claim: str) -> None:
    before, after = await _before_and_after(world, client=client)

    assert claims_of(after)[claim] == claims_of(before)[claim]


@pytest.mark.rt("RT-13")
@pytest.mark.spec("OpenID Connect Core", "12.2")
async def test_its_iat_is_the_time_of_the_refresh(world: World) -> None:
    before, after = await _before_and_after(world)

    assert claims_of(after)["iat"] == claims_of(before)["iat"] + 1000
    assert claims_of(after)["exp"] == claims_of(after)["iat"] + 300


@pytest.mark.rt("RT-13")
@pytest.mark.spec("OpenID Connect Core", "12.2")
async def test_its_auth_time_is_that_of_the_original_authentication(world: World) -> None:
    _, after = await _before_and_after(world)

    assert claims_of(after)["auth_time"] == world.clock.now - 1000


@pytest.mark.rt("RT-13")
@pytest.mark.spec("OpenID Connect Core", "12.2")
async def test_it_has_no_nonce(world: World) -> None:
    before, after = await _before_and_after(world)

    assert claims_of(before)["nonce"] == "n-1"
    assert "nonce" not in claims_of(after)


@pytest.mark.rt("RT-13")
@pytest.mark.spec("OpenID Connect Core", "12.2")
async def test_it_has_an_azp_as_little_as_the_first_had(world: World) -> None:
    before, after = await _before_and_after(world)

    assert "azp" not in claims_of(before)
    assert "azp" not in claims_of(after)


@pytest.mark.rt("RT-13")
@pytest.mark.spec("OpenID Connect Core", "12.2", "2")
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")  # its old name is the one that clients know
@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA"])
async def test_it_is_signed_by_a_published_key_as_the_client_chose(world: World, alg: str) -> None:
    await world.change_client("spa", id_token_signed_response_alg=alg)
    _, after = await _before_and_after(world)

    published: Any = {"keys": [key.public_jwk for key in signing_keys().published]}
    verified = jwt.decode(after, KeySet.import_key_set(published), algorithms=[alg])

    assert verified.header["typ"] == "JWT"
    assert verified.claims["iss"] == ISSUER


@pytest.mark.rt("RT-13")
@pytest.mark.spec("OpenID Connect Core", "12.2")
async def test_there_is_none_where_the_refresh_leaves_openid_out(world: World) -> None:
    token = await world.refresh_token(scope="openid offline_access read")

    answer = await world.refresh(token, scope="read")

    assert "id_token" not in answer.json


@pytest.mark.spec("OpenID Connect Core", "2")
async def test_an_id_token_has_only_what_is_known_of_the_sign_in(world: World) -> None:
    request = await world.ask()
    known = await world.finish(request, world.authentication(amr=(), acr="urn:level:2", session_id=""))

    claims = claims_of((await world.redeem(known)).json["id_token"])

    assert claims["acr"] == "urn:level:2"
    assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "auth_time", "acr"}


@pytest.mark.spec("OpenID Connect Core", "2")
async def test_an_id_token_names_the_key_that_signed_it(world: World) -> None:
    answer = await world.sign_in()

    assert jwt_part(answer.json["id_token"], 0) == {
        "typ": "JWT",
        "alg": "ES256",
        "kid": signing_keys().signing["ES256"].kid,
    }
