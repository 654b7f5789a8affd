"""RFC 8707 §2 and §2.1: the resources that an authorization request names are those of the whole grant."""

from __future__ import annotations

import pytest

from everbearer.oauth.authorization.endpoint import AuthorizationRefused
from everbearer.oauth.endpoints.metadata import metadata
from everbearer.oauth.events import EventKind
from everbearer.oauth.tokens.resource_indicators import MOST_RESOURCES
from every_store import ON_EVERY_STORE
from protected import FILES, HIDDEN, NOTES, OPEN, VAULT, authorize, naming, sign_in, with_resources
from world import ANY_STORE, ISSUER, World, answer_of


async def _error(world: World, *resources: str, client: str = "partner", scope: str = "openid read") -> dict[str, str]:
    form = await world.authorization_form(client, scope=scope)
    with pytest.raises(AuthorizationRefused) as refused:
        await world.validate(naming(form, *resources))
    assert refused.value.response is not None
    return answer_of(refused.value.response).members


@ON_EVERY_STORE
@pytest.mark.spec("RFC 8707", "2.1")
async def test_the_resources_of_the_request_are_those_of_the_grant(world: World) -> None:
    world = await with_resources(world)

    grant = await world.grant(await authorize(world, NOTES, FILES, scope="openid read offline_access"))

    assert grant.resources == (NOTES, FILES)


@ON_EVERY_STORE
@pytest.mark.spec("RFC 8707", "2.1")
async def test_a_request_that_names_none_is_for_no_resource_in_particular(world: World) -> None:
    world = await with_resources(world)

    assert (await world.grant(await world.authorize("partner", scope="openid read"))).resources == ()


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2")
@pytest.mark.parametrize(
    "value",
    ["notes", "/api", "//notes.example/", "https:", "https://notes.example/#part", "https://notes.example/#", "a b:c"],
)
async def test_a_resource_is_an_absolute_uri_without_a_fragment(world: World, value: str) -> None:
    members = await _error(await with_resources(world), NOTES, value)

    assert members["error"] == "invalid_target"
    assert members["error_description"] == "resource must be an absolute URI without a fragment"


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2", "2.1")
@pytest.mark.parametrize("uri", [HIDDEN, "https://unheard-of.example/", "urn:example:notes", f"{NOTES}?x=1"])
async def test_one_that_the_client_may_not_ask_for_is_refused_whether_it_is_there_or_not(
    world: World, uri: str
) -> None:
    members = await _error(await with_resources(world), uri)

    assert members["error"] == "invalid_target"
    assert members["error_description"] == f"the resource {uri} is not one that this client may ask for"


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.1")
async def test_one_that_is_not_acceptable_refuses_all_of_the_request(world: World) -> None:
    assert (await _error(await with_resources(world), NOTES, HIDDEN))["error"] == "invalid_target"


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.1")
async def test_every_client_may_ask_for_what_is_open_to_all(world: World) -> None:
    world = await with_resources(world, "partner")

    assert (await world.ask("native", scope="read", resource=OPEN)).resources == (OPEN,)


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2")
async def test_one_that_is_named_twice_or_spelled_otherwise_is_the_one_that_the_operator_named(world: World) -> None:
    world = await with_resources(world)
    form = await world.authorization_form("partner", scope="read")

    request = await world.validate(naming(form, "https://notes.example", NOTES, "HTTPS://Notes.Example/"))

    assert request.resources == (NOTES,)


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2")
async def test_an_empty_resource_is_none(world: World) -> None:
    assert (await (await with_resources(world)).ask("partner", scope="read", resource="")).resources == ()


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2")
async def test_there_is_an_end_to_how_many_may_be_named(world: World) -> None:
    many = [f"https://{number}.example/" for number in range(MOST_RESOURCES + 1)]

    members = await _error(await with_resources(world), *many)

    assert members["error_description"] == "more than 10 resources are named at once"


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2")
async def test_a_scope_that_means_nothing_to_a_resource_is_an_invalid_combination(world: World) -> None:
    members = await _error(await with_resources(world), NOTES, scope="openid email")

    assert members["error"] == "invalid_target"
    assert members["error_description"] == f"none of the scope is for {NOTES}; it takes read write"


@ANY_STORE
@pytest.mark.spec("OpenID Connect Core", "3.1.2.4")
async def test_users_consent_to_the_resources_too(world: World) -> None:
    world = await with_resources(world)
    form = await world.authorization_form("partner", scope="openid read")

    request = await world.validate(naming(form, NOTES, VAULT))

    assert request.scope == ("openid", "read")
    assert request.consent_scope == ("openid", "read", NOTES, VAULT)


@ANY_STORE
@pytest.mark.spec("RFC 8707", "2.1")
async def test_the_server_itself_is_a_resource_for_openid_connect(world: World) -> None:
    world = await with_resources(world)

    assert (await world.ask("partner", scope="openid email", resource=ISSUER)).resources == (ISSUER,)
    assert (await _error(world, ISSUER, scope="read"))["error"] == "invalid_target"


@ANY_STORE
@pytest.mark.spec("RFC 9728", "4")
async def test_what_is_open_to_all_is_published_and_nothing_else(world: World) -> None:
    document = metadata((await with_resources(world)).server)

    assert document["protected_resources"] == [OPEN]
    assert "protected_resources" not in metadata(world.server)


@ANY_STORE
async def test_the_audit_trail_has_the_resources(world: World) -> None:
    world = await with_resources(world)
    token = (await sign_in(world, NOTES, FILES, scope="openid read offline_access")).refresh_token

    events = await world.store.events(grant_id=(await world.grant(token)).grant_id)

    created = next(event for event in events if event.kind is EventKind.GRANT_CREATED)
    assert created.details["resources"] == f"{NOTES} {FILES}"
