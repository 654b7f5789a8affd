"""An application that sends its users on to another origin from its callback, as brokers do, in Chromium."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import pytest
from playwright.async_api import BrowserContext, expect

from clients.spa_page import fill_in
from server_process import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")


class _Broker(BaseHTTPRequestHandler):
    """Sends whoever comes to `localhost` on to `app.localhost`, and greets there."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        here = self.headers["Host"]
        body = b"" if here.startswith("localhost") else b'<p id="arrived">Welcome</p>'
        self.send_response(200 if body else 302)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        if not body:
            self.send_header("Location", f"http://app.{here}/home")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
        """Say nothing."""


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Broker)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def client_id(server: ServerProcess, broker: str) -> str:
    addresses = ["--redirect-uri", f"{broker}/callback", "--post-logout-redirect-uri", f"{broker}/bye"]
    created: dict[str, str] = server.command("client", "create", "--type", "web", *addresses)
    return created["client_id"]


@pytest.mark.parametrize("response_mode", ["query", "form_post"])
async def test_who_signs_in_and_consents_arrives_where_the_application_sends_him_on_to(
    response_mode: str, context: BrowserContext, server: ServerProcess, broker: str, client_id: str
) -> None:
    asked = {
        "response_type": "code",
        "response_mode": response_mode,
        "client_id": client_id,
        "redirect_uri": f"{broker}/callback",
        "scope": "openid email",
        "nonce": "n",
        "prompt": "consent",
    }
    tab = await context.new_page()
    await tab.goto(f"{server.issuer}/oauth2/authorize?{urlencode(asked)}")
    await fill_in(tab)
    await tab.click("#allow")

    await expect(tab.locator("#arrived")).to_be_visible()


async def test_who_signs_out_arrives_where_the_application_sends_him_on_to(
    context: BrowserContext, server: ServerProcess, broker: str, client_id: str
) -> None:
    tab = await context.new_page()
    await tab.goto(f"{server.issuer}/sign-in")
    await fill_in(tab)
    await expect(tab.locator("#signed-in-as")).to_be_visible()
    asked = {"client_id": client_id, "post_logout_redirect_uri": f"{broker}/bye"}
    await tab.goto(f"{server.issuer}/oauth2/end_session?{urlencode(asked)}")
    await tab.click("#confirm")

    await expect(tab.locator("#arrived")).to_be_visible()
