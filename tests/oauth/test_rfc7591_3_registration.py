"""The client registration endpoint (RFC 7591 §3)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from everbearer.oauth.client import SelfRegistration
from everbearer.oauth.client_registration import ClientRegistration
from everbearer.oauth.clients.authentication import CLIENT_SECRET
from everbearer.oauth.events import EventKind
from everbearer.oauth.initial_access_tokens import token_hash
from everbearer.oauth.registration.endpoint import registration_endpoint
from everbearer.oauth.registration.management import client_configuration_endpoint
from meddled_store import unavailable
from registering import ADDRESS, REDIRECT, SCOPE, Registrar, new_registrar
from world import ANY_STORE, ISSUER, NOW, World


@pytest.fixture
def registrar(world: World) -> Registrar:
    return new_registrar(world)


@pytest.mark.spec("RFC 7591", "3.2.1")
@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "3.2")
async def test_a_client_is_told_all_that_is_registered_of_it(registrar: Registrar) -> None:
    answer = await registrar.register(client_name="Calendar", scope="openid email", contacts=["ada@app.example"])

    told = answer.json
    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert told == {
        "client_id": told["client_id"],
        "client_id_issued_at": NOW,
        "client_secret": told["client_secret"],
        "client_secret_expires_at": 0,
        "registration_access_token": told["registration_access_token"],
        "registration_client_uri": f"{ISSUER}/oauth2/register?client_id={told['client_id']}",
        "client_name": "Calendar",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "scope": "openid email",
        "subject_type": "public",
        "id_token_signed_response_alg": "RS256",
        "application_type": "web",
        "contacts": ["ada@app.example"],
    }


async def test_a_registered_client_goes_through_a_whole_flow(registrar: Registrar) -> None:
    told = await registrar.registered(grant_types=["authorization_code", "refresh_token"])
    code = await registrar.world.authorize(told["client_id"], scope="openid offline_access")

    tokens = await registrar.redeem(code, told)

    assert tokens.status == 200
    assert {"access_token", "refresh_token", "id_token"} <= tokens.json.keys()


@ANY_STORE
@pytest.mark.spec("RFC 7591", "5")
async def test_neither_secret_nor_token_is_stored(registrar: Registrar) -> None:
    told = await registrar.registered()

    client = await registrar.world.client(told["client_id"])
    stored = repr(client) + str(client.secrets) + str(client.registration and client.registration.access_token_hash)
    assert told["client_secret"] not in stored
    assert told["registration_access_token"] not in stored
    assert registrar.world.server.sealer.keyed_hash_matches(
        CLIENT_SECRET, told["client_secret"].encode(), client.secrets[0]
    )
    assert client.registration is not None
    assert client.registration.access_token_hash == token_hash(told["registration_access_token"])


@ANY_STORE
@pytest.mark.spec("ASVS 5.0", "10.4.7")
async def test_a_registered_client_is_a_third_party_that_must_use_pkce_and_asks_each_time(registrar: Registrar) -> None:
    client = await registrar.client(scope="openid read write admin", first_party=True, introspects_all=True)

    assert not client.first_party
    assert not client.introspects_all
    assert client.require_pkce
    assert not client.remember_consent
    assert client.scope == ("openid", "read")
    assert client.registration == replace(
        SelfRegistration(access_token_hash=""),
        access_token_hash=client.registration.access_token_hash if client.registration else "",
        scope=SCOPE,
        metadata=client.registration.metadata if client.registration else "",
    )


@ANY_STORE
async def test_a_registration_is_recorded_with_where_it_came_from(registrar: Registrar) -> None:
    told = await registrar.registered()

    event = (await registrar.world.store.events(client_id=told["client_id"]))[0]
    assert (event.kind, event.actor) == (EventKind.CLIENT_CREATED, f"client:{told['client_id']}")
    assert (event.address, event.details) == (ADDRESS, {"by": "registration"})


@ANY_STORE
@pytest.mark.spec("RFC 7591", "2")
async def test_metadata_that_is_not_understood_is_ignored(registrar: Registrar) -> None:
    told = await registrar.registered(
        frobnicate={"deep": [1, 2]}, client_id="mine", client_secret="mine", **{"redirect_uris#fr": ["x"], "#": 1}
    )

    assert not told.keys() & {"frobnicate", "redirect_uris#fr", "#"}
    assert "mine" not in {told["client_id"], told["client_secret"]}


# What is not a registration


@ANY_STORE
@pytest.mark.spec("RFC 7591", "3")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"redirect_uris=x",
        b"[]",
        b'"text"',
        b"null",
        b"{",
        b'{"client_name": NaN}',
        b'{"client_name": "a", "client_name": "b"}',
        b'{"jwks": {"keys": [], "keys": []}}',
        b"\xff{}",
        "{}".encode("utf-16"),
        b"[" * 20_000,
        b'{"a":' * 20_000,
        json.dumps({str(number): 1 for number in range(201)}).encode(),
        b'{"default_max_age": ' + b"9" * 5000 + b"}",
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(registrar: Registrar, body: bytes) -> None:
    answer = await registrar.send(body)

    assert (answer.status, answer.error) == (400, "invalid_client_metadata")


@ANY_STORE
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", ""])
async def test_another_content_type_is_refused(registrar: Registrar, content_type: str) -> None:
    answer = await registrar.send(b"{}", content_type=content_type)

    assert (answer.status, answer.error) == (400, "invalid_client_metadata")
    assert "application/json" in answer.json["error_description"]


@ANY_STORE
async def test_a_parameter_of_the_content_type_is_no_hindrance(registrar: Registrar) -> None:
    body = json.dumps({"redirect_uris": [REDIRECT]}).encode()

    assert (await registrar.send(body, content_type="application/json; charset=utf-8")).status == 201


@ANY_STORE
@pytest.mark.parametrize("endpoint", [registration_endpoint, client_configuration_endpoint])
async def test_a_server_that_registers_nobody_says_so(world: World, endpoint: object) -> None:
    chosen = registration_endpoint if endpoint is registration_endpoint else client_configuration_endpoint

    answer = await world.send(chosen, b"{}", headers={"content-type": "application/json"})

    assert (answer.status, answer.error) == (400, "access_denied")


async def test_a_store_in_trouble_is_a_503_and_nothing_is_registered(registrar: Registrar) -> None:
    answer = await registrar.meddled("register_client", unavailable).register()

    assert (answer.status, answer.error) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"]


# Who may register


@pytest.fixture
def closed(world: World) -> Registrar:
    """Return a world in which only those register who have a token."""
    return new_registrar(world, anybody=False)


@pytest.mark.spec("RFC 7591", "3.2.2")
async def test_who_has_no_token_is_challenged_where_one_is_needed(closed: Registrar) -> None:
    answer = await closed.register()

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="client registration"'


@pytest.mark.spec("RFC 7591", "3")
async def test_who_has_an_initial_access_token_may_register(closed: Registrar) -> None:
    token = await closed.initial_access_token()

    answer = await closed.register(token=token)

    assert answer.status == 201
    client = await closed.world.client(answer.json["client_id"])
    assert client.registration is not None
    assert client.registration.authorized_by == "partner-7"
    assert (await closed.world.store.events(client_id=client.client_id))[0].actor == "token:partner-7"


@pytest.mark.spec("RFC 7591", "3.2.2")
@pytest.mark.parametrize("state", ["unknown", "expired", "used up", "revoked", "of a client"])
async def test_a_token_that_is_not_good_is_an_invalid_token_also_where_none_is_needed(
    registrar: Registrar, state: str
) -> None:
    token = await registrar.initial_access_token(uses_left=0 if state == "used up" else 3)
    if state == "expired":
        registrar.world.clock.advance(24 * 60 * 60)
    elif state == "revoked":
        await registrar.world.store.revoke_initial_access_token(
            "partner-7", registrar.world.event(EventKind.INITIAL_ACCESS_TOKEN_REVOKED)
        )
    elif state == "of a client":
        token = (await registrar.registered())["registration_access_token"]
    elif state == "unknown":
        token += "x"

    answer = await registrar.register(token=token)

    assert (answer.status, answer.error) == (401, "invalid_token")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@ANY_STORE
async def test_a_token_that_another_node_uses_up_first_registers_nobody(closed: Registrar) -> None:
    token = await closed.initial_access_token(uses_left=1)

    async def first() -> None:
        assert (await closed.register(token=token)).status == 201

    answer = await closed.meddled("register_client", first).register(token=token)

    assert (answer.status, answer.error) == (401, "invalid_token")


@ANY_STORE
async def test_a_refused_registration_uses_up_nothing_of_the_token(closed: Registrar) -> None:
    token = await closed.initial_access_token(uses_left=1)
    await closed.error(token=token, redirect_uris=["http://app.example/cb"])

    assert (await closed.register(token=token)).status == 201
    assert (await closed.register(token=token)).status == 401


@ANY_STORE
async def test_a_token_may_allow_less_scope_than_others_may_have_and_no_more(closed: Registrar) -> None:
    token = await closed.initial_access_token(scope=("openid", "write", "read"))

    everything = await closed.registered(token=token)
    some = await closed.registered(token=token, scope="openid email write")

    assert everything["scope"] == "openid read"
    assert some["scope"] == "openid"


@ANY_STORE
@pytest.mark.spec("RFC 7591", "3")
async def test_who_has_registered_too_many_from_one_address_must_wait_unless_a_token_vouches_for_him(
    registrar: Registrar,
) -> None:
    registrar.waits[ADDRESS] = 77
    answer = await registrar.register()

    assert (answer.status, answer.error) == (429, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "77"
    assert (await registrar.register(token=await registrar.initial_access_token())).status == 201


@ANY_STORE
async def test_no_more_clients_register_than_there_may_be(registrar: Registrar) -> None:
    few = registrar.allowing(most_clients=1)
    await few.registered()

    status, error, _ = await few.error()

    assert (status, error) == (503, "temporarily_unavailable")


@ANY_STORE
async def test_a_server_that_says_no_more_than_it_must_lets_any_number_register_and_fetches_nothing(
    world: World,
) -> None:
    registration = ClientRegistration(store=world.store, anybody=True, scope=("openid",))
    bare = Registrar(world=replace(world, server=replace(world.server, registration=registration)))

    assert (await bare.register()).status == 201
    assert "fetches no sector_identifier_uri" in await bare.refused(sector_identifier_uri="https://app.example/sector")
