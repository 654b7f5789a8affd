"""The API of the application that issues the tokens (RFC 6750)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from everbearer.oauth.client import SubjectType
from everbearer.oauth.endpoints.own_resources import Bearer, check_bearer
from everbearer.oauth.errors import InsufficientScope, InvalidRequest, InvalidToken
from everbearer.oauth.issuance_hooks import Issuance, IssuanceHooks
from everbearer.oauth.messages import Request
from everbearer.oauth.models import HOUR
from world import ADA, ANY_STORE, World, bearer

pytestmark = ANY_STORE


async def access_token(world: World, client: str = "spa", scope: str = "openid read") -> str:
    return (await world.redeem(await world.authorize(client, scope=scope), client=client)).access_token


async def asked(world: World, token: str, *scope: str, audience: str | None = None) -> Bearer:
    request = Request(method="GET", path="/api", headers=bearer(token) if token else {})
    return await check_bearer(request, world.server, *scope, audience=audience)


@pytest.mark.parametrize("client", ["spa", "opaque"])
async def test_a_good_token_tells_whose_it_is(world: World, client: str) -> None:
    found = await asked(world, await access_token(world, client), "read")

    assert (found.subject, found.client.client_id, found.scope) == (ADA, client, ("openid", "read"))


async def test_the_application_knows_its_users_whatever_their_clients_are_told(world: World) -> None:
    world = replace(world, server=replace(world.server, pairwise_salt=lambda: b"s" * 32))
    await world.change_client("spa", subject_type=SubjectType.PAIRWISE)

    assert (await asked(world, await access_token(world))).subject == ADA


async def test_a_clients_own_token_is_its_own(world: World) -> None:
    found = await asked(world, (await world.client_credentials()).access_token)

    assert (found.subject, found.grant) == ("machine", None)


async def test_what_the_token_says_besides_is_told(world: World) -> None:
    async def tenant(issuance: Issuance) -> Mapping[str, object]:
        return {"tenant": issuance.client.client_id}

    hooks = IssuanceHooks(access_token_claims=tenant)
    token = (await replace(world, server=replace(world.server, hooks=hooks)).client_credentials()).access_token

    assert (await asked(world, token)).claims == {"tenant": "machine"}


@pytest.mark.spec("RFC 6750", "3.1")
@pytest.mark.parametrize("token", ["", "garbage"])
async def test_without_a_token_of_this_server_there_is_no_access(world: World, token: str) -> None:
    with pytest.raises(InvalidToken):
        await asked(world, token)


@pytest.mark.spec("RFC 6750", "3.1")
async def test_a_token_that_reaches_less_is_told_what_is_needed(world: World) -> None:
    with pytest.raises(InsufficientScope, match="needs the scope read write"):
        await asked(world, await access_token(world), "read", "write")


@pytest.mark.spec("RFC 9068", "4")
async def test_a_token_for_another_api_is_refused(world: World) -> None:
    with pytest.raises(InvalidToken, match="another API"):
        await asked(world, await access_token(world), audience="https://api.example")


async def test_an_api_is_called_as_the_clients_audience_says(world: World) -> None:
    await world.change_client("spa", audience="https://api.example")

    assert (await asked(world, await access_token(world), audience="https://api.example")).subject == ADA


async def test_a_token_is_refused_once_it_has_expired(world: World) -> None:
    token = await access_token(world, scope="offline_access")
    world.clock.advance(HOUR)

    with pytest.raises(InvalidToken, match="has expired"):
        await asked(world, token)


async def test_a_token_is_refused_as_soon_as_its_grant_has_ended(world: World) -> None:
    token = await access_token(world)
    await world.revoke(token)

    with pytest.raises(InvalidToken, match="has ended") as refused:
        await asked(world, token)

    assert refused.value.reason == "revoked_by_client"


async def test_a_token_of_a_client_that_is_gone_is_refused(world: World) -> None:
    token = await access_token(world)
    await world.delete_client("spa")

    with pytest.raises(InvalidToken, match="has ended"):
        await asked(world, token)


@pytest.mark.spec("RFC 6750", "2")
async def test_a_token_that_is_sent_twice_is_refused(world: World) -> None:
    token = await access_token(world)
    headers = {**bearer(token), "content-type": "application/x-www-form-urlencoded"}
    request = Request(method="POST", path="/api", headers=headers, body=f"access_token={token}".encode())

    with pytest.raises(InvalidRequest, match="twice"):
        await check_bearer(request, world.server)


async def test_the_use_of_a_token_proves_that_its_refresh_arrived(world: World) -> None:
    refreshed = await world.refresh(await world.refresh_token())
    world.clock.advance(180)
    found = await asked(world, refreshed.access_token)

    assert found.grant is not None
    stored = await world.store.grant(found.grant.grant_id)
    assert stored is not None
    assert stored.confirmed == 2
