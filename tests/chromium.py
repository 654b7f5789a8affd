"""A real Chromium, driven through Playwright: fixtures for the tests that need what only a browser does."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright

ENOUGH = 120_000
"""Milliseconds after which something is stuck."""
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as playwright:
        yield playwright


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(playwright: Playwright) -> AsyncIterator[Browser]:
    browser = await playwright.chromium.launch(executable_path=executable(), args=list(CHROMIUM_ARGUMENTS))
    yield browser
    await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """Return a browser as in private browsing: it keeps cookies from frames of other sites."""
    context = await chromium.new_context()
    context.set_default_timeout(ENOUGH)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def profile(playwright: Playwright, tmp_path: Path) -> AsyncIterator[BrowserContext]:
    """Return a browser that gives cookies to frames of other sites, and trusts any certificate."""
    preferences = tmp_path / "profile" / "Default" / "Preferences"
    preferences.parent.mkdir(parents=True)
    preferences.write_text('{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}')
    context = await playwright.chromium.launch_persistent_context(
        tmp_path / "profile", executable_path=executable(), args=list(CHROMIUM_ARGUMENTS), ignore_https_errors=True
    )
    context.set_default_timeout(ENOUGH)
    yield context
    await context.close()


def executable() -> str:
    """Return where Chromium is."""
    path = shutil.which("chromium")
    assert path is not None, "chromium is not installed; `make test` says what these tests need"
    return path
