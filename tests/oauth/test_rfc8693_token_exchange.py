"""RFC 8693: an access token in exchange for another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from everbearer.oauth.client import (
    CLIENT_CREDENTIALS,
    TOKEN_EXCHANGE,
    AccessTokenFormat,
    AuthMethod,
    SubjectType,
    TokenExchangePolicy,
)
from everbearer.oauth.errors import InvalidRequest, InvalidTarget
from everbearer.oauth.events import EventKind
from everbearer.oauth.grants.token_exchange import ACCESS_TOKEN, JWT, Exchange, declared_policy, token_exchange_by
from everbearer.oauth.models import EndReason, Everything
from everbearer.oauth.tokens import access_tokens
from everbearer.oauth.tokens.access_tokens import exchange_access_token, read_access_token
from everbearer.oauth.tokens.explain import explain_token
from meddled_store import meddled, unavailable
from world import ADA, ANY_STORE, Answer, World, claims_of, jwt_part

STOCK = "https://stock.example"
POLICY = TokenExchangePolicy(subject_clients=("spa", "opaque"), audiences=(STOCK, "billing"))


@pytest.fixture
async def world(world: World) -> World:
    """Return the world with a service, `machine`, that may exchange tokens of `spa` and `opaque`."""
    await world.change_client(
        "machine",
        grant_types=(CLIENT_CREDENTIALS, TOKEN_EXCHANGE),
        scope=("read", "write", "email", "openid"),
        token_exchange=POLICY,
    )
    return world


async def policy(world: World, client: str = "machine", **changes: Any) -> None:
    await world.change_client(client, token_exchange=replace((await world.client(client)).token_exchange, **changes))


async def exchange(
    world: World, subject_token: str, /, *, client: str = "machine", actor: str | None = None, **changes: str | None
) -> Answer:
    form = {
        "grant_type": TOKEN_EXCHANGE,
        "subject_token": subject_token,
        "subject_token_type": ACCESS_TOKEN,
        "actor_token": actor,
        "actor_token_type": ACCESS_TOKEN if actor else None,
        **await world.identity(client),
        **changes,
    }
    return await world.token(form)


async def users_token(world: World, client: str = "spa", scope: str = "openid offline_access read write") -> str:
    return (await world.sign_in(client, scope=scope)).access_token


# What is answered


@pytest.mark.spec("RFC 8693", "2.2.1")
async def test_a_service_gets_a_token_of_the_same_user_for_another_service(world: World) -> None:
    answer = await exchange(world, await users_token(world), audience=STOCK, scope="read")

    assert answer.status == 200
    assert answer.json.keys() == {"access_token", "issued_token_type", "token_type", "expires_in", "scope"}
    assert answer.json["issued_token_type"] == ACCESS_TOKEN
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["scope"] == "read"
    assert answer.headers["cache-control"] == "no-store"
    claims = claims_of(answer.access_token)
    assert (claims["sub"], claims["aud"], claims["client_id"]) == (ADA, STOCK, "machine")
    assert jwt_part(answer.access_token, 0)["typ"] == "at+jwt"


@pytest.mark.spec("RFC 8693", "2.2.1")
@pytest.mark.parametrize("scope", ["openid offline_access read", "read offline_access"])
async def test_a_refresh_token_never_comes_of_it(world: World, scope: str) -> None:
    answer = await exchange(world, await users_token(world, scope=scope))

    assert "refresh_token" not in answer.json
    assert "offline_access" not in answer.json["scope"]


@pytest.mark.spec("RFC 8693", "2.1")
@pytest.mark.parametrize("kind", AccessTokenFormat)
@pytest.mark.parametrize("subject_client", ["spa", "opaque"])
async def test_tokens_of_every_kind_are_exchanged_for_every_kind(
    world: World, kind: AccessTokenFormat, subject_client: str
) -> None:
    await world.change_client("machine", access_token_format=kind)
    answer = await exchange(world, await users_token(world, subject_client))
    introspected = (await world.introspect(answer.access_token)).json

    assert introspected["active"]
    assert introspected["sub"] == ADA
    assert introspected["client_id"] == "machine"
    assert introspected["act"] == {"sub": "machine", "client_id": "machine"}


@pytest.mark.spec("RFC 8693", "2.1")
async def test_a_resource_will_do_as_an_audience(world: World) -> None:
    answer = await exchange(world, await users_token(world), resource=STOCK)

    assert claims_of(answer.access_token)["aud"] == STOCK


@ANY_STORE
async def test_an_audience_that_is_named_twice_is_one(world: World) -> None:
    answer = await exchange(world, await users_token(world), resource=STOCK, audience=STOCK)

    assert claims_of(answer.access_token)["aud"] == STOCK


@ANY_STORE
@pytest.mark.parametrize(
    ("own", "aud"), [("", "https://id.example"), ("https://orders.example", "https://orders.example")]
)
async def test_without_an_audience_it_is_for_that_of_the_clients_other_tokens(world: World, own: str, aud: str) -> None:
    await world.change_client("machine", audience=own)

    assert claims_of((await exchange(world, await users_token(world))).access_token)["aud"] == aud


# Lifetimes and ends


@pytest.mark.spec("RFC 8693", "2.2.1")
@pytest.mark.parametrize(("age", "expires_in"), [(0, 600), (1500, 300), (1799, 1)])
async def test_it_never_lasts_longer_than_what_it_was_exchanged_for(world: World, age: int, expires_in: int) -> None:
    await world.lifetimes("machine", access_token=600)
    token = await users_token(world)
    world.clock.advance(age)
    answer = await exchange(world, token)

    assert answer.json["expires_in"] == expires_in
    world.clock.advance(expires_in)
    assert not await world.active(answer.access_token)


async def test_nor_longer_than_the_actors_token(world: World) -> None:
    await world.lifetimes("machine", access_token=200)
    actor = (await world.client_credentials()).access_token
    await world.lifetimes("machine", access_token=9999)
    world.clock.advance(50)

    assert (await exchange(world, await users_token(world), actor=actor)).json["expires_in"] == 150


ENDS = {
    "the user signs out everywhere": (Everything.USER, ADA),
    "the client that the user allowed": (Everything.CLIENT, "spa"),
    "the consent": (Everything.CONSENT, f"{ADA} spa"),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("kind", AccessTokenFormat)
async def test_it_ends_with_what_the_user_allowed(
    world: World, end: tuple[Everything, str], kind: AccessTokenFormat
) -> None:
    await world.change_client("machine", access_token_format=kind)
    token = (await exchange(world, await users_token(world))).access_token
    assert await world.active(token)
    await world.end_all(*end, EndReason.REVOKED_BY_ADMIN)

    assert not await world.active(token)


@pytest.mark.parametrize("client", ["spa", "machine"])
@pytest.mark.parametrize("gone", ["disabled", "deleted"])
async def test_it_ends_with_either_client(world: World, client: str, gone: str) -> None:
    token = (await exchange(world, await users_token(world))).access_token
    if gone == "deleted":
        await world.delete_client(client)
    else:
        await world.change_client(client, disabled_at=world.clock.now)

    assert not await world.active(token)


async def test_it_ends_when_the_refresh_token_is_revoked(world: World) -> None:
    signed_in = await world.sign_in("spa", scope="openid offline_access read")
    token = (await exchange(world, signed_in.access_token)).access_token
    await world.revoke(signed_in.refresh_token)

    assert not await world.active(token)


async def test_it_is_over_when_its_grant_is_purged(world: World) -> None:
    token = (await exchange(world, await users_token(world))).access_token
    await world.end_of_time()

    assert not await world.active(token)


async def test_a_life_that_differs_between_the_clients_is_that_of_the_users_client(world: World) -> None:
    await world.lifetimes("machine", access_token=60)
    token = (await exchange(world, await users_token(world, scope="read"))).access_token
    await world.lifetimes("machine", access_token=1)
    world.clock.advance(59)

    assert await world.active(token)


@pytest.mark.spec("RFC 7009", "2.1")
@pytest.mark.parametrize("kind", AccessTokenFormat)
async def test_revoking_it_ends_it_alone(world: World, kind: AccessTokenFormat) -> None:
    await world.change_client("machine", access_token_format=kind)
    subject = await users_token(world)
    tokens = [(await exchange(world, subject)).access_token for _ in range(2)]
    answer = await world.revoke(tokens[0], client="machine")

    assert answer.status == 200
    assert [await world.active(token) for token in (*tokens, subject)] == [False, True, True]


@pytest.mark.spec("RFC 8693", "2.1")
async def test_the_token_that_was_exchanged_stays_good(world: World) -> None:
    subject = await users_token(world)
    await exchange(world, subject)

    assert await world.active(subject)
    assert (await exchange(world, subject)).status == 200


async def test_its_use_does_not_prove_that_a_refresh_arrived(world: World) -> None:
    first = await world.sign_in("spa", scope="openid offline_access read")
    second = await world.refresh(first.refresh_token)
    token = (await exchange(world, second.access_token)).access_token
    world.clock.advance(300)
    await world.introspect(token)

    assert (await world.refresh(first.refresh_token)).refresh_token == second.refresh_token


# Who may exchange what


@pytest.mark.spec("RFC 8693", "2.2.2")
async def test_a_client_may_not_exchange_tokens_of_clients_that_its_policy_does_not_name(world: World) -> None:
    answer = await exchange(world, await users_token(world, "partner"))

    assert (answer.status, answer.error) == (400, "invalid_request")


async def test_a_token_that_was_made_for_the_client_it_may_exchange(world: World) -> None:
    await world.change_client("partner", audience="machine")

    assert (await exchange(world, await users_token(world, "partner"))).status == 200


async def test_a_client_may_narrow_its_own_token_and_acts_for_nobody(world: World) -> None:
    await world.change_client("web", grant_types=("authorization_code", "refresh_token", TOKEN_EXCHANGE))
    answer = await exchange(world, await users_token(world, "web"), client="web", scope="read")

    assert answer.json["scope"] == "read"
    assert "act" not in claims_of(answer.access_token)


@pytest.mark.spec("RFC 8693", "2.2.2")
@pytest.mark.parametrize("target", [{"audience": "https://other.example"}, {"resource": "https://other.example"}])
async def test_an_audience_that_the_policy_does_not_name_is_an_invalid_target(
    world: World, target: dict[str, str]
) -> None:
    answer = await exchange(world, await users_token(world), **target)

    assert (answer.status, answer.error) == (400, "invalid_target")


@pytest.mark.spec("RFC 8693", "2.1")
@pytest.mark.parametrize("resource", ["stock", f"{STOCK}#part", "/stock", "https://x example", "https:"])
@ANY_STORE
async def test_a_resource_that_is_no_absolute_uri_is_an_invalid_target(world: World, resource: str) -> None:
    await policy(world, audiences=(resource,))

    assert (await exchange(world, await users_token(world), resource=resource)).error == "invalid_target"


@pytest.mark.spec("RFC 8693", "5")
async def test_a_public_client_is_refused(world: World) -> None:
    await world.change_client("spa", grant_types=("authorization_code", "refresh_token", TOKEN_EXCHANGE))
    answer = await exchange(world, await users_token(world), client="spa")

    assert (answer.status, answer.error) == (400, "unauthorized_client")


@ANY_STORE
async def test_a_client_without_this_grant_is_refused(world: World) -> None:
    answer = await exchange(world, await users_token(world), client="web")

    assert (answer.status, answer.error) == (400, "unauthorized_client")


@pytest.mark.spec("RFC 8693", "2.1")
@pytest.mark.parametrize(
    ("scope", "error"),
    [
        ("write openid", ""),
        ("admin", "invalid_scope"),
        ("read email", "invalid_scope"),
        ("offline_access", "invalid_scope"),
    ],
)
async def test_a_scope_stays_within_what_the_token_reaches(world: World, scope: str, error: str) -> None:
    assert (await exchange(world, await users_token(world), scope=scope)).error == error


async def test_without_a_scope_it_reaches_what_both_may(world: World) -> None:
    await world.change_client("machine", scope=("write", "email"))

    assert (await exchange(world, await users_token(world))).json["scope"] == "write"


async def test_where_nothing_is_shared_there_is_no_token(world: World) -> None:
    await world.change_client("machine", scope=("email",))

    assert (await exchange(world, await users_token(world))).error == "invalid_scope"


# Tokens that are not good


@pytest.mark.spec("RFC 8693", "2.2.2")
@pytest.mark.parametrize("what", ["garbage", "a refresh token", "an ID token", "expired", "ended"])
@pytest.mark.parametrize("which", ["subject_token", "actor_token"])
async def test_a_token_that_is_not_good_is_an_invalid_request(world: World, what: str, which: str) -> None:
    good, signed_in = await users_token(world), await world.sign_in("spa", scope="openid offline_access read")
    bad = {
        "garbage": "garbage",
        "a refresh token": signed_in.json["refresh_token"],
        "an ID token": signed_in.json["id_token"],
    }.get(what, signed_in.access_token)
    if what == "expired":
        world.clock.advance(1800)
        good = await users_token(world)
    if what == "ended":
        await world.revoke(signed_in.refresh_token)
    answer = await exchange(world, good, actor=good, **{which: bad})

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 8693", "2.1")
@pytest.mark.parametrize(
    "changes",
    [
        {"subject_token": None},
        {"subject_token_type": None},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"actor_token_type": ACCESS_TOKEN},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:saml2"},
    ],
)
@ANY_STORE
async def test_a_parameter_that_is_missing_or_not_offered_is_an_invalid_request(
    world: World, changes: dict[str, Any]
) -> None:
    answer = await exchange(world, await users_token(world), **changes)

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 8693", "2.1")
@ANY_STORE
async def test_an_actor_token_needs_its_type(world: World) -> None:
    token = await users_token(world)
    answer = await exchange(world, token, actor=token, actor_token_type=None)

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 8693", "3")
@pytest.mark.parametrize(("client", "status"), [("spa", 200), ("opaque", 400)])
async def test_a_token_that_is_said_to_be_a_jwt_must_be_one(world: World, client: str, status: int) -> None:
    answer = await exchange(world, await users_token(world, client), subject_token_type=JWT)

    assert answer.status == status


@pytest.mark.parametrize(("verb", "call"), [("grant", 1), ("client", 3)])
async def test_a_store_in_trouble_is_no_answer(world: World, verb: str, call: int) -> None:
    token = await users_token(world)

    assert (await exchange(meddled(world, verb, unavailable, call=call), token)).status == 503


# Who acts


@pytest.mark.spec("RFC 8693", "1.1", "4.1")
async def test_the_token_says_that_the_service_acts_for_the_user(world: World) -> None:
    answer = await exchange(world, await users_token(world))

    assert claims_of(answer.access_token)["act"] == {"sub": "machine", "client_id": "machine"}


@pytest.mark.spec("RFC 8693", "4.1")
async def test_with_an_actor_token_it_says_that_its_subject_acts(world: World) -> None:
    await world.change_client("web", grant_types=("authorization_code", "refresh_token", TOKEN_EXCHANGE))
    await policy(world, "web", subject_clients=("spa",))
    agent = await world.sign_in("web", scope="read", authentication=world.authentication(subject="agent"))
    answer = await exchange(world, await users_token(world), client="web", actor=agent.access_token)
    claims = claims_of(answer.access_token)

    assert (claims["sub"], claims["act"]) == (ADA, {"sub": "agent", "client_id": "web"})


@pytest.mark.spec("RFC 8693", "4.1")
async def test_an_actor_token_of_another_client_is_refused(world: World) -> None:
    answer = await exchange(world, await users_token(world), actor=await users_token(world))

    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.spec("RFC 8693", "1.1")
async def test_who_may_impersonate_is_not_named_and_the_trail_keeps_it(world: World) -> None:
    await policy(world, impersonate=True)
    answer = await exchange(world, await users_token(world), audience=STOCK)

    assert "act" not in claims_of(answer.access_token)
    (event, *_) = await world.store.events(client_id="machine")
    assert (event.kind, event.actor, event.subject) == (EventKind.TOKEN_EXCHANGED, "client:machine", ADA)
    assert event.details == {
        "subject_client": "spa",
        "acts": "",
        "audience": STOCK,
        "scope": "openid read write",
    }


async def test_where_it_cannot_be_recorded_nobody_impersonates(world: World) -> None:
    await policy(world, impersonate=True)
    token = await users_token(world)

    assert (await exchange(meddled(world, "record", unavailable), token)).status == 503


async def test_who_may_impersonate_may_still_name_an_actor(world: World) -> None:
    await policy(world, impersonate=True)
    actor = (await world.client_credentials()).access_token
    answer = await exchange(world, await users_token(world), actor=actor)

    assert claims_of(answer.access_token)["act"] == {"sub": "machine", "client_id": "machine"}


async def test_an_exchange_is_told_to_listeners_and_leaves_no_row(world: World) -> None:
    token = await users_token(world)
    before = await world.store.events()
    await exchange(world, token)

    exchanged, issued = world.heard[-2:]
    assert (exchanged.kind, exchanged.details["acts"]) == (EventKind.TOKEN_EXCHANGED, "machine")
    assert (issued.kind, issued.subject, issued.details["grant_type"]) == (EventKind.TOKEN_ISSUED, ADA, TOKEN_EXCHANGE)
    assert await world.store.events() == before


@pytest.mark.spec("RFC 8693", "4.1")
async def test_a_chain_of_services_is_told_the_latest_first(world: World) -> None:
    await world.change_client(
        "api",
        grant_types=(CLIENT_CREDENTIALS, TOKEN_EXCHANGE),
        scope=("read",),
        token_exchange=TokenExchangePolicy(subject_clients=("machine",)),
    )
    first = (await exchange(world, await users_token(world))).access_token
    second = (await exchange(world, first, client="api")).access_token

    assert claims_of(second)["act"] == {
        "sub": "api",
        "client_id": "api",
        "act": {"sub": "machine", "client_id": "machine"},
    }
    assert (await world.introspect(second)).json["act"]["act"]["sub"] == "machine"
    assert await world.active(second)


@pytest.mark.spec("RFC 8693", "4.1")
async def test_impersonation_does_not_hide_who_acted_before(world: World) -> None:
    await world.change_client(
        "api",
        grant_types=(CLIENT_CREDENTIALS, TOKEN_EXCHANGE),
        scope=("read",),
        token_exchange=TokenExchangePolicy(subject_clients=("machine",), impersonate=True),
    )
    first = (await exchange(world, await users_token(world))).access_token
    second = (await exchange(world, first, client="api")).access_token

    assert claims_of(second)["act"] == {"sub": "machine", "client_id": "machine"}


async def test_a_chain_cannot_become_longer_and_longer(world: World) -> None:
    actor = (await world.client_credentials()).access_token
    token = await users_token(world)
    answers = []
    for _ in range(9):
        answers.append(await exchange(world, token, actor=actor))
        token = answers[-1].json.get("access_token", token)

    assert [answer.status for answer in answers] == [200] * 8 + [400]
    assert answers[-1].error == "invalid_request"


@pytest.mark.spec("RFC 8693", "4.4")
@pytest.mark.parametrize(
    ("may_act", "status"),
    [
        ({"sub": "machine"}, 200),
        ({"sub": "machine", "client_id": "machine", "iss": "https://id.example"}, 200),
        ({"sub": "somebody"}, 400),
        ({"sub": "machine", "iss": "https://elsewhere.example"}, 400),
        ({"sub": "machine", "role": "x"}, 400),
        ({}, 400),
        ("machine", 400),
    ],
)
async def test_a_token_that_says_who_may_act_is_exchanged_by_nobody_else(
    world: World, may_act: object, status: int
) -> None:
    token = await with_claims(world, await users_token(world), may_act=may_act)
    answer = await exchange(world, token)

    assert (answer.status, answer.error) == (status, "" if status == 200 else "invalid_request")


async def with_claims(world: World, text: str, **claims: object) -> str:
    """Return the same token as a server makes it that says more in its tokens."""
    token = read_access_token(text, world.server)
    assert token is not None
    client, grant = await world.client(token.client_id), await world.store.grant(token.grant_id)
    return access_tokens._minted(replace(token, claims=claims), grant, client, world.server)


# Tokens of clients


async def test_a_clients_own_token_is_exchanged_too(world: World) -> None:
    await policy(world, subject_clients=("api",))
    await world.change_client("api", scope=("read",))
    subject = (await world.client_credentials("api")).access_token
    answer = await exchange(world, subject, audience=STOCK)
    claims = claims_of(answer.access_token)

    assert (claims["sub"], claims["client_id"], claims["act"]["sub"]) == ("api", "machine", "machine")
    assert await world.active(answer.access_token)
    assert (await world.userinfo(answer.access_token)).status == 401


@pytest.mark.parametrize("kind", AccessTokenFormat)
@pytest.mark.parametrize("end", ["all ended", "revoked", "expired"])
async def test_such_a_token_ends_with_the_leave_of_its_client(world: World, end: str, kind: AccessTokenFormat) -> None:
    await policy(world, subject_clients=("api",))
    await world.change_client("machine", access_token_format=kind)
    await world.change_client("api", scope=("read",))
    token = (await exchange(world, (await world.client_credentials("api")).access_token)).access_token
    assert await world.active(token)
    if end == "all ended":
        await world.end_all(Everything.CLIENT, "machine", EndReason.REVOKED_BY_ADMIN)
    elif end == "revoked":
        await world.revoke(token, client="machine")
    else:
        world.clock.advance(1800)

    assert not await world.active(token)


@ANY_STORE
async def test_a_client_with_a_key_and_no_secret_gets_a_jwt_whatever_its_format(world: World) -> None:
    subject = read_access_token((await world.client_credentials("api")).access_token, world.server)
    assert subject is not None
    keyed = replace(
        await world.client("machine"),
        secrets=(),
        token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT,
        access_token_format=AccessTokenFormat.OPAQUE,
    )

    assert claims_of(exchange_access_token(subject, keyed, world.server, grant=None, target=None))["sub"] == "api"


# What others see of it


@pytest.mark.spec("OpenID Connect Core", "8.1")
async def test_the_service_knows_a_user_by_its_own_subject(world: World) -> None:
    await world.change_client("machine", subject_type=SubjectType.PAIRWISE, sector_identifier="machine.example")
    claims = claims_of((await exchange(world, await users_token(world))).access_token)

    assert claims["sub"] != ADA


async def test_userinfo_shows_it_what_its_scope_gives_and_not_what_the_first_client_asked_for(world: World) -> None:
    asked = {"claims": '{"userinfo": {"phone_number": null}}', "scope": "openid email read"}
    token = (await world.sign_in("spa", **asked)).access_token
    answer = await world.userinfo((await exchange(world, token)).access_token)

    assert answer.json["email"] == "ada@example.com"
    assert "phone_number" not in answer.json


async def test_an_operator_is_told_what_it_is(world: World) -> None:
    token = (await exchange(world, await users_token(world))).access_token
    explained = await explain_token(token, world.server)

    assert (explained.kind, explained.alive, explained.client_id, explained.subject) == (
        "access_token",
        True,
        "machine",
        ADA,
    )
    assert explained.generation == 1


# A policy of one's own


async def test_a_function_may_decide_instead_of_the_settings(world: World) -> None:
    asked: list[Exchange] = []

    async def only_read(exchange: Exchange) -> None:
        asked.append(exchange)
        if exchange.scope != ("read",):
            raise InvalidRequest("only reading is for exchange")

    grants = {**world.server.grants, TOKEN_EXCHANGE: token_exchange_by(only_read)}
    world.server = replace(world.server, grants=grants)
    token = await users_token(world, "partner")

    assert (await exchange(world, token, scope="read", audience="anything")).status == 200
    assert (await exchange(world, token, scope="write")).error == "invalid_request"
    assert (asked[0].client.client_id, asked[0].audiences, asked[0].resources) == ("machine", ("anything",), ())


async def test_a_function_may_add_to_the_settings(world: World) -> None:
    async def on_weekdays(exchange: Exchange) -> None:
        await declared_policy(exchange)
        raise InvalidTarget("not on Sundays")

    grants = {**world.server.grants, TOKEN_EXCHANGE: token_exchange_by(on_weekdays)}
    world.server = replace(world.server, grants=grants)

    assert (await exchange(world, await users_token(world))).error == "invalid_target"
    assert (await exchange(world, await users_token(world, "partner"))).error == "invalid_request"
