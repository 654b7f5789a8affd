"""A whole server and a relying party, each on a port of its own over TLS, and a browser between them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from playwright.async_api import Page

from own_certificate import new_certificate
from plans.relying_site import RelyingSite, relying_site
from server_process import ServerProcess, running_server

LOGIN, PASSWORD = "certification@example.com", "a password known to everybody"
SECRET = "relying-party-secret-known-to-everybody"

CLIENT = """
[[clients]]
client_id = "{client_id}"
type = "web"
client_secret = "{secret}"
redirect_uris = ["{origin}/callback"]
post_logout_redirect_uris = ["{origin}/post_logout_redirect"]
require_pkce = false
first_party = true
{more}
"""

SETTINGS = """
fetch_from_private_addresses = true
[sessions]
check_session_iframe = true
[[users]]
login = "{login}"
password = "{password}"
"""


@dataclass(frozen=True, kw_only=True)
class LoggingOut:
    """The server, the site and the client that it is registered as."""

    server: ServerProcess
    site: RelyingSite
    client_id: str

    def as_client(self, client_id: str) -> LoggingOut:
        return LoggingOut(server=self.server, site=self.site, client_id=client_id)

    def document(self) -> dict[str, Any]:
        with self._http() as http:
            found: dict[str, Any] = http.get("/.well-known/openid-configuration").raise_for_status().json()
            return found

    def authorize_url(self, **changes: str) -> str:
        parameters = {
            "client_id": self.client_id,
            "redirect_uri": self.site.url("/callback"),
            "response_type": "code",
            "scope": "openid",
            "state": "s",
            **changes,
        }
        return f"{self.server.issuer}/oauth2/authorize?{urlencode(parameters)}"

    async def authorize(self, tab: Page, **changes: str) -> dict[str, str]:
        """Send the browser through the authorization endpoint and return what it brings back."""
        await tab.goto(self.authorize_url(**changes))
        if urlsplit(tab.url).path == "/sign-in":
            await tab.fill("#login", LOGIN)
            await tab.fill("#password", PASSWORD)
            await tab.click("#submit")
        await tab.wait_for_url(self.site.url("/callback?*"))
        return dict(parse_qsl(urlsplit(tab.url).query))

    def redeem(self, answer: dict[str, str]) -> dict[str, str]:
        """Return what a code is good for."""
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": self.site.url("/callback"),
        }
        with self._http() as http:
            response = http.post("/oauth2/token", data=form, auth=(self.client_id, SECRET)).raise_for_status()
        tokens: dict[str, str] = response.json()
        return tokens

    async def sign_in(self, tab: Page, **changes: str) -> dict[str, str]:
        """Sign in and return the tokens, with the session state beside them."""
        answer = await self.authorize(tab, **changes)
        return {**self.redeem(answer), "session_state": answer["session_state"]}

    async def sign_out(self, tab: Page, id_token: str) -> dict[str, str]:
        """Send the browser to the end_session_endpoint and return what it brings back, in the end."""
        parameters = {
            "id_token_hint": id_token,
            "post_logout_redirect_uri": self.site.url("/post_logout_redirect"),
            "state": "a state",
        }
        await tab.goto(f"{self.document()['end_session_endpoint']}?{urlencode(parameters)}")
        await tab.wait_for_url(self.site.url("/post_logout_redirect?*"))
        return dict(parse_qsl(urlsplit(tab.url).query))

    def keys(self) -> Any:
        with self._http() as http:
            return json.loads(http.get("/oauth2/jwks").raise_for_status().text)

    def _http(self) -> httpx.Client:
        return httpx.Client(base_url=self.server.issuer, verify=self.server.verify, timeout=120)


@contextmanager
def logging_out(folder: Path) -> Iterator[LoggingOut]:
    """Run both until the block is left."""
    certificate = new_certificate(folder, "relying-party")
    with (
        relying_site(certificate) as site,
        running_server(folder, settings(site), certificate=new_certificate(folder), trusts=certificate) as server,
    ):
        yield LoggingOut(server=server, site=site, client_id="client")


def settings(site: RelyingSite) -> str:
    """Return the settings of a server that knows the site as three clients."""
    channels = {
        "client": "",
        "backchannel": f'backchannel_logout_uri = "{site.url("/backchannel_logout")}"\n'
        "backchannel_logout_session_required = true",
        "frontchannel": f'frontchannel_logout_uri = "{site.url("/frontchannel_logout")}"\n'
        "frontchannel_logout_session_required = true",
    }
    clients = [
        CLIENT.format(client_id=client_id, secret=SECRET, origin=site.origin, more=more)
        for client_id, more in channels.items()
    ]
    return SETTINGS.format(login=LOGIN, password=PASSWORD) + "".join(clients)
