"""What the standard library fetches, from a real server."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from certificates import new_authority
from everbearer.resource_server import Fetch, Fetched, StandardFetch
from everbearer.resource_server.fetching import NO_ANSWER
from server_process import free_port


class Site(ThreadingHTTPServer):
    """A site that answers by the path, and remembers what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pages)
        self.came: list[tuple[str, str, dict[str, str], bytes]] = []
        self.gone = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Pages(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.came.append((self.command, self.path, dict(self.headers), body))
        {"/redirect": self.redirect, "/large": self.large, "/slow": self.slow, "/cut": self.cut}.get(
            self.path, self.plain
        )()

    do_POST = do_GET  # noqa: N815 - the name in the library

    def plain(self) -> None:
        self.send_response(404 if self.path == "/nothing" else 200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def redirect(self) -> None:
        self.send_response(302)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def large(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * (512 * 1024 + 1))

    def slow(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "9")
        self.end_headers()
        self.wfile.write(b"x")
        self.server.gone.wait()

    def cut(self) -> None:
        self.wfile.write(b"HTTP/")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the library
        """Log nothing."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        thread = Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        site.gone.set()
        site.shutdown()
        thread.join()


@contextmanager
def https_site(context: ssl.SSLContext) -> Iterator[str]:
    with Site() as site:
        site.socket = context.wrap_socket(site.socket, server_side=True)
        thread = Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"https://localhost:{site.server_address[1]}/"
        site.shutdown()
        thread.join()


def test_a_get_has_its_headers_and_no_body(site: Site) -> None:
    fetched = StandardFetch()(Fetch(url=f"{site.url}/x?y=z", headers=(("Accept", "application/json"),)))
    method, path, headers, body = site.came[0]

    assert fetched == Fetched(status=200, body=b"hello")
    assert (method, path, body) == ("GET", "/x?y=z", b"")
    assert (headers["Accept"], headers["User-Agent"]) == ("application/json", "everbearer")


def test_a_form_is_posted(site: Site) -> None:
    headers = (("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", "Basic YTpi"))
    StandardFetch()(Fetch(url=f"{site.url}/introspect", headers=headers, body=b"token=x"))
    method, path, sent, body = site.came[0]

    assert (method, path, body) == ("POST", "/introspect", b"token=x")
    assert {(name, sent[name]) for name, _ in headers} == set(headers)


def test_another_status_than_200_is_told(site: Site) -> None:
    assert StandardFetch()(Fetch(url=f"{site.url}/nothing")).status == 404


@pytest.mark.parametrize("body", [None, b"token=x"])
def test_no_redirect_is_followed(site: Site, body: bytes | None) -> None:
    fetched = StandardFetch()(Fetch(url=f"{site.url}/redirect", headers=(("Authorization", "Basic YTpi"),), body=body))

    assert fetched.status == 302
    assert [path for _, path, _, _ in site.came] == ["/redirect"]


def test_an_answer_that_is_too_long_is_none(site: Site) -> None:
    assert StandardFetch()(Fetch(url=f"{site.url}/large")) == NO_ANSWER


def test_an_answer_that_does_not_come_in_time_is_none(site: Site) -> None:
    assert StandardFetch(patience=0.05)(Fetch(url=f"{site.url}/slow")) == NO_ANSWER


def test_an_answer_that_is_no_http_is_none(site: Site) -> None:
    assert StandardFetch()(Fetch(url=f"{site.url}/cut")) == NO_ANSWER


def test_where_nobody_listens_there_is_no_answer(site: Site) -> None:
    assert StandardFetch()(Fetch(url=f"http://127.0.0.1:{free_port()}")) == NO_ANSWER
    assert site.came == []


def test_a_certificate_that_nobody_vouches_for_is_no_answer(tmp_path: Path) -> None:
    authority = new_authority(tmp_path)
    with https_site(authority.server("localhost")) as url:
        trusting = ssl.create_default_context(cafile=authority.path)

        assert StandardFetch()(Fetch(url=url)) == NO_ANSWER
        assert StandardFetch(tls=trusting)(Fetch(url=url)).body == b"hello"


def test_a_certificate_of_another_name_is_no_answer(tmp_path: Path) -> None:
    authority = new_authority(tmp_path)
    with https_site(authority.server("id.example")) as url:
        trusting = ssl.create_default_context(cafile=authority.path)

        assert StandardFetch(tls=trusting)(Fetch(url=url)) == NO_ANSWER
