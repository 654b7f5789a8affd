"""OpenID Connect Core §5.3.2: userinfo as a JWT, signed and encrypted, for clients that are registered for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from encrypting import decrypted, key_of_kind, published, verified, with_encryption
from everbearer.oauth.crypto.keys import ALGORITHMS
from world import ANY_STORE, ISSUER, Answer, World, jwt_part

pytestmark = ANY_STORE

RSA, EC = key_of_kind("RSA"), key_of_kind("P-256")


async def _userinfo(world: World, client: str = "partner", **changes: Any) -> Answer:
    await world.change_client(client, **changes)
    return await world.userinfo((await world.sign_in(client, scope="openid email")).access_token)


@pytest.mark.spec("OpenID Connect Core", "5.3.2")
@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
# The library wants EdDSA to be called Ed25519 (RFC 9864), and verifies it under either name.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_a_client_registered_for_it_gets_userinfo_signed_with_issuer_and_audience(world: World, alg: str) -> None:
    answer = await _userinfo(world, userinfo_signed_response_alg=alg)

    assert answer.headers["content-type"] == "application/jwt"
    assert answer.headers["cache-control"] == "no-store"
    assert jwt_part(answer.body.decode(), 0)["alg"] == alg
    assert verified(answer.body.decode()) == {
        "iss": ISSUER,
        "aud": "partner",
        "sub": "ada",
        "email": "ada@example.com",
        "email_verified": True,
    }


@pytest.mark.spec("OpenID Connect Core", "5.3.2")
async def test_userinfo_is_signed_then_encrypted_as_a_nested_jwt(world: World) -> None:
    await with_encryption(world, "partner", "userinfo", "RSA-OAEP-256", "A256GCM", jwks=published(RSA))

    answer = await _userinfo(world, userinfo_signed_response_alg="RS256")

    assert answer.headers["content-type"] == "application/jwt"
    opened = decrypted(answer.body.decode(), RSA)
    assert opened.header == {
        "typ": "JWT",
        "cty": "JWT",
        "alg": "RSA-OAEP-256",
        "enc": "A256GCM",
        "kid": RSA.thumbprint(),
    }
    assert (opened.claims["iss"], opened.claims["aud"], opened.claims["sub"]) == (ISSUER, "partner", "ada")


@pytest.mark.spec("OpenID Connect Core", "5.3.2")
async def test_userinfo_may_be_encrypted_without_being_signed(world: World) -> None:
    await with_encryption(world, "partner", "userinfo", "ECDH-ES", jwks=published(EC))

    answer = await _userinfo(world)

    opened = decrypted(answer.body.decode(), EC)
    assert answer.headers["content-type"] == "application/jwt"
    assert "cty" not in opened.header
    assert json.loads(opened.content)["email"] == "ada@example.com"


@pytest.mark.spec("OpenID Connect Core", "5.3.2")
async def test_an_operators_own_client_gets_its_users_claims_signed_but_none_that_stands_for_the_protocols(
    world: World,
) -> None:
    world.people["ada"] = {"sub": "eve", "exp": 1, "nonce": "of the user", "aud": "eve", "plan": "gold"}

    answer = await _userinfo(world, "spa", userinfo_signed_response_alg="ES256")

    assert verified(answer.body.decode()) == {"iss": ISSUER, "aud": "spa", "sub": "ada", "plan": "gold"}


@pytest.mark.spec("OpenID Connect Core", "5.3.2")
async def test_a_signed_userinfo_response_is_no_id_token(world: World) -> None:
    answer = await _userinfo(world, userinfo_signed_response_alg="ES256")

    refused = await world.authorization_response("partner", scope="openid", id_token_hint=answer.body.decode())

    assert refused.members["error"] == "invalid_request"


@pytest.mark.spec("OpenID Connect Core", "5.3.3")
async def test_errors_at_userinfo_are_json_whatever_is_registered(world: World) -> None:
    await world.change_client("partner", userinfo_signed_response_alg="ES256")

    answer = await world.userinfo((await world.sign_in("partner", scope="email")).access_token)

    assert (answer.status, answer.error) == (403, "insufficient_scope")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.spec("OpenID Connect Core", "5.3.3")
async def test_userinfo_that_cannot_be_encrypted_tells_the_developer_what_to_publish(world: World) -> None:
    await with_encryption(world, "partner", "userinfo", "RSA-OAEP", jwks=published(EC))

    answer = await _userinfo(world)

    assert (answer.status, answer.error) == (400, "invalid_client_metadata")
    assert "the jwks of this client has no key to encrypt to with RSA-OAEP" in answer.json["error_description"]
