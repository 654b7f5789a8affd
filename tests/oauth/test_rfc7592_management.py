"""What a client does with its own registration (RFC 7592): read, change, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from everbearer.oauth.clients.authentication import CLIENT_SECRET
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.events import EventKind
from everbearer.oauth.models import EndReason
from registering import REDIRECT, Registrar, new_registrar
from world import ANY_STORE, SERVER_SECRET, World

NEWER = b"another secret of the server, for tests"
REFRESHING = {"grant_types": ["authorization_code", "refresh_token"]}


@pytest.fixture
def registrar(world: World) -> Registrar:
    return new_registrar(world)


def by_server_with(registrar: Registrar, *secrets: bytes) -> Registrar:
    """Return the same as a server sees it whose secrets are others."""
    return replace(registrar, world=registrar.world.sealed_by(Sealer(secrets)))


# Reading


@pytest.mark.spec("RFC 7592", "2.1", "3")
@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "4.3")
async def test_a_client_reads_what_it_registered_but_for_its_secret(registrar: Registrar) -> None:
    told = await registrar.registered(client_name="Calendar", contacts=["ada@app.example"])

    answer = await registrar.manage("GET", told)

    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json == {name: value for name, value in told.items() if name != "client_secret"}


@ANY_STORE
@pytest.mark.spec("RFC 7592", "2", "2.1")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("token", ["", "wrong", "another client's", "an initial one", "not ascii"])
async def test_without_its_own_token_nobody_reads_changes_or_deletes_a_client(
    registrar: Registrar, method: str, token: str
) -> None:
    told = await registrar.registered()
    tokens = {
        "wrong": told["registration_access_token"][:-1] + "_",
        "another client's": (await registrar.registered())["registration_access_token"],
        "an initial one": await registrar.initial_access_token(),
        "not ascii": "ü\ud800",
    }

    answer = await registrar.manage(method, told, token=tokens.get(token, ""), members={"client_id": told["client_id"]})

    assert (answer.status, answer.error) == (401, "invalid_token")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="client registration"')
    assert ("error=" in answer.headers["www-authenticate"]) == bool(token)
    assert (await registrar.manage("GET", told)).status == 200


@ANY_STORE
@pytest.mark.spec("RFC 7592", "2.1")
@pytest.mark.parametrize("uri", ["?client_id=nobody", "?client_id=spa", "?x=1", ""])
async def test_a_client_that_is_not_there_or_did_not_register_itself_is_told_no_otherwise(
    registrar: Registrar, uri: str
) -> None:
    told = await registrar.registered()

    answer = await registrar.manage("GET", {**told, "registration_client_uri": uri})

    wrong = await registrar.manage("GET", told, token="wrong")
    assert (answer.status, answer.body) == (401, wrong.body)


@ANY_STORE
@pytest.mark.spec("RFC 7592", "2.1")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_client_that_an_operator_disabled_is_forbidden_all(registrar: Registrar, method: str) -> None:
    told = await registrar.registered()
    await registrar.world.change_client(told["client_id"], disabled_at=1)

    answer = await registrar.manage(method, told, members={"client_id": told["client_id"]})

    assert answer.status == 403
    assert (await registrar.world.client(told["client_id"])).disabled_at == 1


@ANY_STORE
async def test_a_query_that_is_malformed_is_refused(registrar: Registrar) -> None:
    told = await registrar.registered()

    answer = await registrar.manage("GET", {**told, "registration_client_uri": "?client_id=%ff"})

    assert (answer.status, answer.error) == (400, "invalid_request")


# Changing


@pytest.mark.spec("RFC 7592", "2.2")
async def test_a_change_replaces_all_that_was_registered(registrar: Registrar) -> None:
    told = await registrar.registered(client_name="Calendar", contacts=["ada@app.example"], scope="openid email")

    answer = await registrar.update(
        told, client_name="Diary", contacts=None, scope="openid", redirect_uris=["https://diary.example/cb"]
    )

    assert answer.status == 200
    assert answer.json == {
        **{name: value for name, value in told.items() if name not in {"client_secret", "contacts"}},
        "client_name": "Diary",
        "scope": "openid",
        "redirect_uris": ["https://diary.example/cb"],
    }
    assert (await registrar.manage("GET", told)).json == answer.json


@pytest.mark.spec("RFC 7592", "2.2")
async def test_what_a_change_leaves_out_is_as_if_it_had_never_been_registered(registrar: Registrar) -> None:
    told = await registrar.registered(
        client_name="Calendar",
        default_max_age=60,
        token_endpoint_auth_method="none",
        subject_type="pairwise",
        scope="openid",
    )

    answer = await registrar.manage("PUT", told, members={"client_id": told["client_id"], "redirect_uris": [REDIRECT]})

    assert answer.json["scope"] == "openid profile email read"
    assert answer.json["token_endpoint_auth_method"] == "client_secret_basic"
    assert answer.json["subject_type"] == "public"
    assert not answer.json.keys() & {"client_name", "default_max_age"}


@ANY_STORE
@pytest.mark.spec("RFC 7592", "2.2")
@pytest.mark.parametrize(
    "name", ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"]
)
async def test_a_change_names_nothing_that_is_the_servers(registrar: Registrar, name: str) -> None:
    told = await registrar.registered()

    answer = await registrar.update(told, **{name: told[name]})

    assert (answer.status, answer.error) == (400, "invalid_client_metadata")
    assert answer.json["error_description"].startswith(name)


@ANY_STORE
@pytest.mark.spec("RFC 7592", "2.2")
@pytest.mark.parametrize("client_id", [None, "spa", "", 7])
async def test_a_change_names_its_own_client_id(registrar: Registrar, client_id: object) -> None:
    answer = await registrar.update(await registrar.registered(), client_id=client_id)

    assert (answer.status, answer.error) == (400, "invalid_client_metadata")


@ANY_STORE
@pytest.mark.spec("RFC 7592", "2.2")
@pytest.mark.parametrize("secret", ["chosen by the client itself, and long enough", "", 7, ["x"], "\ud800"])
async def test_a_client_does_not_choose_its_secret(registrar: Registrar, secret: object) -> None:
    told = await registrar.registered()

    answer = await registrar.update(told, client_secret=secret)

    assert (answer.status, answer.error) == (400, "invalid_client_metadata")
    assert (await registrar.update(told)).status == 200


@ANY_STORE
@pytest.mark.spec("RFC 7592", "2.2")
async def test_a_change_that_is_refused_changes_nothing(registrar: Registrar) -> None:
    told = await registrar.registered()
    before = await registrar.world.client(told["client_id"])

    answer = await registrar.update(told, redirect_uris=["https://app.example/cb#fragment"])

    assert (answer.status, answer.error) == (400, "invalid_redirect_uri")
    assert await registrar.world.client(told["client_id"]) == before


@ANY_STORE
async def test_a_body_that_is_no_json_changes_nothing(registrar: Registrar) -> None:
    answer = await registrar.manage("PUT", await registrar.registered())

    assert (answer.status, answer.error) == (400, "invalid_client_metadata")


@ANY_STORE
async def test_a_change_is_recorded_and_one_that_changes_nothing_is_not(registrar: Registrar) -> None:
    told = await registrar.registered()
    await registrar.update(told)
    await registrar.update(told, client_name="Diary")

    kinds = [event.kind for event in await registrar.world.store.events(client_id=told["client_id"])]

    assert kinds == [EventKind.CLIENT_CHANGED, EventKind.CLIENT_CREATED]


@ANY_STORE
@pytest.mark.spec("ASVS 5.0", "10.4.11")
async def test_a_client_does_not_change_itself_into_one_that_may_have_more(registrar: Registrar) -> None:
    token = await registrar.initial_access_token(scope=("openid",))
    told = await registrar.registered(token=token)

    answer = await registrar.update(told, scope="openid email write")

    assert answer.json["scope"] == "openid"


@ANY_STORE
async def test_what_an_operator_set_stays_as_no_metadata_stand_for_it(registrar: Registrar) -> None:
    told = await registrar.registered()
    await registrar.world.change_client(told["client_id"], audience="https://api.example", remember_consent=True)

    await registrar.update(told, client_name="Diary")

    client = await registrar.world.client(told["client_id"])
    assert (client.client_name, client.audience, client.remember_consent) == ("Diary", "https://api.example", True)


@ANY_STORE
@pytest.mark.parametrize(("change", "kept"), [({"contacts": ["x"]}, True), ({"client_name": "Bank"}, False)])
async def test_who_vouched_for_a_client_vouched_for_what_users_see_of_it(
    registrar: Registrar, change: dict[str, Any], kept: bool
) -> None:
    told = await registrar.registered(client_name="Calendar")
    record = (await registrar.world.client(told["client_id"])).registration
    assert record is not None
    await registrar.world.change_client(told["client_id"], registration=replace(record, verified_at=5))

    await registrar.update(told, **change)

    after = (await registrar.world.client(told["client_id"])).registration
    assert after is not None
    assert (after.verified_at == 5) == kept


@ANY_STORE
@pytest.mark.spec("ASVS 5.0", "10.7.1")
@pytest.mark.parametrize(
    ("change", "kept"), [({"contacts": ["x"]}, True), ({"redirect_uris": ["https://evil.example/cb"]}, False)]
)
async def test_users_who_consented_to_something_else_are_asked_again(
    registrar: Registrar, change: dict[str, Any], kept: bool
) -> None:
    told = await registrar.registered()
    store = registrar.world.store
    await store.give_consent("ada", told["client_id"], ("openid",), registrar.world.event(EventKind.CONSENT_GIVEN))

    await registrar.update(told, **change)

    assert bool(await store.consents_of("ada")) == kept


@ANY_STORE
async def test_an_operator_who_disables_a_client_while_it_changes_itself_has_the_last_word(
    registrar: Registrar,
) -> None:
    told = await registrar.registered()

    async def disabled() -> None:
        await registrar.world.change_client(told["client_id"], disabled_at=1)

    answer = await registrar.meddled("change_client", disabled).update(told, client_name="Diary")

    assert (answer.status, answer.error) == (503, "temporarily_unavailable")
    after = await registrar.world.client(told["client_id"])
    assert (after.disabled_at, after.client_name) == (1, "")


# Secrets


@ANY_STORE
@pytest.mark.spec("RFC 7592", "2.2")
async def test_a_client_that_needs_a_secret_from_now_on_gets_one_and_who_needs_none_loses_it(
    registrar: Registrar,
) -> None:
    told = await registrar.registered(token_endpoint_auth_method="none")
    confidential = (await registrar.update(told, token_endpoint_auth_method="client_secret_post")).json
    signing = (await registrar.update(told, token_endpoint_auth_method="client_secret_jwt")).json
    again = (await registrar.update(told, token_endpoint_auth_method="client_secret_basic")).json
    public = (await registrar.update(told, token_endpoint_auth_method="none")).json

    assert "client_secret" in confidential
    assert signing["client_secret"] != confidential["client_secret"]
    assert "client_secret" not in again
    assert "client_secret_expires_at" not in public
    client = await registrar.world.client(told["client_id"])
    assert (client.secrets, client.sealed_secrets) == ((), ())


@ANY_STORE
async def test_the_secret_that_was_sealed_is_the_same_when_a_hash_will_do(registrar: Registrar) -> None:
    told = await registrar.registered(token_endpoint_auth_method="client_secret_jwt", **REFRESHING)
    await registrar.update(told, token_endpoint_auth_method="client_secret_basic")
    code = await registrar.world.authorize(told["client_id"])

    tokens = await registrar.redeem(code, told)

    assert tokens.status == 200


@ANY_STORE
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_jwt"])
async def test_a_client_that_sends_its_secret_has_it_kept_by_the_servers_newest(
    registrar: Registrar, method: str
) -> None:
    told = await registrar.registered(token_endpoint_auth_method=method)
    both = by_server_with(registrar, NEWER, SERVER_SECRET)

    answer = await both.update(told, client_secret=told["client_secret"])

    client = await registrar.world.client(told["client_id"])
    assert "client_secret" not in answer.json
    assert Sealer([NEWER]).keyed_hash_matches(CLIENT_SECRET, told["client_secret"].encode(), client.secrets[0])
    assert bool(client.sealed_secrets) == (method == "client_secret_jwt")


@ANY_STORE
async def test_a_client_whose_secret_ended_with_that_of_the_server_gets_another_for_the_asking(
    registrar: Registrar,
) -> None:
    told = await registrar.registered()
    later = by_server_with(registrar, NEWER)

    read = await later.manage("GET", told)
    answer = await later.update(told, client_secret=None)

    assert read.status == 200
    assert answer.json["client_secret"] != told["client_secret"]
    client = await registrar.world.client(told["client_id"])
    assert Sealer([NEWER]).keyed_hash_matches(CLIENT_SECRET, answer.json["client_secret"].encode(), client.secrets[0])


# Deleting


@pytest.mark.spec("RFC 7592", "2.3")
async def test_a_deleted_client_is_gone_with_its_token_and_its_grants_have_ended(registrar: Registrar) -> None:
    told = await registrar.registered(token_endpoint_auth_method="none", **REFRESHING)
    world = registrar.world
    tokens = await world.redeem(await world.authorize(told["client_id"]), client=told["client_id"])

    answer = await registrar.manage("DELETE", told)

    assert (answer.status, answer.body, answer.headers["cache-control"]) == (204, b"", "no-store")
    assert await world.store.client(told["client_id"]) is None
    assert await world.end_reason(tokens.refresh_token) is EndReason.CLIENT_DELETED
    assert (await registrar.manage("GET", told)).status == 401
    assert (await registrar.manage("DELETE", told)).status == 401


@ANY_STORE
async def test_who_deleted_a_client_is_recorded(registrar: Registrar) -> None:
    told = await registrar.registered()
    await registrar.manage("DELETE", told)

    events = await registrar.world.store.events(client_id=told["client_id"])

    assert {event.actor for event in events} == {f"client:{told['client_id']}"}
    assert EventKind.CLIENT_DELETED in {event.kind for event in events}
