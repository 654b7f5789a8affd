"""Request objects at the URIs that clients registered: fetched from public addresses only, and kept for a moment."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from asserting import jwks_of
from certificates import Authority, new_authority
from everbearer.oauth.authorization.endpoint import AuthorizationRefused
from everbearer.oauth.authorization_server import unix_now
from everbearer.oauth.encoding import base64url
from everbearer.oauth.errors import InvalidRequestUri, TemporarilyUnavailable
from everbearer.server.outward.documents import PAUSE
from everbearer.server.outward.fetching import LONGEST, Fetching, Unfetched
from everbearer.server.outward.request_uris import ACCEPT, RequestUris
from https_site import Site, framed, site_of
from request_objects import alone, let_sign, request_object
from server.web import Web
from server_process import running_server
from world import ANY_STORE, Clock, World, key_of

URI = "https://client.example/request?secret"
GONE = Unfetched("answers 404")
BUSY = Unfetched("answers 503", passes=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def web() -> Web:
    return Web()


@pytest.fixture
def request_uris(web: Web, clock: Clock) -> RequestUris:
    return RequestUris(web.fetch, clock)


def hashed(document: str) -> str:
    return f"{URI}#{base64url(sha256(document.encode()).digest())}"


# What is kept


async def test_nobody_can_have_a_uri_asked_more_often_than_once_in_a_pause(
    request_uris: RequestUris, web: Web, clock: Clock
) -> None:
    seen = [await request_uris(URI) for _ in range(5)]
    web.stands = "second"
    clock.advance(PAUSE)

    assert [*seen, await request_uris(URI)] == ["first"] * 5 + ["second"]
    assert len(web.asked) == 2


@pytest.mark.spec("OpenID Connect Core", "6.2")
@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
async def test_what_has_the_hash_that_its_uri_says_is_kept_and_another_hash_asks_anew(
    request_uris: RequestUris, web: Web, clock: Clock
) -> None:
    first = [await request_uris(hashed("first"))]
    web.stands = "second"
    clock.advance(10**6)

    first.append(await request_uris(hashed("first")))

    assert (first, await request_uris(hashed("second"))) == (["first", "first"], "second")
    assert web.asked == [hashed("first"), hashed("second")]


@pytest.mark.parametrize(("trouble", "error"), [(GONE, InvalidRequestUri), (BUSY, TemporarilyUnavailable)])
async def test_a_failure_is_told_and_not_asked_for_again_within_a_pause(
    request_uris: RequestUris, web: Web, clock: Clock, trouble: Unfetched, error: type[Exception]
) -> None:
    web.stands = trouble
    for _ in range(3):
        with pytest.raises(error, match=f"the request_uri {trouble}"):
            await request_uris(URI)
    before = len(web.asked)
    web.stands = "first"
    clock.advance(PAUSE)

    assert await request_uris(URI) == "first"
    assert before == 1


# From a real https server


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path)


@pytest.fixture
async def site(authority: Authority, world: World) -> AsyncIterator[Site]:
    async with site_of(authority.server("localhost"), {"/request.jwt": framed(request_object(world).encode())}) as site:
        yield site


async def _asked(world: World, site: Site, authority: Authority, *, private: bool = True) -> str:
    """Return the state of a request by reference, or the error that comes of it."""
    await let_sign(world, request_uris=(site.url("/request.jwt"),))
    fetch = Fetching(private=private, tls=ssl.create_default_context(cafile=authority.path), accept=ACCEPT)
    serving = replace(world, server=replace(world.server, request_objects=RequestUris(fetch, world.clock)))
    try:
        return (await serving.validate(alone(request_uri=site.url("/request.jwt")))).state
    except AuthorizationRefused as refused:
        return refused.error.error


@ANY_STORE
@pytest.mark.spec("RFC 9101", "5.2.3")
async def test_a_request_object_is_fetched_by_https(world: World, site: Site, authority: Authority) -> None:
    assert await _asked(world, site, authority) == "inside"
    assert site.asked[0].startswith(b"GET /request.jwt HTTP/1.1\r\n")
    assert b"\r\nAccept: application/oauth-authz-req+jwt, application/jwt\r\n" in site.asked[0]


@ANY_STORE
@pytest.mark.spec("RFC 9101", "10.4.1", "10.4.2")
async def test_nothing_of_the_servers_own_network_is_asked(world: World, site: Site, authority: Authority) -> None:
    assert await _asked(world, site, authority, private=False) == "invalid_request_uri"
    assert site.asked == []


@ANY_STORE
@pytest.mark.spec("RFC 9101", "10.4.1")
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (framed(b"x" * (LONGEST + 1)), "invalid_request_uri"),
        (framed(b"", b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n"), "invalid_request_uri"),
        (framed(b"", b"HTTP/1.1 404 Not Found\r\n"), "invalid_request_uri"),
        (framed(b"\xff"), "invalid_request_uri"),
        (framed(b"", b"HTTP/1.1 503 Busy\r\n"), "temporarily_unavailable"),
        (framed(b"x" * 20_000), "invalid_request_object"),
    ],
    ids=["too long", "redirect", "not found", "not UTF-8", "busy", "long"],
)
async def test_what_will_not_do_is_told(
    world: World, site: Site, authority: Authority, answer: bytes, error: str
) -> None:
    site.answers["/request.jwt"] = answer

    assert await _asked(world, site, authority) == error
    assert len(site.asked) == 1


@dataclass(frozen=True)
class Now:
    """The time, for what a running server is to take."""

    clock: Clock = field(default_factory=lambda: Clock(unix_now()))


@pytest.mark.parametrize("private", [True, False])
async def test_a_running_server_fetches_from_private_addresses_only_if_it_is_told_to(
    private: bool, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    async with site_of(authority.server("localhost"), {}) as site:
        settings = f"""fetch_from_private_addresses = {json.dumps(private)}
[[clients]]
client_id = "web"
type = "web"
client_secret = "Zr8-q1ZbT0vXn4kPq7Lw2aYc5eHd9sJu"
redirect_uris = ["https://web.example/cb"]
jwks = '{jwks_of(key_of("ES256"))}'
request_uris = ["{site.url("/request.jwt")}"]
require_signed_request_object = true
"""

        def opened() -> httpx.Response:
            with running_server(tmp_path, settings) as server:
                text = request_object(Now(), aud=server.issuer, nonce="n")
                site.answers["/request.jwt"] = framed(text.encode())
                query: dict[str, Any] = {"client_id": "web", "request_uri": site.url("/request.jwt")}
                return httpx.get(f"{server.issuer}/oauth2/authorize", params=query, timeout=120)

        answer = await asyncio.to_thread(opened)

    where = answer.headers["location"]
    expected = "/sign-in?" if private else "https://web.example/cb?error=invalid_request_uri&"
    assert (answer.status_code, where.startswith(expected), len(site.asked)) == (303, True, private)
