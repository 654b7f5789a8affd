"""What a thief of the database, of the logs or of the server's key gets: nothing that works."""

from __future__ import annotations

import logging
import pickle
import pprint
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from asserting import with_secret
from everbearer.oauth.authorization_server import TokenRequest
from everbearer.oauth.client import AccessTokenFormat
from everbearer.oauth.clients.authentication import hash_client_secret
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.errors import InvalidGrant, OAuthError
from everbearer.oauth.grants.refresh_token import refresh_token_grant
from everbearer.oauth.messages import Request
from everbearer.oauth.models import Grant
from everbearer.oauth.parameters import parse
from everbearer.oauth.tokens.access_tokens import mint_access_token
from everbearer.oauth.tokens.refresh_tokens import seal_code, seal_refresh_token
from everbearer.storage.memory import MemoryStore
from world import NOW, SECRET, VERIFIER, World


def _stored(world: World, folder: Path) -> bytes:
    """Return everything that is kept, as a thief of the disk sees it."""
    if isinstance(world.store, MemoryStore):
        return pickle.dumps(vars(world.store))
    return b"".join(path.read_bytes() for path in sorted(folder.glob("everbearer.db*")))


async def _busy(world: World) -> list[str]:
    """Return every secret of a busy world: codes, tokens, keys and what clients prove themselves by."""
    secrets = [SECRET, VERIFIER, "an-idempotency-key"]
    for client in ("spa", "opaque", "web", "rotating"):
        code = await world.authorize(client, nonce="x")
        first = await world.redeem(code, client=client)
        second = await world.refresh(
            first.refresh_token, client=client, headers={"idempotency-key": "an-idempotency-key"}
        )
        await world.refresh(first.refresh_token, client=client)
        await world.userinfo(second.access_token)
        secrets += [code, first.refresh_token, second.refresh_token, first.access_token, second.access_token]
        secrets += [first.json["id_token"], await world.authorize(client)]
    await world.revoke(secrets[-3])
    return secrets


@pytest.mark.rt("RT-72")
@pytest.mark.spec("RFC 6749", "10.4")
@pytest.mark.spec("RFC 6819", "5.1.4.1.3")
async def test_nothing_in_the_database_is_a_token_a_code_or_a_secret(world: World, tmp_path: Path) -> None:
    secrets = await _busy(world)

    stored = _stored(world, tmp_path)

    assert b"spa" in stored
    for secret in secrets:
        assert secret.encode() not in stored
        assert secret.removeprefix("erb_").removeprefix("erc_").removeprefix("era_").encode() not in stored


@pytest.mark.rt("RT-72")
@pytest.mark.spec("RFC 6749", "10.4")
async def test_who_has_the_database_but_not_the_servers_secret_forges_nothing(world: World) -> None:
    grant = await world.grant(await world.refresh_token())
    thief = Sealer([b"a secret that is as good as any other"])

    for forged in _forged(grant, thief):
        assert (await world.refresh(forged)).error == "invalid_grant"
    assert await world.store.grant(grant.grant_id) == grant


@pytest.mark.rt("RT-72")
@pytest.mark.spec("RFC 6749", "10.4")
async def test_who_has_the_servers_secret_but_not_the_database_forges_nothing(world: World) -> None:
    grant = await world.grant(await world.refresh_token())
    guessed = replace(grant, secret=bytes(16))

    for forged in _forged(guessed, world.server.sealer):
        assert (await world.refresh(forged)).error == "invalid_grant"
    assert (await world.redeem(seal_code(guessed, world.server.sealer))).error == "invalid_grant"
    assert (await world.revoke(seal_refresh_token(guessed, world.server.sealer))).status == 200
    assert await world.store.grant(grant.grant_id) == grant


def _forged(grant: Grant, sealer: Sealer) -> Iterator[str]:
    for generation in (0, 1, 2, 2**32):
        yield seal_refresh_token(replace(grant, generation=generation), sealer)


