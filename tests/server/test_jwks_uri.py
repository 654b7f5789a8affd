"""A client's keys at its `jwks_uri`, from a real https server whose authority is known by a path."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from asserting import jwks_of, proof, sent, sign, with_keys
from certificates import Authority, new_authority
from encrypting import decrypted, key_of_kind, with_encryption
from encrypting import published as published_keys
from everbearer.oauth.authorization_server import unix_now
from everbearer.oauth.crypto.keys import SigningKey
from everbearer.oauth.randomness import random_id
from everbearer.server.outward.fetching import Fetching
from everbearer.server.outward.jwks_uris import LIFETIME, PAUSE, JwksUris
from https_site import Site, framed, site_of
from server_process import ServerProcess, running_server
from world import ANY_STORE, World, key_of

OLD, NEW = key_of("ES256"), key_of("RS256")


def published(*keys: SigningKey) -> dict[str, bytes]:
    return {"/jwks": framed(jwks_of(*keys).encode())}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path)


@pytest.fixture
async def site(authority: Authority) -> AsyncIterator[Site]:
    async with site_of(authority.server("localhost"), published(OLD)) as site:
        yield site


@ANY_STORE
@pytest.mark.rt("RT-15")
@pytest.mark.spec("OpenID Connect Core", "10.1.1")
async def test_a_client_publishes_a_new_key_between_two_refreshes(
    world: World, site: Site, authority: Authority
) -> None:
    await with_keys(world, "web", jwks_uri=site.url("/jwks"))
    fetch = Fetching(private=True, tls=ssl.create_default_context(cafile=authority.path))
    world = replace(world, server=replace(world.server, jwks=JwksUris(fetch, world.clock)))
    token = (await world.redeem(await world.authorize("web"), client="web", **proof(world, key=OLD))).refresh_token
    before = await world.refresh(token, client="web", **proof(world, key=OLD))
    site.answers |= published(NEW)

    after = await world.refresh(token, client="web", **proof(world, key=NEW))

    assert [before.status, after.status] == [200, 200]
    assert len(site.asked) == 2


@ANY_STORE
@pytest.mark.rt("RT-15")
@pytest.mark.spec("OpenID Connect Core", "10.2.1")
async def test_a_new_key_to_encrypt_to_is_known_once_what_was_published_before_is_forgotten(
    world: World, site: Site, authority: Authority
) -> None:
    old, new = key_of_kind("P-256", 1), key_of_kind("P-256", 2)
    site.answers["/jwks"] = framed(published_keys(old).encode())
    await with_encryption(world, "partner", "id_token", "ECDH-ES", jwks_uri=site.url("/jwks"))
    fetch = Fetching(private=True, tls=ssl.create_default_context(cafile=authority.path))
    world = replace(world, server=replace(world.server, jwks=JwksUris(fetch, world.clock)))
    before = await world.sign_in("partner")
    site.answers["/jwks"] = framed(published_keys(new).encode())
    hurried = await world.refresh(before.refresh_token, client="partner")
    world.clock.advance(LIFETIME)

    after = await world.refresh(hurried.refresh_token, client="partner")

    readers = zip((before, hurried, after), (old, old, new), strict=True)
    assert [decrypted(answer.json["id_token"], key).claims["sub"] for answer, key in readers] == ["ada"] * 3
    assert len(site.asked) == 2


@ANY_STORE
@pytest.mark.spec("RFC 9110", "15.6.4")
async def test_a_site_that_is_busy_signs_nobody_out(world: World, site: Site, authority: Authority) -> None:
    await with_keys(world, "web", jwks_uri=site.url("/jwks"))
    fetch = Fetching(private=True, tls=ssl.create_default_context(cafile=authority.path))
    world = replace(world, server=replace(world.server, jwks=JwksUris(fetch, world.clock)))
    site.answers["/jwks"] = framed(b"", b"HTTP/1.1 503 Busy\r\n")

    answer = await world.refresh("any", client="web", **proof(world))

    assert (answer.status, answer.error, answer.headers["retry-after"]) == (503, "temporarily_unavailable", str(PAUSE))


def ask(server: ServerProcess) -> httpx.Response:
    """Ask a running server for a token as the machine whose keys it must fetch."""
    claims = {"iss": "m", "sub": "m", "aud": server.issuer, "exp": unix_now() + 60, "jti": random_id()}
    form: dict[str, Any] = {"grant_type": "client_credentials", **sent(sign(claims, OLD))}
    given = {name: value for name, value in form.items() if value is not None}
    return httpx.post(f"{server.issuer}/oauth2/token", data=given, timeout=120)


@pytest.mark.parametrize("private", [True, False])
async def test_a_running_server_fetches_from_private_addresses_only_if_it_is_told_to(
    private: bool, site: Site, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    settings = f"""fetch_from_private_addresses = {json.dumps(private)}
[[clients]]
client_id = "m"
type = "machine"
token_endpoint_auth_method = "private_key_jwt"
jwks_uri = "{site.url("/jwks")}"
"""

    def served() -> httpx.Response:
        with running_server(tmp_path, settings) as server:
            return ask(server)

    answer = await asyncio.to_thread(served)

    assert answer.status_code == (200 if private else 401), answer.text
    assert len(site.asked) == private
    assert private or "leads to an address that is not public" in answer.json()["error_description"]
