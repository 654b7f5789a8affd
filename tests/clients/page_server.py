"""A tiny web server for pages of another origin than the authorization server's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from clients.programs import HERE

_PACKAGES = HERE / "node_modules"
SCRIPTS = {
    "/authgear-web.iife.js": _PACKAGES / "@authgear" / "web" / "dist" / "authgear-web.iife.js",
    "/oidc-client-ts.js": _PACKAGES / "oidc-client-ts" / "dist" / "browser" / "oidc-client-ts.min.js",
}
SPA = "/spa/"
"""Below this path is the page that uses `oidc-client-ts`, and at every other path the one that uses `@authgear/web`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Where the applications are."""

    page: str
    express: str


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/favicon.ico":
            self.send_error(404)
            return
        page = HERE / ("spa.html" if path.startswith(SPA) else "page.html")
        body = SCRIPTS.get(path, page).read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if path in SCRIPTS else "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
        """Say nothing."""


@contextmanager
def serving_the_page() -> Iterator[str]:
    """Serve the pages at every path, with the libraries beside them, and yield their origin."""
    for script in SCRIPTS.values():
        assert script.exists(), f"{script} is missing: run npm ci in tests/clients"
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        # "localhost" and "127.0.0.1" are two sites to a browser, as an application's and its server's are.
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