@pytest.mark.rt("RT-72")
@pytest.mark.spec("RFC 6749", "10.3")
@pytest.mark.parametrize("machine", [False, True])
async def test_who_has_the_servers_secret_but_not_the_database_forges_no_opaque_access_token(
    world: World, machine: bool
) -> None:
    client = await world.client("machine" if machine else "opaque")
    opaque = replace(client, access_token_format=AccessTokenFormat.OPAQUE)
    grant = None if machine else await world.grant(await world.refresh_token("opaque"))
    guessed = replace(grant, secret=bytes(16)) if grant else "machine"

    forged = mint_access_token(
        replace(opaque, secrets=("guessed",)), ("openid",), world.server, about=guessed, now=NOW, expires_in=60
    )
    minted = mint_access_token(opaque, ("openid",), world.server, about=grant or "machine", now=NOW, expires_in=60)

    assert [await world.active(token) for token in (forged, minted)] == [False, True]


@pytest.mark.rt("RT-72")
@pytest.mark.spec("RFC 6749", "10.3")
async def test_a_clients_secret_is_kept_as_a_hash_that_only_this_server_can_make(world: World) -> None:
    kept = (await world.client("web")).secrets

    assert SECRET not in "".join(kept)
    other = world.sealed_by(Sealer([b"a secret that is as good as any other"]))
    assert hash_client_secret(SECRET, other.server) not in kept
    assert (await other.client_credentials()).error == "invalid_client"


@pytest.mark.rt("RT-73")
@pytest.mark.spec("RFC 6819", "5.1.4.1.2")
async def test_no_log_event_or_history_holds_a_token(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    secrets = await _busy(world)

    told = caplog.text + pprint.pformat([world.heard, await world.store.events(limit=1000)])
    told += pprint.pformat([grant.history for grant in await world.store.grants(limit=1000)])
    assert [secret for secret in secrets if secret in told] == []


@pytest.mark.rt("RT-73")
@pytest.mark.spec("RFC 6819", "5.1.4.1.2")
async def test_no_value_shows_a_token_when_it_is_printed(world: World) -> None:
    token = await world.refresh_token("web")
    body = f"grant_type=refresh_token&refresh_token={token}&client_id=web&client_secret={SECRET}"
    http = Request(method="POST", path="/", body=body.encode(), headers={"authorization": f"Bearer {token}"})
    request = TokenRequest(http=http, parameters=parse(body), client=await world.client("web"))

    answer = await refresh_token_grant(request, world.server)

    printed = repr([request, answer, await world.store.grants(), world.server.sealer, await world.client("web")])
    assert [name for name in ("grant_type", "refresh_token") if name in printed] == ["grant_type", "refresh_token"]
    for secret in (token, SECRET, answer.access_token, str(answer.id_token), *(await world.client("web")).secrets):
        assert secret not in printed
    keeper = await with_secret(world, "machine")
    assert [kept for kept in (*keeper.secrets, *keeper.sealed_secrets) if kept in repr(keeper)] == []
    assert repr((await world.grant(token)).secret) not in printed


@pytest.mark.rt("RT-73")
@pytest.mark.spec("RFC 6819", "5.1.4.1.2")
async def test_no_error_holds_a_token(world: World) -> None:
    token = await world.refresh_token()
    body = f"grant_type=refresh_token&refresh_token={token}&scope=admin"
    for client in ("spa", "partner"):
        request = TokenRequest(
            http=Request(method="POST", path="/", body=body.encode()),
            parameters=parse(body),
            client=await world.client(client),
        )

        with pytest.raises(OAuthError) as refused:
            await refresh_token_grant(request, world.server)

        assert token not in repr([refused.value, refused.value.description, refused.value.reason, refused.value.args])


@pytest.mark.rt("RT-70")
@pytest.mark.spec("RFC 6749", "10.10")
async def test_guessing_is_hopeless_and_harms_nobody(world: World) -> None:
    token = await world.refresh_token()
    before = await world.grant(token)

    for number in range(300):
        guess = token[: len(token) - 6] + f"{number:06d}"
        assert guess == token or (await world.refresh(guess)).error == "invalid_grant"

    assert await world.grant(token) == before
    assert (await world.refresh(token)).status == 200


def test_an_error_tells_the_client_and_the_operator_different_things() -> None:
    error = InvalidGrant("the refresh token is not valid", reason="no such grant")

    assert (str(error), error.description, error.reason) == (error.description, error.description, "no such grant")
