from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page

from chromium import ENOUGH
from chromium import chromium as chromium
from chromium import playwright as playwright
from chromium import profile as profile
from plans.logging_out import LoggingOut, logging_out
from plans.relying_party import RelyingParty, new_relying_party


@pytest.fixture(params=[None, "form_post"], ids=["basic", "form_post"])
async def rp(request: pytest.FixtureRequest) -> RelyingParty:
    """Return a relying party of the Basic plan, then of the Form Post plan: the same modules, answered by forms."""
    return await new_relying_party(request.param)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoggingOut]:
    with logging_out(tmp_path_factory.mktemp("logging-out")) as running:
        yield running


@pytest.fixture
def op(running: LoggingOut) -> LoggingOut:
    """Return the server, and a relying party to which nobody has come yet."""
    for noted in (running.site.visits, running.site.pages, running.site.statuses):
        noted.clear()
    return running


@pytest_asyncio.fixture(loop_scope="session")
async def private_context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """Return a browser as in private browsing, which keeps cookies from frames of other sites."""
    context = await chromium.new_context(ignore_https_errors=True)
    context.set_default_timeout(ENOUGH)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def plain_context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """Return a browser that runs no scripts."""
    context = await chromium.new_context(ignore_https_errors=True, java_script_enabled=False)
    context.set_default_timeout(ENOUGH)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def tab(profile: BrowserContext) -> Page:
    return await profile.new_page()
