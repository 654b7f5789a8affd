"""OpenID Connect Back-Channel Logout 1.0 §2.4: logout tokens."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from encrypting import decrypted, key_of_kind, published, with_encryption
from everbearer.oauth.client import SubjectType
from everbearer.oauth.sessions.backchannel_logout import Logout, mint_logout_token
from everbearer.oauth.tokens.id_tokens import read_id_token_hint
from everbearer.oauth.users.sid import sid_for
from world import ANY_STORE, ISSUER, World, claims_of, jwt_part, signing_keys

pytestmark = ANY_STORE

LOGOUT = Logout(session_id="browser", client_id="web", subject="ada", ended_at=0)
KEY = key_of_kind("P-256")
EVENTS: Any = {"http://schemas.openid.net/event/backchannel-logout": {}}


async def _token(world: World, client_id: str = "web", **changes: Any) -> str:
    await world.change_client(client_id, **changes)
    return await mint_logout_token(await world.client(client_id), LOGOUT, world.server)


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.4")
async def test_a_logout_token_says_whose_session_has_ended_where(world: World) -> None:
    id_token = claims_of((await world.sign_in("web")).json["id_token"])

    claims = claims_of(await _token(world))

    assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "jti", "events", "sid"}
    assert {name: claims[name] for name in ("iss", "sub", "aud", "sid")} == {
        name: id_token[name] for name in ("iss", "sub", "aud", "sid")
    }
    assert claims["events"] == EVENTS
    assert claims["iat"] == world.clock.now


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "4")
async def test_a_logout_token_is_good_for_two_minutes(world: World) -> None:
    claims = claims_of(await _token(world))

    assert claims["exp"] - claims["iat"] == 120


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.4")
async def test_each_logout_token_has_an_id_of_its_own(world: World) -> None:
    assert claims_of(await _token(world))["jti"] != claims_of(await _token(world))["jti"]


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.4")
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")  # its old name is the one that clients know
@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "EdDSA"])
async def test_a_logout_token_is_signed_as_the_clients_id_tokens_are(world: World, alg: str) -> None:
    token = await _token(world, id_token_signed_response_alg=alg)

    published: Any = {"keys": [key.public_jwk for key in signing_keys().published]}
    verified = jwt.decode(token, KeySet.import_key_set(published), algorithms=[alg])
    assert verified.header["alg"] == alg
    assert verified.claims["iss"] == ISSUER


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.4", "4.1")
async def test_a_logout_token_is_of_a_type_of_its_own_and_no_id_token(world: World) -> None:
    token = await _token(world)

    assert jwt_part(token, 0)["typ"] == "logout+jwt"
    assert read_id_token_hint(token, world.server) is None


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.4")
async def test_a_logout_token_has_no_nonce(world: World) -> None:
    await world.sign_in("web", nonce="n-1")

    assert "nonce" not in claims_of(await _token(world))


async def test_a_logout_token_has_the_subject_that_the_client_knows(world: World) -> None:
    token = await _token(world, subject_type=SubjectType.PAIRWISE)
    id_token = (await world.sign_in("web")).json["id_token"]

    assert claims_of(token)["sub"] == claims_of(id_token)["sub"]
    assert claims_of(token)["sub"] != "ada"


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.4")
async def test_a_logout_token_is_encrypted_where_id_tokens_are(world: World) -> None:
    await with_encryption(world, "web", "id_token", "ECDH-ES", jwks=published(KEY))

    opened = decrypted(await _token(world), KEY)

    assert opened.claims["events"] == EVENTS
    assert opened.claims["sid"] == sid_for("web", "browser")
