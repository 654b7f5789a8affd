"""A page that uses the unmodified `@authgear/web`, in a tab of a real Chromium, and somebody who uses the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.async_api import BrowserContext, Page

from clients.page_server import Origins
from clients.person import LOGIN, PASSWORD
from server_process import ServerProcess

CLIENT_ID = "spa"
STORED_TOKEN = "authgear_default_refreshToken"
ACCESS_TOKEN_LIFETIME = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthgearPage:
    """One tab."""

    tab: Page
    server: ServerProcess
    origin: str

    async def load(self, path: str = "/", *, session_type: str = "refresh_token") -> str:
        """Load the page, configure the SDK as its documentation says, and return the session's state."""
        await self.tab.goto(self.origin + path)
        return await self.configure(session_type=session_type)

    async def configure(self, *, session_type: str = "refresh_token") -> str:
        """Configure the SDK and return the session's state."""
        options = {"endpoint": self.server.issuer, "clientID": CLIENT_ID, "sessionType": session_type}
        state: str = await self.tab.evaluate(
            "async (options) => { await client.configure(options); return client.sessionState }", options
        )
        return state

    async def start(self, **options: object) -> None:
        """Let the SDK lead the tab to the authorization endpoint, and stay where that leads."""
        await self._start(options)
        await self.tab.wait_for_url(f"{self.server.issuer}/**")

    async def lead_back(self, **options: object) -> None:
        """Let the SDK lead the tab to the authorization endpoint, which leads it back at once."""
        await self._start(options)
        await self.tab.wait_for_url(f"{self.origin}/callback?*code=*")

    async def _start(self, options: dict[str, object]) -> None:
        request = {"redirectURI": f"{self.origin}/callback", "state": "what the app was doing", **options}
        # Not awaited within the page, which is left by it.
        await self.tab.evaluate("(request) => { client.startAuthentication(request) }", request)

    async def fill_in(self, *, password: str = PASSWORD) -> None:
        """Fill in the sign-in page."""
        await self.tab.fill("#login", LOGIN)
        await self.tab.fill("#password", password)
        await self.tab.click("#submit")

    async def finish(self) -> dict[str, Any]:
        """Let the SDK finish, once the tab has come back, and return its result."""
        await self.tab.wait_for_url(f"{self.origin}/**")
        await self.configure()
        result: dict[str, Any] = await self.tab.evaluate("() => client.finishAuthentication()")
        return result

    async def sign_in(self) -> dict[str, Any]:
        """Sign in from the beginning to the end."""
        await self.load()
        await self.start()
        await self.fill_in()
        return await self.finish()

    async def state(self) -> str:
        """Return the session's state as the SDK has it."""
        state: str = await self.tab.evaluate("() => client.sessionState")
        return state

    async def access_token(self) -> str | None:
        """Return the access token that the SDK has, refreshed if need be."""
        token: str | None = await self.tab.evaluate(
            "async () => { await client.refreshAccessTokenIfNeeded(); return client.accessToken }"
        )
        return token

    async def refresh_token(self) -> str | None:
        """Return the refresh token that the SDK keeps for all tabs."""
        token: str | None = await self.tab.evaluate("(key) => localStorage.getItem(key)", STORED_TOKEN)
        return token

    async def let_the_access_token_expire(self) -> None:
        """Put the tab's clock forward, as a sleep of the computer would."""
        await self.tab.clock.fast_forward(ACCESS_TOKEN_LIFETIME * 1000)


async def new_page(context: BrowserContext, server: ServerProcess, origins: Origins) -> AuthgearPage:
    """Return a new tab, with a clock that can be put forward."""
    tab = await context.new_page()
    await tab.clock.install()
    return AuthgearPage(tab=tab, server=server, origin=origins.page)
