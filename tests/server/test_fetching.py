"""Documents are fetched over TLS from public addresses alone, within limits, by a real server of their own."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from certificates import Authority, new_authority
from everbearer.server.outward.fetching import LONGEST, Fetching, Unfetched, is_public
from https_site import HEAD, Site, framed, site_of
from server_process import free_port

WORDS = '{"keys": ["\u00e9"]}'

ANSWERS: dict[str, bytes] = {
    "/jwks": framed(WORDS.encode()),
    "/chunked": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n",
    "/until-the-end": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "/informed": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + framed(b"hello"),
    "/identity": framed(b"hello", HEAD + b"Content-Encoding: identity\r\n"),
    "/as-long-as-may-be": framed(b"x" * LONGEST),
    "/moved": framed(b"", b"HTTP/1.1 302 Found\r\nLocation: /jwks\r\n"),
    "/missing": framed(b"", b"HTTP/1.1 404 Not Found\r\n"),
    "/busy": framed(b"", b"HTTP/1.1 503 Busy\r\n"),
    "/often": framed(b"", b"HTTP/1.1 429 Often\r\n"),
    "/too-long": framed(b"x" * (LONGEST + 1)),
    "/endless": HEAD + b"\r\n" + b"x" * 5 * LONGEST,
    "/endless-head": HEAD + b"X: " + b"x" * 5 * LONGEST,
    "/cut": HEAD + b"Content-Length: 10\r\n\r\nhello",
    "/cut-head": b"HTTP/1.1 200 OK\r\n",
    "/silent": b"",
    "/no-http": b"SSH-2.0-OpenSSH\r\n\r\n",
    "/no-text": framed(b"\xff"),
    "/packed": framed(b"hello", HEAD + b"Content-Encoding: gzip\r\n"),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def site(authority: Authority) -> AsyncIterator[Site]:
    async with site_of(authority.server("localhost"), ANSWERS) as site:
        yield site


@pytest.fixture
def fetch(authority: Authority) -> Fetching:
    """Return what fetches from this machine too, and trusts the authority by the path of its certificate."""
    return Fetching(private=True, tls=ssl.create_default_context(cafile=authority.path))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/jwks", WORDS),
        ("/jwks?version=2", WORDS),
        ("/chunked", "hello, world"),
        ("/until-the-end", "hello"),
        ("/informed", "hello"),
        ("/identity", "hello"),
        ("/as-long-as-may-be", "x" * LONGEST),
    ],
)
async def test_what_stands_at_a_url_is_fetched(site: Site, fetch: Fetching, path: str, text: str) -> None:
    assert await fetch(site.url(path)) == text
    assert site.asked[0].startswith(f"GET {path} HTTP/1.1\r\nHost: localhost:{site.port}\r\n".encode())


@pytest.mark.parametrize(
    ("path", "problem", "passes"),
    [
        ("/moved", "redirects, which is not followed", False),
        ("/missing", "answers 404", False),
        ("/busy", "answers 503", True),
        ("/often", "answers 429", True),
        ("/too-long", f"is longer than {LONGEST} bytes", False),
        ("/endless", f"is longer than {LONGEST} bytes", False),
        ("/endless-head", f"is longer than {LONGEST} bytes", False),
        ("/cut", "hung up", True),
        ("/cut-head", "hung up", True),
        ("/silent", "hung up", True),
        ("/no-http", "does not speak HTTP", False),
        ("/no-text", "is not UTF-8", False),
        ("/packed", "is compressed", False),
    ],
)
async def test_what_is_not_there_as_it_should_be_is_told(
    site: Site, fetch: Fetching, path: str, problem: str, passes: bool
) -> None:
    with pytest.raises(Unfetched, match=problem) as refused:
        await fetch(site.url(path))

    assert refused.value.passes is passes
    assert len(site.asked) == 1


async def test_a_form_is_sent_as_one(site: Site, fetch: Fetching) -> None:
    assert await fetch.post(site.url("/jwks?a=b"), {"logout_token": "e30.e30.x", "more": "ü & ="}) == 200

    (asked,) = site.asked
    assert asked.startswith(b"POST /jwks?a=b HTTP/1.1\r\nHost: localhost:")
    assert b"\r\nContent-Type: application/x-www-form-urlencoded\r\n" in asked
    assert site.bodies == [b"logout_token=e30.e30.x&more=%C3%BC+%26+%3D"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/jwks", 200),
        ("/informed", 200),
        ("/until-the-end", 200),
        ("/moved", 302),
        ("/missing", 404),
        ("/busy", 503),
        ("/too-long", 200),
        ("/endless", 200),
        ("/cut", 200),
        ("/packed", 200),
        ("/no-text", 200),
    ],
)
async def test_of_the_answer_to_a_form_the_status_alone_matters(
    site: Site, fetch: Fetching, path: str, status: int
) -> None:
    assert await fetch.post(site.url(path), {"a": "b"}) == status


@pytest.mark.parametrize(
    ("path", "problem", "passes"),
    [
        ("/cut-head", "hung up before it had answered", True),
        ("/silent", "hung up before it had answered", True),
        ("/endless-head", f"is longer than {LONGEST} bytes", False),
        ("/no-http", "does not speak HTTP as it should", False),
    ],
)
async def test_who_does_not_answer_a_form_is_told_of(
    site: Site, fetch: Fetching, path: str, problem: str, *, passes: bool
) -> None:
    with pytest.raises(Unfetched) as told:
        await fetch.post(site.url(path), {"a": "b"})

    assert (str(told.value), told.value.passes) == (problem, passes)


async def test_a_form_is_not_sent_to_an_address_that_is_not_public(site: Site, authority: Authority) -> None:
    careful = Fetching(tls=ssl.create_default_context(cafile=authority.path))

    with pytest.raises(Unfetched, match="leads to an address that is not public"):
        await careful.post(site.url("/jwks"), {"a": "b"})

    assert site.asked == []


async def test_who_never_answers_is_not_waited_for(fetch: Fetching) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hurried = Fetching(private=True, tls=fetch.tls, patience=0.05)

        with pytest.raises(Unfetched, match=r"did not answer within 0\.05 seconds") as refused:
            await hurried(f"https://localhost:{port}/")

    assert refused.value.passes


async def test_where_nobody_listens_it_may_be_tried_again(fetch: Fetching) -> None:
    with pytest.raises(Unfetched, match="cannot be connected to") as refused:
        await fetch(f"https://127.0.0.1:{free_port()}/")

    assert refused.value.passes


async def test_a_certificate_must_be_that_of_the_name(authority: Authority, fetch: Fetching) -> None:
    async with site_of(authority.server("another.example"), ANSWERS) as site:
        with pytest.raises(Unfetched, match="has a certificate that is not valid"):
            await fetch(site.url("/jwks"))

    assert site.asked == []


async def test_a_certificate_that_nobody_vouches_for_is_refused(site: Site) -> None:
    with pytest.raises(Unfetched, match="has a certificate that is not valid"):
        await Fetching(private=True)(site.url("/jwks"))

    assert site.asked == []


async def test_where_no_tls_is_spoken_nothing_is_asked(fetch: Fetching) -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as plain:
        port = plain.sockets[0].getsockname()[1]

        with pytest.raises(Unfetched, match="does not speak TLS"):
            await fetch(f"https://localhost:{port}/")


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://example.com/", "ftp://localhost/", "file:///x", "x", ""])
async def test_only_https_is_fetched_but_from_this_machine(fetch: Fetching, url: str) -> None:
    with pytest.raises(Unfetched, match="is not an https URL"):
        await fetch(url)


@pytest.mark.parametrize("url", ["https://[::1/", "https://localhost:port/", f"https://{'a' * 70}.example/"])
async def test_what_is_no_url_is_told(fetch: Fetching, url: str) -> None:
    with pytest.raises(Unfetched, match="is not a URL that can be fetched"):
        await fetch(url)


async def test_a_url_beyond_ascii_is_not_asked_for(site: Site, fetch: Fetching) -> None:
    with pytest.raises(Unfetched, match="is not a URL that can be fetched"):
        await fetch(site.url("/\u00e9"))


async def test_in_development_this_machine_may_do_without_tls(fetch: Fetching) -> None:
    async with site_of(None, ANSWERS) as site:
        assert await fetch(site.url("/jwks").replace("https", "http")) == WORDS


# Which addresses


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
async def test_otherwise_this_machine_is_never_asked_however_it_is_written(
    site: Site, authority: Authority, host: str
) -> None:
    fetch = Fetching(tls=ssl.create_default_context(cafile=authority.path))

    with pytest.raises(Unfetched, match="leads to an address that is not public") as refused:
        await fetch(site.url("/jwks", host=host))

    assert not refused.value.passes
    assert site.asked == []


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """Return what names lead to: each time they are looked up to the next of the lists."""
    known: dict[str, list[list[str]]] = {}

    def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        addresses = known[host].pop(0) if host in known else [host]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


async def test_a_name_that_leads_outside_and_inside_is_not_asked(names: dict[str, list[list[str]]]) -> None:
    names["two.example"] = [["93.184.215.14", "10.0.0.1"]]

    with pytest.raises(Unfetched, match="not public"):
        await Fetching()("https://two.example/jwks")


async def test_the_address_that_was_checked_is_the_one_that_is_asked(
    names: dict[str, list[list[str]]], authority: Authority
) -> None:
    names["rebinding.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    fetch = Fetching(private=True, tls=ssl.create_default_context(cafile=authority.path))
    async with site_of(authority.server("rebinding.example"), ANSWERS) as site:
        assert await fetch(site.url("/jwks", host="rebinding.example")) == WORDS

    assert names["rebinding.example"] == [["127.0.0.2"]]


async def test_an_address_that_does_not_answer_leaves_the_next_one(
    names: dict[str, list[list[str]]], authority: Authority
) -> None:
    names["two.example"] = [["127.0.0.3", "127.0.0.1"]]
    fetch = Fetching(private=True, tls=ssl.create_default_context(cafile=authority.path))
    async with site_of(authority.server("two.example"), ANSWERS) as site:
        assert await fetch(site.url("/jwks", host="two.example")) == WORDS


@pytest.mark.parametrize("passes", [True, False])
async def test_a_name_that_is_not_found_is_told(monkeypatch: pytest.MonkeyPatch, passes: bool) -> None:
    def not_found(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_AGAIN if passes else socket.EAI_NONAME, "not found")

    monkeypatch.setattr(socket, "getaddrinfo", not_found)

    with pytest.raises(Unfetched, match="has a host that is not found") as refused:
        await Fetching()("https://nobody.example/")

    assert refused.value.passes is passes


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::93.184.215.14", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - to be refused
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1", False),
        ("fe80::1%2", False),
        ("fec0::1", False),
        ("fc00::1", False),
        ("fd12:3456::1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        ("::127.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::", False),
        ("2002:a00:1::1", False),
        ("2001::1", False),
    ],
)
def test_an_address_is_public_if_it_leads_nowhere_else(address: str, public: bool) -> None:
    assert is_public(address) is public
