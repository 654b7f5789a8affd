"""OpenID Connect Core §3.2, the implicit flow: for clients that were told to have it, and for nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from browser_tokens import NONCE, id_token_of, left_half, let_have_tokens, members_of
from encrypting import decrypted, key_of_kind, published, with_encryption
from everbearer.oauth.client import CLIENT_CREDENTIALS, AccessTokenFormat
from everbearer.oauth.crypto.jws import verify
from everbearer.oauth.crypto.keys import ALGORITHMS, KeySet
from everbearer.oauth.endpoints.metadata import metadata
from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.models import EndReason, Everything
from everbearer.oauth.profile import OPENID_CERTIFICATION
from everbearer.oauth.response_types import IMPLICIT_RESPONSE_TYPES
from everbearer.oauth.users.sid import sid_for
from meddled_store import meddled, unavailable
from world import ADA, ANY_STORE, ISSUER, World, signing_keys

EVERY = pytest.mark.parametrize("response_type", IMPLICIT_RESPONSE_TYPES)


@pytest.fixture
async def browsing(world: World) -> World:
    """Return a world in which the client `web` has nothing but tokens by the browser."""
    await let_have_tokens(world, code=False)
    return world


# What comes


@pytest.mark.spec("OpenID Connect Core", "3.2.2.5")
@pytest.mark.spec("RFC 6749", "4.2.2")
async def test_an_access_token_and_an_id_token_come_in_the_fragment_and_no_refresh_token(browsing: World) -> None:
    members = await members_of(browsing, "id_token token", scope="openid email offline_access")

    assert members.keys() == {"access_token", "token_type", "expires_in", "scope", "id_token", "state", "iss"}
    assert (members["token_type"], members["expires_in"]) == ("Bearer", "1800")
    assert (members["scope"], members["state"], members["iss"]) == ("openid email", "s", ISSUER)


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "3.2.2.5")
async def test_an_id_token_alone_comes_alone(browsing: World) -> None:
    assert (await members_of(browsing, "id_token")).keys() == {"id_token", "state", "iss"}


@ANY_STORE
@EVERY
@pytest.mark.spec("OpenID Connect Core", "2", "3.2.2.10")
async def test_the_id_token_is_signed_and_tells_of_the_sign_in_and_the_nonce(
    browsing: World, response_type: str
) -> None:
    members = await members_of(browsing, response_type)

    claims = verify(members["id_token"], signing_keys(), typ="JWT")
    now = browsing.clock.now
    expected = {
        "iss": ISSUER,
        "sub": ADA,
        "aud": "web",
        "iat": now,
        "exp": now + 300,
        "auth_time": now,
        "sid": sid_for("web", "browser"),
    }
    assert claims is not None
    assert claims.items() >= {**expected, "nonce": NONCE}.items()


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "3.2.2.9", "3.2.2.10")
@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_the_id_token_holds_a_hash_of_the_access_token(browsing: World, alg: str) -> None:
    await browsing.change_client("web", id_token_signed_response_alg=alg)

    members = await members_of(browsing, "id_token token")

    assert id_token_of(members)["at_hash"] == left_half(members["access_token"], alg)
    assert "c_hash" not in id_token_of(members)


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "3.2.2.10")
async def test_without_an_access_token_there_is_no_hash_of_one(browsing: World) -> None:
    assert not {"at_hash", "c_hash"} & id_token_of(await members_of(browsing, "id_token")).keys()


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "3.2.2.11", "10.2")
async def test_the_id_token_may_be_encrypted_to_its_client(browsing: World) -> None:
    key = key_of_kind("P-256")
    await with_encryption(browsing, "web", "id_token", "ECDH-ES", jwks=published(key))

    members = await members_of(browsing, "id_token token")

    assert decrypted(members["id_token"], key).claims["at_hash"] == left_half(members["access_token"], "ES256")


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_claims_of_the_scope_stand_in_an_id_token_that_comes_alone(browsing: World) -> None:
    alone = id_token_of(await members_of(browsing, "id_token"))
    with_token = id_token_of(await members_of(browsing, "id_token token"))

    assert (alone["email"], alone["email_verified"]) == ("ada@example.com", True)
    assert "name" not in alone
    assert not {"email", "email_verified"} & with_token.keys()


@ANY_STORE
@EVERY
@pytest.mark.spec("OpenID Connect Core", "5.5")
async def test_claims_asked_for_by_name_stand_in_the_id_token(browsing: World, response_type: str) -> None:
    members = await members_of(browsing, response_type, claims='{"id_token": {"name": null}}')

    assert id_token_of(members)["name"] == "Ada Lovelace"


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "5.4")
async def test_a_user_of_whom_nothing_may_be_told_has_no_claims(browsing: World) -> None:
    browsing.people[ADA] = None

    assert "email" not in id_token_of(await members_of(browsing, "id_token"))


@ANY_STORE
@pytest.mark.spec("OAuth 2.0 Multiple Response Types", "3")
@pytest.mark.spec("RFC 6749", "3.1.1")
async def test_the_order_of_values_does_not_matter(browsing: World) -> None:
    assert {"id_token", "access_token"} <= (await members_of(browsing, "token id_token")).keys()


@ANY_STORE
@pytest.mark.spec("OAuth 2.0 Form Post Response Mode", "2")
async def test_tokens_may_come_by_a_form(browsing: World) -> None:
    answer = await browsing.authorization_response(
        "web", response_type="id_token token", response_mode="form_post", scope="openid", nonce=NONCE
    )

    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    assert {"id_token", "access_token"} <= answer.members.keys()


# What is asked of the request


@ANY_STORE
@EVERY
@pytest.mark.spec("OpenID Connect Core", "3.2.2.1", "3.2.2.6")
@pytest.mark.parametrize(
    "changes", [{"nonce": None}, {"nonce": ""}, {"scope": "email"}, {"response_mode": "query"}], ids=str
)
async def test_a_request_without_nonce_or_openid_or_for_an_answer_in_the_query_is_invalid(
    browsing: World, response_type: str, changes: dict[str, Any]
) -> None:
    members = await members_of(browsing, response_type, **changes)

    assert (members["error"], members["state"]) == ("invalid_request", "s")


@ANY_STORE
@EVERY
@pytest.mark.spec("OpenID Connect Core", "3.2.2.6")
@pytest.mark.parametrize("profile", ["strict", "openid-certification"])
async def test_a_client_that_was_not_told_to_have_tokens_has_none(
    world: World, response_type: str, profile: str
) -> None:
    if profile == "openid-certification":
        world = replace(world, server=replace(world.server, profile=OPENID_CERTIFICATION))

    members = await members_of(world, response_type)

    offered = profile == "openid-certification"
    assert members["error"] == ("unauthorized_client" if offered else "unsupported_response_type")


@ANY_STORE
@pytest.mark.spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize("response_type", ["code", "code token"])
async def test_a_client_that_has_tokens_by_the_browser_alone_has_no_code(browsing: World, response_type: str) -> None:
    answer = await browsing.authorization_response("web", response_type=response_type, scope="openid")

    assert answer.members["error"] in {"unauthorized_client", "unsupported_response_type"}


@ANY_STORE
@pytest.mark.spec("RFC 7591", "2.1")
@pytest.mark.parametrize("grant_types", [("authorization_code",), (CLIENT_CREDENTIALS,)])
async def test_response_types_need_their_grant_type(browsing: World, grant_types: tuple[str, ...]) -> None:
    await browsing.change_client("web", grant_types=grant_types)

    assert (await members_of(browsing, "id_token"))["error"] == "unauthorized_client"


@ANY_STORE
@pytest.mark.spec("OAuth 2.0 Multiple Response Types", "4")
async def test_response_type_none_is_for_clients_that_sign_users_in(world: World) -> None:
    await world.change_client("web", grant_types=(CLIENT_CREDENTIALS,))

    answer = await world.authorization_response("web", response_type="none", scope="openid")

    assert answer.members["error"] == "unauthorized_client"


@ANY_STORE
@pytest.mark.spec("RFC 9700", "2.1.2")
@pytest.mark.parametrize("response_type", ["token", "token token", "code code", "none token", "id_token id_token"])
async def test_an_access_token_alone_and_what_makes_no_sense_is_offered_to_nobody(
    world: World, response_type: str
) -> None:
    await world.change_client("web", response_types=(response_type,), grant_types=("authorization_code", "implicit"))

    answer = await world.authorization_response("web", response_type=response_type, scope="openid", nonce=NONCE)

    assert answer.members["error"] == "unsupported_response_type"


# What becomes of the tokens


@pytest.mark.spec("OpenID Connect Core", "3.2.2.5", "5.3")
async def test_the_access_token_is_good_for_its_time(browsing: World) -> None:
    await browsing.change_client("web", access_token_format=AccessTokenFormat.OPAQUE)
    token = (await members_of(browsing, "id_token token"))["access_token"]
    browsing.clock.advance(1799)

    last = await browsing.userinfo(token)
    browsing.clock.advance(1)

    assert last.json == {"sub": ADA, "email": "ada@example.com", "email_verified": True}
    assert (await browsing.userinfo(token)).status == 401


@ANY_STORE
@pytest.mark.spec("RFC 7009", "2.1")
async def test_the_access_token_can_be_revoked(browsing: World) -> None:
    token = (await members_of(browsing, "id_token token"))["access_token"]

    await browsing.revoke(token, client="web")

    assert (await browsing.introspect(token)).json == {"active": False}


@ANY_STORE
@pytest.mark.spec("RFC 9700", "4.14")
@pytest.mark.parametrize(
    ("everything", "key"), [(Everything.USER, ADA), (Everything.CLIENT, "web"), (Everything.SESSION, "browser")]
)
async def test_the_access_token_ends_with_its_user_client_or_session(
    browsing: World, everything: Everything, key: str
) -> None:
    token = (await members_of(browsing, "id_token token"))["access_token"]

    await browsing.end_all(everything, key, EndReason.REVOKED_BY_ADMIN)

    assert not await browsing.active(token)


@ANY_STORE
@EVERY
@pytest.mark.spec("RFC 6749", "4.2.2")
async def test_nothing_is_left_that_could_be_refreshed_or_redeemed(browsing: World, response_type: str) -> None:
    await members_of(browsing, response_type)

    grant = (await browsing.store.grants())[0]
    assert (grant.offline, grant.code, grant.scope) == (False, None, ("openid", "email"))


@ANY_STORE
@EVERY
async def test_tokens_of_a_grant_that_cannot_be_stored_do_not_leave(browsing: World, response_type: str) -> None:
    with pytest.raises(StoreUnavailable):
        await members_of(meddled(browsing, "create_grant", unavailable), response_type)


@ANY_STORE
@EVERY
@pytest.mark.spec("RFC 6749", "4.1.2.1")
async def test_what_cannot_be_signed_is_told_to_the_client_and_nothing_is_stored(
    browsing: World, response_type: str
) -> None:
    no_keys = replace(browsing, server=replace(browsing.server, keys=lambda: KeySet(signing={}, published=())))

    members = await members_of(no_keys, response_type)

    assert members["error"] == "temporarily_unavailable"
    assert await browsing.store.grants() == []


@ANY_STORE
@pytest.mark.spec("OpenID Connect Discovery", "3")
async def test_the_metadata_announces_it_where_the_profile_offers_it_to_all(browsing: World) -> None:
    strict: dict[str, Any] = metadata(browsing.server)
    lenient: dict[str, Any] = metadata(replace(browsing.server, profile=OPENID_CERTIFICATION))

    assert strict["response_types_supported"] == ["code", "none"]
    assert set(IMPLICIT_RESPONSE_TYPES) <= set(lenient["response_types_supported"])
    assert "implicit" not in strict["grant_types_supported"]
    assert "implicit" in lenient["grant_types_supported"]
