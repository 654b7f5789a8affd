"""OpenID Connect Core §3.3, the hybrid flow: tokens by the browser beside a code, all of one grant."""

from __future__ import annotations

from typing import Any

import pytest

from browser_tokens import NONCE, id_token_of, left_half, let_have_tokens, members_of
from everbearer.oauth.client import AccessTokenFormat, SubjectType
from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.oauth.models import WEEK, EndReason
from everbearer.oauth.response_types import HYBRID_RESPONSE_TYPES, gives
from world import ADA, ANY_STORE, VERIFIER, Answer, World, claims_of, s256

EVERY = pytest.mark.parametrize("response_type", HYBRID_RESPONSE_TYPES)
OF_ID_TOKENS = pytest.mark.parametrize("response_type", ["code id_token", "code id_token token"])
OF_TOKENS = pytest.mark.parametrize("response_type", ["code token", "code id_token token"])


@pytest.fixture
async def hybrid(world: World) -> World:
    """Return a world in which the client `web` may have tokens by the browser, opaque ones, beside a code."""
    await let_have_tokens(world)
    await world.change_client("web", access_token_format=AccessTokenFormat.OPAQUE)
    return world


async def redeemed(world: World, members: dict[str, str], **changes: Any) -> Answer:
    return await world.redeem(members["code"], client="web", **changes)


# What comes by the browser


@EVERY
@pytest.mark.spec("OpenID Connect Core", "3.3.2.5")
@pytest.mark.spec("OAuth 2.0 Multiple Response Types", "5")
async def test_each_value_of_the_response_type_gives_its_own_in_the_fragment(hybrid: World, response_type: str) -> None:
    members = await members_of(hybrid, response_type, scope="openid offline_access")

    of_token = {"access_token", "token_type", "expires_in", "scope"} if gives(response_type, "token") else set()
    of_id_token = {"id_token"} if gives(response_type, "id_token") else set()
    assert members.keys() == {"code", "state", "iss"} | of_token | of_id_token


@ANY_STORE
@OF_ID_TOKENS
@pytest.mark.spec("OpenID Connect Core", "3.3.2.10", "3.3.2.11")
@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_the_id_token_holds_hashes_of_what_comes_beside_it(hybrid: World, response_type: str, alg: str) -> None:
    await hybrid.change_client("web", id_token_signed_response_alg=alg)

    members = await members_of(hybrid, response_type)

    claims = id_token_of(members)
    assert claims["c_hash"] == left_half(members["code"], alg)
    assert claims["nonce"] == NONCE
    token = members.get("access_token")
    assert claims.get("at_hash") == (left_half(token, alg) if token else None)


@ANY_STORE
@OF_ID_TOKENS
@pytest.mark.spec("OpenID Connect Core", "3.3.2.11")
async def test_a_request_for_an_id_token_needs_a_nonce(hybrid: World, response_type: str) -> None:
    assert (await members_of(hybrid, response_type, nonce=None))["error"] == "invalid_request"


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "3.3.2.1")
async def test_a_request_for_a_code_and_an_access_token_needs_none_and_not_even_openid(hybrid: World) -> None:
    members = await members_of(hybrid, "code token", scope="email", nonce=None)

    assert (members["scope"], (await redeemed(hybrid, members)).json["scope"]) == ("email", "email")


@ANY_STORE
@EVERY
@pytest.mark.spec("RFC 9700", "2.1.1")
async def test_public_clients_need_pkce_beside_the_nonce(hybrid: World, response_type: str) -> None:
    await let_have_tokens(hybrid, "spa")

    members = await members_of(hybrid, response_type, "spa", code_challenge=None, code_challenge_method=None)

    assert members["error"] == "invalid_request"


@ANY_STORE
@EVERY
@pytest.mark.spec("RFC 7636", "4.6")
async def test_the_code_is_bound_by_pkce(hybrid: World, response_type: str) -> None:
    members = await members_of(hybrid, response_type, code_challenge=s256(VERIFIER), code_challenge_method="S256")

    assert (await redeemed(hybrid, members)).error == "invalid_request"
    assert (await redeemed(hybrid, members, code_verifier=VERIFIER)).status == 200


# The two ID tokens


