"""A page that uses the unmodified `oidc-client-ts`, in a tab of a real Chromium, and somebody who uses the page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from playwright.async_api import BrowserContext, Page

from clients.page_server import SPA
from clients.person import LOGIN, PASSWORD
from server_process import ServerProcess

EXPIRING_AFTER = 1800 - 60
"""Seconds after which the library renews an access token, by its own defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaPage:
    """One tab."""

    tab: Page
    server: ServerProcess
    origin: str

    async def load(self) -> None:
        """Load the page, which makes the library ready."""
        await self.tab.goto(self.origin + SPA)

    async def sign_in(self) -> dict[str, Any]:
        """Sign in by redirect, from the beginning to the end, and return the claims of the ID token."""
        await self.load()
        await self.begin("signinRedirect")
        await self.tab.wait_for_url(f"{self.server.issuer}/**")
        await fill_in(self.tab)
        await self.tab.wait_for_url(f"{self.origin}{SPA}callback?*")
        profile: dict[str, Any] = await self.tab.evaluate("async () => (await arrived).profile")
        return profile

    async def sign_out(self) -> None:
        """Sign out by redirect, from the beginning to the end."""
        await self.begin("signoutRedirect")
        await self.tab.wait_for_url(f"{self.origin}{SPA}bye*")
        await self.tab.evaluate("() => arrived")

    async def begin(self, verb: str) -> None:
        """Let the library begin something by its name, and do not wait for the end: the page may be left by it."""
        await self.tab.evaluate("(verb) => { window.begun = manager[verb]() }", verb)

    async def error_of(self, verb: str) -> str | None:
        """Let the library do something by its name, and return the error that it ended in."""
        error: str | None = await self.tab.evaluate(
            "(verb) => manager[verb]().then(() => null, (error) => error.error ?? error.message)", verb
        )
        return error

    async def user(self) -> dict[str, Any] | None:
        """Return what the library keeps of the user, for all tabs."""
        user: dict[str, Any] | None = await self.tab.evaluate("() => manager.getUser()")
        return user

    async def token(self, kind: str = "refresh_token") -> str:
        """Return a token that the library keeps of a user who is signed in."""
        user = await self.user()
        assert user is not None
        token: str = user[kind]
        return token

    async def let_the_access_token_get_old(self) -> None:
        """Put the tab's clock forward until the library renews, and wait until it has."""
        before = await self.tab.evaluate("() => renewed.length + failed.length")
        await self.tab.clock.fast_forward(EXPIRING_AFTER * 1000)
        await self.tab.wait_for_function("(before) => renewed.length + failed.length > before", arg=before)

    async def failures(self) -> list[str]:
        """Return the errors of all renewals in this tab since it was loaded."""
        failures: list[str] = await self.tab.evaluate("() => failed")
        return failures


async def fill_in(tab: Page) -> None:
    """Fill in the sign-in page."""
    await tab.fill("#login", LOGIN)
    await tab.fill("#password", PASSWORD)
    await tab.click("#submit")


async def configure(context: BrowserContext, **settings: str | bool) -> None:
    """Tell every page of a browser what the library is to be told."""
    await context.add_init_script(f"window.settings = {{ ...window.settings, ...{json.dumps(settings)} }}")


async def new_spa_page(context: BrowserContext, server: ServerProcess, origin: str) -> SpaPage:
    """Return a new tab, with a clock that can be put forward."""
    tab = await context.new_page()
    await tab.clock.install()
    return SpaPage(tab=tab, server=server, origin=origin)
