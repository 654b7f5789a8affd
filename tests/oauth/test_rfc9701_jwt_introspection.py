"""RFC 9701: introspection as a JWT, signed and encrypted, for resource servers that ask for one."""

from __future__ import annotations

import pytest

from encrypting import decrypted, key_of_kind, published, verified, with_encryption
from world import ANY_STORE, ISSUER, NOW, Answer, World, jwt_part

pytestmark = ANY_STORE

JWT = "application/token-introspection+jwt"
EC = key_of_kind("P-256")


async def _introspect(world: World, accept: str = JWT, *, token: str = "", client: str = "api") -> Answer:
    asked = token or (await world.sign_in()).access_token
    return await world.introspect(asked, client=client, headers={"accept": accept})


@pytest.mark.spec("RFC 9701", "5")
async def test_who_asks_for_a_jwt_gets_the_whole_response_in_one_claim_of_it(world: World) -> None:
    token = (await world.sign_in()).access_token

    answer = await _introspect(world, token=token)

    assert answer.headers["content-type"] == JWT
    assert answer.headers["cache-control"] == "no-store"
    assert verified(answer.body.decode()) == {
        "iss": ISSUER,
        "aud": "api",
        "iat": NOW,
        "token_introspection": (await world.introspect(token)).json,
    }


@pytest.mark.spec("RFC 9701", "5")
async def test_its_type_is_that_of_no_other_jwt(world: World) -> None:
    answer = await _introspect(world)

    assert jwt_part(answer.body.decode(), 0)["typ"] == "token-introspection+jwt"
    assert (await world.userinfo(answer.body.decode())).error == "invalid_token"


@pytest.mark.spec("RFC 9701", "5")
async def test_of_a_token_that_is_not_active_it_says_only_that(world: World) -> None:
    answer = await _introspect(world, token="made-up")

    assert verified(answer.body.decode())["token_introspection"] == {"active": False}


@pytest.mark.spec("RFC 9701", "4")
@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (f"application/json, {JWT};q=0.5", JWT),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        (f"{JWT}x", "application/json"),
        ("", "application/json"),
    ],
)
async def test_the_accept_header_says_which_form_is_wanted(world: World, accept: str, content_type: str) -> None:
    assert (await _introspect(world, accept)).headers["content-type"] == content_type


@pytest.mark.spec("RFC 9701", "6")
@pytest.mark.parametrize(("registered", "alg"), [(None, "RS256"), ("ES256", "ES256"), ("PS256", "PS256")])
async def test_it_is_signed_as_is_registered_and_by_rs256_where_nothing_is(
    world: World, registered: str | None, alg: str
) -> None:
    await world.change_client("api", introspection_signed_response_alg=registered)

    assert jwt_part((await _introspect(world)).body.decode(), 0)["alg"] == alg


@pytest.mark.spec("RFC 9701", "5", "6")
async def test_it_is_signed_then_encrypted_where_that_is_registered(world: World) -> None:
    await with_encryption(world, "api", "introspection", "ECDH-ES+A256KW", "A256GCM", jwks=published(EC))

    answer = await _introspect(world)

    opened = decrypted(answer.body.decode(), EC)
    assert (opened.header["cty"], opened.header["enc"]) == ("JWT", "A256GCM")
    assert opened.claims["token_introspection"]["sub"] == "ada"


@pytest.mark.spec("RFC 9701", "6")
async def test_what_cannot_be_encrypted_is_told_as_json(world: World) -> None:
    await with_encryption(world, "api", "introspection", "RSA-OAEP", jwks=published(EC))

    answer = await _introspect(world)

    assert (answer.status, answer.error) == (400, "invalid_client_metadata")
