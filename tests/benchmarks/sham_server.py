"""A token endpoint of a few lines, to see whether the generator speaks HTTP as it should."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs


class ShamEndpoint(BaseHTTPRequestHandler):
    """Answers `chain.7` with `chain.8`; how it frames its answers is told by the path."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        token = form["refresh_token"][0]
        self.seen.append(token)
        chain, _, number = token.rpartition(".")
        status = 400 if chain.startswith("bad") else 503 if chain.startswith("down") else 200
        following = number if self.path == "/stuck" else str(int(number) + 1)
        self.answer(status, f'{{"access_token":"a", "refresh_token" : "{chain}.{following}"}}'.encode())

    def answer(self, status: int, body: bytes) -> None:
        if self.path == "/early":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n")
        self.send_response(status)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (body[:9], body[9:]):
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
            return
        if self.path == "/until-close":
            self.send_header("Connection", "close")
        else:
            self.send_header("content-LENGTH", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        # A server may close a kept connection without saying so before.
        self.close_connection = self.path in {"/until-close", "/forgetful"}

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


@contextmanager
def sham_server() -> Iterator[int]:
    """Serve on a free loopback port until the block is left."""
    ShamEndpoint.seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), ShamEndpoint) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
