"""RFC 8693 §2.1 with RFC 8707: which resources a token is exchanged for, and what it is because of that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.client import CLIENT_CREDENTIALS, TOKEN_EXCHANGE, AccessTokenFormat, TokenExchangePolicy
from everbearer.oauth.errors import InvalidTarget
from everbearer.oauth.grants.token_exchange import ACCESS_TOKEN
from everbearer.oauth.tokens.access_tokens import ACCESS_TOKEN_PREFIX
from everbearer.oauth.tokens.resource_indicators import MOST_RESOURCES, target_of_exchange
from protected import FILES, HIDDEN, MAY_ASK, NOTES, OPEN, VAULT, sign_in, with_resources
from world import ADA, ANY_STORE, ISSUER, Answer, World, claims_of, jwt_part

BILLING = "billing"


@pytest.fixture
async def world(world: World) -> World:
    """Return the world with resources, and a service that may exchange tokens of `spa` and `partner`."""
    await world.change_client(
        "machine",
        grant_types=(CLIENT_CREDENTIALS, TOKEN_EXCHANGE),
        scope=("read", "write", "email", "openid"),
        token_exchange=TokenExchangePolicy(subject_clients=("spa", "partner"), audiences=(BILLING,)),
    )
    return await with_resources(world, "machine", "partner")


async def users_token(world: World) -> str:
    return (await world.sign_in("spa", scope="openid email read write")).access_token


async def exchange(world: World, token: str, *targets: tuple[str, str], scope: str = "") -> Answer:
    form = {
        "grant_type": TOKEN_EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        "scope": scope,
        **await world.identity("machine"),
    }
    return await world.token([*((name, value) for name, value in form.items() if value), *targets])


@pytest.mark.spec("RFC 8693", "2.1")
@pytest.mark.parametrize("parameter", ["resource", "audience"])
async def test_a_declared_resource_is_asked_for_by_either_parameter(world: World, parameter: str) -> None:
    answer = await exchange(world, await users_token(world), (parameter, FILES))
    claims = claims_of(answer.access_token)

    assert (claims["aud"], claims["scope"], claims["sub"], answer.json["scope"]) == (FILES, "read", ADA, "read")
    assert answer.json["expires_in"] == 300


@pytest.mark.spec("RFC 8693", "2.1")
@ANY_STORE
async def test_a_token_may_be_for_several(world: World) -> None:
    token = await users_token(world)
    answer = await exchange(world, token, ("resource", NOTES), ("resource", FILES), ("audience", BILLING))

    assert claims_of(answer.access_token)["aud"] == [NOTES, FILES, BILLING]


@pytest.mark.spec("RFC 8707", "2")
@ANY_STORE
async def test_a_resource_that_every_client_may_ask_for_needs_no_policy(world: World) -> None:
    answer = await exchange(world, await users_token(world), ("resource", OPEN))

    assert claims_of(answer.access_token)["aud"] == OPEN
    assert jwt_part(answer.access_token, 0)["alg"] == "RS256"


@pytest.mark.spec("RFC 8693", "2.2.2")
@pytest.mark.parametrize("parameter", ["resource", "audience"])
@ANY_STORE
async def test_one_that_is_for_others_is_an_invalid_target(world: World, parameter: str) -> None:
    assert (await exchange(world, await users_token(world), (parameter, HIDDEN))).error == "invalid_target"


@ANY_STORE
async def test_a_policy_may_allow_a_resource_for_exchange_alone(world: World) -> None:
    policy = TokenExchangePolicy(subject_clients=("spa",), audiences=MAY_ASK)
    await world.change_client("machine", token_exchange=policy, resources=())
    answer = await exchange(world, await users_token(world), ("resource", NOTES))
    form = {**await world.identity("machine"), "grant_type": CLIENT_CREDENTIALS, "resource": NOTES}

    assert claims_of(answer.access_token)["aud"] == NOTES
    assert (await world.token(form)).error == "invalid_target"


@ANY_STORE
async def test_one_that_takes_nothing_of_the_scope_is_an_invalid_target(world: World) -> None:
    answer = await exchange(world, await users_token(world), ("resource", FILES), scope="write")

    assert answer.error == "invalid_target"


@ANY_STORE
async def test_those_that_take_tokens_of_different_kinds_are_not_asked_for_together(world: World) -> None:
    answer = await exchange(world, await users_token(world), ("resource", FILES), ("resource", VAULT))

    assert answer.error == "invalid_target"


@ANY_STORE
async def test_there_are_not_too_many(world: World) -> None:
    names = [("audience", f"name{number}") for number in range(MOST_RESOURCES + 1)]

    assert (await exchange(world, await users_token(world), *names)).error == "invalid_target"


async def test_a_resource_of_opaque_tokens_gets_one_which_introspection_knows(world: World) -> None:
    token = (await exchange(world, await users_token(world), ("resource", VAULT))).access_token
    introspected = (await world.introspect(token)).json

    assert token.startswith(ACCESS_TOKEN_PREFIX)
    assert (introspected["aud"], introspected["sub"], introspected["act"]["sub"]) == (VAULT, ADA, "machine")


@ANY_STORE
async def test_a_client_with_a_key_alone_has_opaque_ones_of_users_only(world: World) -> None:
    keyed = replace(await world.client("machine"), secrets=())
    of_user = target_of_exchange((VAULT,), ("read",), keyed, world.server, of_user=True)

    assert of_user is not None
    assert of_user.access_token_format is AccessTokenFormat.OPAQUE
    with pytest.raises(InvalidTarget, match="needs a secret"):
        target_of_exchange((VAULT,), ("read",), keyed, world.server, of_user=False)


@ANY_STORE
async def test_the_server_itself_is_one_at_userinfo(world: World) -> None:
    answer = await exchange(world, await users_token(world), ("audience", ISSUER + "/"))

    assert answer.json["scope"] == "openid email"
    assert (await world.userinfo(answer.access_token)).json["sub"] == ADA


@pytest.mark.spec("RFC 8707", "2.2")
async def test_a_token_for_one_resource_is_exchanged_for_another_within_its_scope(world: World) -> None:
    token = (await sign_in(world, FILES, scope="openid read write")).access_token
    answer = await exchange(world, token, ("resource", NOTES))

    assert answer.json["scope"] == "read"
    assert claims_of(answer.access_token)["aud"] == NOTES


async def test_the_server_of_a_resource_exchanges_what_it_was_sent(world: World) -> None:
    await world.change_client("machine", token_exchange=TokenExchangePolicy())
    token = (await sign_in(world, FILES, scope="openid read")).access_token
    refused = await exchange(world, token, ("resource", NOTES))
    await world.change_client("machine", introspects=(FILES,))

    assert refused.error == "invalid_request"
    assert (await exchange(world, token, ("resource", NOTES))).status == 200