@ANY_STORE
@OF_ID_TOKENS
@pytest.mark.spec("OpenID Connect Core", "3.3.3.6")
async def test_both_id_tokens_tell_of_the_same_user_and_sign_in(hybrid: World, response_type: str) -> None:
    members = await members_of(hybrid, response_type)

    by_browser, by_code = id_token_of(members), claims_of((await redeemed(hybrid, members)).json["id_token"])

    both = ("iss", "sub", "aud", "auth_time", "amr", "sid", "nonce")
    assert {name: by_browser[name] for name in both} == {name: by_code[name] for name in both}


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "8.1", "3.3.3.6")
async def test_both_have_the_same_pairwise_subject(hybrid: World) -> None:
    await hybrid.change_client("web", subject_type=SubjectType.PAIRWISE)
    members = await members_of(hybrid, "code id_token token")

    by_code = claims_of((await redeemed(hybrid, members)).json["id_token"])

    assert id_token_of(members)["sub"] == by_code["sub"] != ADA
    assert (await hybrid.userinfo(members["access_token"])).json["sub"] == by_code["sub"]


@ANY_STORE
@OF_ID_TOKENS
@pytest.mark.spec("OpenID Connect Core", "3.3.3.6")
async def test_claims_of_the_user_come_for_the_code_alone(hybrid: World, response_type: str) -> None:
    members = await members_of(hybrid, response_type, claims='{"id_token": {"name": null}}')

    assert not {"name", "email"} & id_token_of(members).keys()
    assert claims_of((await redeemed(hybrid, members)).json["id_token"])["name"] == "Ada Lovelace"


# One grant


@OF_TOKENS
@pytest.mark.spec("OpenID Connect Core", "3.3.3.8")
async def test_both_access_tokens_are_good(hybrid: World, response_type: str) -> None:
    members = await members_of(hybrid, response_type)
    by_code = (await redeemed(hybrid, members)).access_token

    answers = [await hybrid.userinfo(token) for token in (members["access_token"], by_code)]

    assert [answer.json["sub"] for answer in answers] == [ADA, ADA]
    assert members["access_token"] != by_code


@OF_TOKENS
@pytest.mark.spec("RFC 6749", "4.1.2")
async def test_a_second_use_of_the_code_ends_the_access_token_of_the_browser_too(
    hybrid: World, response_type: str
) -> None:
    members = await members_of(hybrid, response_type)
    await redeemed(hybrid, members)

    again = await redeemed(hybrid, members)

    assert again.error == "invalid_grant"
    assert (await hybrid.userinfo(members["access_token"])).status == 401
    assert await hybrid.end_reason(members["code"]) == EndReason.CODE_REPLAYED


@OF_TOKENS
@pytest.mark.spec("RFC 7009", "2.1")
async def test_revoking_the_access_token_of_the_browser_ends_the_code(hybrid: World, response_type: str) -> None:
    members = await members_of(hybrid, response_type)

    await hybrid.revoke(members["access_token"], client="web")

    assert (await redeemed(hybrid, members)).error == "invalid_grant"


@OF_TOKENS
@pytest.mark.parametrize("scope", ["openid", "openid offline_access"])
async def test_the_access_token_outlives_a_code_that_nobody_redeems(
    hybrid: World, response_type: str, scope: str
) -> None:
    members = await members_of(hybrid, response_type, scope=scope)
    hybrid.clock.advance(61)
    assert (await redeemed(hybrid, members)).error == "invalid_grant"

    assert (await hybrid.store.purge(now=hybrid.clock.now, keep=0, batch=10)).grants == 0
    assert (await hybrid.userinfo(members["access_token"])).status == 200
    hybrid.clock.advance(1800)
    assert (await hybrid.userinfo(members["access_token"])).status == 401


@OF_TOKENS
@pytest.mark.spec("RFC 6749", "6")
async def test_the_refresh_token_comes_for_the_code_and_refreshes(hybrid: World, response_type: str) -> None:
    members = await members_of(hybrid, response_type, scope="openid offline_access")
    await hybrid.userinfo(members["access_token"])
    tokens = await redeemed(hybrid, members)
    hybrid.clock.advance(WEEK)

    refreshed = await hybrid.refresh(tokens.refresh_token, client="web")

    assert "refresh_token" not in members
    assert (refreshed.status, "nonce" in claims_of(refreshed.json["id_token"])) == (200, False)


@ANY_STORE
@OF_TOKENS
async def test_a_late_use_of_the_browsers_access_token_does_not_spoil_a_rotation(
    hybrid: World, response_type: str
) -> None:
    await hybrid.policy("web", rotate=True)
    members = await members_of(hybrid, response_type, scope="openid offline_access")
    first = (await redeemed(hybrid, members)).refresh_token
    hybrid.clock.advance(600)
    await hybrid.userinfo(members["access_token"])
    second = await hybrid.refresh(first, client="web")

    retried = await hybrid.refresh(first, client="web")

    assert retried.refresh_token == second.refresh_token
