"""RFC 8707 §2.2: an access token is for the resources that the token request names, or for all that were granted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asserting import proof, with_keys
from everbearer.oauth.tokens.access_tokens import ACCESS_TOKEN_PREFIX
from every_store import ON_EVERY_STORE
from protected import FILES, HIDDEN, MAY_ASK, NOTES, OPEN, VAULT, authorize, redeem, refresh, sign_in, with_resources
from world import ANY_STORE, ISSUER, World, claims_of, jwt_part

SCOPE = "openid email read write offline_access"


# Of a code


@ON_EVERY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
@pytest.mark.spec("RFC 9068", "3")
async def test_a_token_request_may_ask_for_one_of_the_resources_and_the_grant_keeps_all(world: World) -> None:
    world = await with_resources(world)

    answer = await redeem(world, await authorize(world, NOTES, FILES, scope=SCOPE), NOTES)

    assert claims_of(answer.access_token)["aud"] == NOTES
    assert (await world.grant(answer.refresh_token)).resources == (NOTES, FILES)


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
@pytest.mark.spec("RFC 7519", "4.1.3")
async def test_a_token_request_that_names_none_is_for_all_that_were_granted_one_a_string_several_an_array(
    world: World,
) -> None:
    world = await with_resources(world)
    both = await sign_in(world, NOTES, FILES, scope=SCOPE)
    one = await sign_in(world, NOTES, scope=SCOPE)

    assert claims_of(both.access_token)["aud"] == [NOTES, FILES]
    assert claims_of(one.access_token)["aud"] == NOTES


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2")
@pytest.mark.parametrize("uri", [FILES, HIDDEN, OPEN, "https://unheard-of.example/"])
async def test_a_code_is_not_good_for_a_resource_that_was_not_granted_and_is_not_spent_on_it(
    world: World, uri: str
) -> None:
    world = await with_resources(world)
    code = await authorize(world, NOTES, scope=SCOPE)

    refused = await redeem(world, code, uri)

    assert (refused.status, refused.error) == (400, "invalid_target")
    assert refused.json["error_description"].startswith(f"the resource {uri} was not granted: name it in the ")
    assert (await redeem(world, code, NOTES)).status == 200


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
async def test_a_grant_for_no_resource_gives_no_token_for_one(world: World) -> None:
    world = await with_resources(world)

    refused = await redeem(world, await world.authorize("partner", scope=SCOPE), NOTES)

    assert refused.error == "invalid_target"


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
async def test_a_grant_for_no_resource_gives_tokens_as_ever(world: World) -> None:
    world = await with_resources(world)

    answer = await world.sign_in("partner", scope=SCOPE)

    assert claims_of(answer.access_token)["aud"] == ISSUER
    assert answer.json["scope"] == SCOPE


# Of a refresh token


@ON_EVERY_STORE
@pytest.mark.rt("RT-06")
@pytest.mark.spec("RFC 8707", "2.2")
async def test_a_refresh_gives_tokens_for_one_resource_of_the_grant_after_another(world: World) -> None:
    world = await with_resources(world)
    token = (await sign_in(world, NOTES, FILES, scope=SCOPE)).refresh_token

    first = await refresh(world, token, NOTES)
    second = await refresh(world, first.refresh_token, FILES)
    whole = await refresh(world, second.refresh_token)

    audiences = [claims_of(answer.access_token)["aud"] for answer in (first, second, whole)]
    assert audiences == [NOTES, FILES, [NOTES, FILES]]


@ON_EVERY_STORE
@pytest.mark.rt("RT-06")
@pytest.mark.spec("RFC 8707", "2", "2.2")
@pytest.mark.parametrize("resources", [(VAULT,), (NOTES, VAULT), ("notes",), (f"{NOTES}#x",)])
async def test_a_refresh_for_another_resource_is_refused_and_spends_nothing(
    world: World, resources: tuple[str, ...]
) -> None:
    world = await with_resources(world)
    token = (await sign_in(world, NOTES, FILES, scope=SCOPE)).refresh_token

    refused = await refresh(world, token, *resources)

    assert (refused.status, refused.error) == (400, "invalid_target")
    assert (await world.grant(token)).generation == world.generation(token)
    assert (await refresh(world, token, NOTES)).status == 200


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
async def test_a_retry_may_ask_for_another_resource(world: World) -> None:
    world = await with_resources(world)
    token = (await sign_in(world, NOTES, FILES, scope=SCOPE)).refresh_token
    lost = await refresh(world, token, NOTES)

    again = await refresh(world, token, FILES)

    assert again.refresh_token == lost.refresh_token
    assert claims_of(again.access_token)["aud"] == FILES


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
async def test_what_a_client_may_not_ask_for_any_more_it_gets_no_more(world: World) -> None:
    world = await with_resources(world)
    token = (await sign_in(world, NOTES, FILES, scope=SCOPE)).refresh_token
    await world.change_client("partner", resources=(FILES,))

    rest = await refresh(world, token)
    refused = await refresh(world, rest.refresh_token, NOTES)
    await world.change_client("partner", resources=())
    nothing = await refresh(world, rest.refresh_token)

    assert claims_of(rest.access_token)["aud"] == FILES
    assert (refused.error, nothing.error) == ("invalid_target", "invalid_target")
    assert "is allowed to this client any more" in nothing.json["error_description"]
    await world.change_client("partner", resources=MAY_ASK)
    assert (await refresh(world, rest.refresh_token)).status == 200


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
async def test_a_resource_that_is_declared_no_more_is_refused(world: World) -> None:
    world = await with_resources(world)
    token = (await sign_in(world, NOTES, scope=SCOPE)).refresh_token
    without = replace(world, server=replace(world.server, resources={}))

    assert (await refresh(without, token)).error == "invalid_target"


# Scope


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
@pytest.mark.parametrize(
    ("resources", "scope"),
    [((NOTES,), "read write"), ((FILES,), "read"), ((NOTES, FILES), "read write"), ((VAULT,), SCOPE)],
)
async def test_a_token_carries_of_the_scope_what_its_resources_take(
    world: World, resources: tuple[str, ...], scope: str
) -> None:
    world = await with_resources(world)
    token = (await redeem(world, await authorize(world, NOTES, FILES, VAULT, scope=SCOPE), NOTES)).refresh_token

    answer = await refresh(world, token, *resources)

    assert answer.json["scope"] == scope
    assert (await world.introspect(answer.access_token)).json["scope"] == scope
    assert (await world.grant(token)).scope == tuple(SCOPE.split())


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
@pytest.mark.spec("OpenID Connect Core", "12.2")
async def test_scope_and_resource_narrow_together_and_the_id_token_goes_by_the_scope(world: World) -> None:
    world = await with_resources(world)
    token = (await sign_in(world, NOTES, FILES, scope=SCOPE)).refresh_token

    answer = await refresh(world, token, NOTES, scope="openid write")

    assert answer.json["scope"] == "write"
    assert claims_of(answer.json["id_token"])["sub"] == "ada"


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2", "2.2")
async def test_a_scope_that_means_nothing_to_the_resource_is_an_invalid_target(world: World) -> None:
    world = await with_resources(world)
    token = (await sign_in(world, NOTES, FILES, scope=SCOPE)).refresh_token

    refused = await refresh(world, token, FILES, scope="write")

    assert (refused.status, refused.error) == (400, "invalid_target")
    assert refused.json["error_description"] == f"none of the scope is for {FILES}"


# What the token is


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2")
async def test_a_resource_may_have_tokens_of_its_own_life_format_and_algorithm(world: World) -> None:
    world = await with_resources(world)
    token = (await redeem(world, await authorize(world, FILES, VAULT, OPEN, scope=SCOPE), FILES)).refresh_token

    files, vault, opened = [await refresh(world, token, uri) for uri in (FILES, VAULT, OPEN)]

    assert files.json["expires_in"] == 300
    assert claims_of(files.access_token)["exp"] == world.clock.now + 300
    assert vault.access_token.startswith(ACCESS_TOKEN_PREFIX)
    assert jwt_part(opened.access_token, 0)["alg"] == "RS256"


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
async def test_resources_whose_tokens_differ_are_asked_for_one_at_a_time(world: World) -> None:
    world = await with_resources(world)

    refused = await sign_in(world, NOTES, VAULT, scope=SCOPE)

    assert refused.error == "invalid_target"
    assert refused.json["error_description"].endswith("of different kinds: ask for one at a time")


@ON_EVERY_STORE
@pytest.mark.spec("RFC 8707", "2")
async def test_an_opaque_token_keeps_its_audiences(world: World) -> None:
    world = await with_resources(world, "opaque")

    several = await sign_in(world, NOTES, FILES, client="opaque", scope=SCOPE)
    one = await sign_in(world, VAULT, client="opaque", scope=SCOPE)

    assert (await world.introspect(several.access_token)).json["aud"] == [NOTES, FILES]
    assert (await world.introspect(one.access_token)).json["aud"] == VAULT


# A client's own


@ON_EVERY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
async def test_a_client_asks_for_a_token_of_its_own_for_a_resource(world: World) -> None:
    world = await with_resources(world, "machine")

    answer = await world.client_credentials(resource=FILES)

    assert answer.json["scope"] == "read"
    assert answer.json["expires_in"] == 300
    assert claims_of(answer.access_token)["aud"] == FILES


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2")
@pytest.mark.parametrize("uri", [HIDDEN, "files", "https://unheard-of.example/"])
async def test_a_client_gets_no_token_for_a_resource_that_it_may_not_ask_for(world: World, uri: str) -> None:
    refused = await (await with_resources(world, "machine")).client_credentials(resource=uri)

    assert (refused.status, refused.error) == (400, "invalid_target")


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
async def test_a_client_that_names_no_resource_gets_a_token_as_ever(world: World) -> None:
    answer = await (await with_resources(world, "machine")).client_credentials()

    assert claims_of(answer.access_token)["aud"] == ISSUER
    assert answer.json["scope"] == "read write"


@ANY_STORE
async def test_a_client_without_a_secret_has_no_opaque_tokens_of_its_own(world: World) -> None:
    world = await with_resources(world, "machine")
    with_secret = await world.client_credentials(resource=VAULT)
    await with_keys(world, "machine")

    refused = await world.token({"grant_type": "client_credentials", "resource": VAULT, **proof(world, "machine")})

    assert with_secret.access_token.startswith(ACCESS_TOKEN_PREFIX)
    assert (refused.status, refused.error) == (400, "invalid_target")


# At the server's own resources


@ANY_STORE
@pytest.mark.spec("RFC 9068", "4")
@pytest.mark.spec("OpenID Connect Core", "5.3")
@pytest.mark.parametrize("uri", [NOTES, VAULT])
async def test_userinfo_takes_no_token_that_is_for_another_resource(world: World, uri: str) -> None:
    world = await with_resources(world)
    token = (await sign_in(world, uri, scope=SCOPE)).access_token

    refused = await world.userinfo(token)

    assert (refused.status, refused.error) == (401, "invalid_token")
    assert f"ask for one with resource={ISSUER}" in refused.json["error_description"]


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
@pytest.mark.spec("OpenID Connect Core", "5.3")
async def test_a_token_for_userinfo_is_asked_for_by_the_issuer_and_carries_what_is_of_openid_connect(
    world: World,
) -> None:
    world = await with_resources(world)
    token = (await sign_in(world, NOTES, scope=SCOPE)).refresh_token

    answer = await refresh(world, token, ISSUER)

    assert claims_of(answer.access_token)["aud"] == ISSUER
    assert answer.json["scope"] == "openid email"
    assert (await world.userinfo(answer.access_token)).json["email"] == "ada@example.com"


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.2")
async def test_without_openid_there_is_no_token_for_userinfo(world: World) -> None:
    world = await with_resources(world)
    token = (await sign_in(world, NOTES, scope="read offline_access")).refresh_token

    assert (await refresh(world, token, ISSUER)).error == "invalid_target"


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "5.3")
async def test_a_token_for_the_issuer_among_others_is_good_at_userinfo(world: World) -> None:
    world = await with_resources(world)

    answer = await sign_in(world, NOTES, ISSUER, scope=SCOPE)

    assert (await world.userinfo(answer.access_token)).json["email"] == "ada@example.com"


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "5.3")
async def test_the_audience_that_a_client_has_anyway_is_good_at_userinfo_as_ever(world: World) -> None:
    await world.change_client("partner", audience="https://api.example")

    answer = await world.sign_in("partner", scope="openid email")

    assert claims_of(answer.access_token)["aud"] == "https://api.example"
    assert (await world.userinfo(answer.access_token)).status == 200


@ANY_STORE
@pytest.mark.spec("RFC 7662", "2.2")
async def test_introspection_shows_the_server_of_a_resource_the_tokens_for_it_and_no_others(world: World) -> None:
    world = await with_resources(world)
    await world.change_client("machine", introspects=(NOTES,))
    both = await sign_in(world, NOTES, FILES, scope=SCOPE)
    other = await sign_in(world, FILES, scope=SCOPE)

    shown = await world.introspect(both.access_token, client="machine")

    assert shown.json["aud"] == [NOTES, FILES]
    assert (await world.introspect(other.access_token, client="machine")).json == {"active": False}
    assert (await world.introspect(both.refresh_token, client="machine")).json == {"active": False}
