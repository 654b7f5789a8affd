"""RFC 9068, access tokens as JWTs, and opaque ones beside them."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from everbearer.oauth.client import AccessTokenFormat
from everbearer.oauth.crypto.sealing import Sealer
from world import ISSUER, NOW, World, claims_of, jwt_part, signing_keys


@pytest.mark.spec("RFC 9068", "2.1")
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")
@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA"])
async def test_any_resource_server_can_verify_it_by_the_published_keys(world: World, alg: str) -> None:
    await world.change_client("spa", access_token_signing_alg=alg)
    published: Any = {"keys": [key.public_jwk for key in signing_keys().published]}

    token = jwt.decode((await world.sign_in()).access_token, KeySet.import_key_set(published), algorithms=[alg])

    assert token.header["typ"] == "at+jwt"
    assert token.claims["sub"] == "ada"


@pytest.mark.spec("RFC 9068", "2.2")
async def test_it_has_the_claims_of_the_profile_in_whole_seconds(world: World) -> None:
    claims = claims_of((await world.sign_in(scope="openid offline_access read")).access_token)

    grant_id, generation, _ = claims.pop("jti").split(".")
    assert (len(grant_id), generation) == (22, "1")
    assert claims == {
        "iss": ISSUER,
        "sub": "ada",
        "aud": ISSUER,
        "client_id": "spa",
        "iat": NOW,
        "exp": NOW + 1800,
        "scope": "openid offline_access read",
        "auth_time": NOW,
        "amr": ["pwd"],
    }


@pytest.mark.spec("RFC 9068", "2.2.1")
async def test_the_time_of_the_sign_in_stays_at_a_refresh(world: World) -> None:
    token = await world.refresh_token()
    world.clock.advance(1000)

    claims = claims_of((await world.refresh(token)).access_token)

    assert (claims["auth_time"], claims["iat"]) == (NOW, NOW + 1000)


@pytest.mark.spec("RFC 9068", "3")
async def test_its_audience_is_what_the_client_is_set_to(world: World) -> None:
    await world.change_client("spa", audience="https://api.example")

    assert claims_of((await world.sign_in()).access_token)["aud"] == "https://api.example"


@pytest.mark.spec("RFC 9068", "2.2")
async def test_each_has_an_id_of_its_own(world: World) -> None:
    token = await world.refresh_token()

    ids = {claims_of((await world.refresh(token)).access_token)["jti"] for _ in range(20)}

    assert len(ids) == 20


@pytest.mark.spec("RFC 9068", "2.1")
async def test_it_names_the_key_and_never_says_none(world: World) -> None:
    header = jwt_part((await world.sign_in()).access_token, 0)

    assert header == {"typ": "at+jwt", "alg": "ES256", "kid": signing_keys().signing["ES256"].kid}


@pytest.mark.spec("RFC 6749", "1.4")
async def test_an_opaque_one_shows_nothing(world: World) -> None:
    token = (await world.sign_in("opaque")).access_token

    assert token.startswith("era_")
    assert "." not in token
    assert (await world.introspect(token)).json["sub"] == "ada"


@pytest.mark.rt("RT-74")
@pytest.mark.spec("RFC 6749", "10.3")
async def test_an_opaque_one_that_was_changed_is_nobodys(world: World) -> None:
    token = (await world.sign_in("opaque")).access_token

    for changed in (token[:-2], token + "AA", token[:20] + ("A" if token[20] != "A" else "B") + token[21:], "era_"):
        assert (await world.introspect(changed)).json == {"active": False}


@pytest.mark.rt("RT-72")
@pytest.mark.spec("RFC 6749", "10.3")
async def test_an_opaque_one_sealed_by_another_server_is_nobodys(world: World) -> None:
    token = (await world.sign_in("opaque")).access_token
    other = world.sealed_by(Sealer([b"a secret that this server never had"]))

    assert (await other.userinfo(token)).status == 401


@pytest.mark.spec("RFC 7662", "2.2")
@pytest.mark.parametrize("kind", AccessTokenFormat)
async def test_both_kinds_say_the_same_at_introspection(world: World, kind: AccessTokenFormat) -> None:
    await world.change_client("spa", access_token_format=kind)

    answer = (await world.introspect((await world.sign_in()).access_token)).json

    assert {name: value for name, value in answer.items() if name != "jti"} == {
        "active": True,
        "scope": "openid offline_access",
        "client_id": "spa",
        "token_type": "Bearer",
        "exp": NOW + 1800,
        "iat": NOW,
        "sub": "ada",
        "aud": ISSUER,
        "iss": ISSUER,
        "auth_time": NOW,
        "amr": ["pwd"],
    }
