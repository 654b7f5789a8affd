"""The web site of a relying party, over TLS: it notes who comes where with what, and answers as it is told."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

PATIENCE = 120


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Somebody came."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]


@dataclass(kw_only=True)
class RelyingSite:
    """Where the site is, what stands at its addresses, and who came."""

    origin: str
    pages: dict[str, str] = field(default_factory=dict[str, str])
    """HTML by path; elsewhere stands an empty page."""
    statuses: dict[str, int] = field(default_factory=dict[str, int])
    """By path, where it is not 200. With 0 nobody is ever answered there."""
    visits: list[Visit] = field(default_factory=list[Visit])
    came: threading.Condition = field(default_factory=threading.Condition)

    def url(self, path: str) -> str:
        return self.origin + path

    def note(self, visit: Visit) -> None:
        with self.came:
            self.visits.append(visit)
            self.came.notify_all()

    def wait_for(self, path: str, *, number: int = 1) -> list[Visit]:
        """Return who came to an address, once there are so many."""

        def there() -> list[Visit]:
            return [visit for visit in self.visits if visit.path == path]

        with self.came:
            assert self.came.wait_for(lambda: len(there()) >= number, PATIENCE), (
                f"{number} did not come to {path}: {self.visits}"
            )
            return there()


class _Handler(BaseHTTPRequestHandler):
    site: RelyingSite

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._answer(dict(parse_qsl(body.decode())))

    def _answer(self, form: dict[str, str]) -> None:
        parts = urlsplit(self.path)
        status = self.site.statuses.get(parts.path, 200)
        self.site.note(Visit(method=self.command, path=parts.path, query=dict(parse_qsl(parts.query)), form=form))
        if status == 0:
            # Until the other side hangs up.
            self.rfile.read()
            return
        body = self.site.pages.get(parts.path, "<!doctype html><title>here</title>").encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: browsers hang up as they like."""


@contextmanager
def relying_site(certificate: Path) -> Iterator[RelyingSite]:
    """Serve the site on a free port, with a certificate whose key lies beside it, until the block is left."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    server = _Server(("127.0.0.1", 0), _Handler, bind_and_activate=False)
    # The handshake is left to the thread that answers: a browser that connects ahead keeps nobody waiting.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.server_bind()
    server.server_activate()
    # "localhost" and "127.0.0.1" are two sites to a browser, as an application's and its server's are.
    site = RelyingSite(origin=f"https://localhost:{server.server_port}")
    server.RequestHandlerClass = type("_Handler", (_Handler,), {"site": site})
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
