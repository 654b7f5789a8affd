"""What the tests of unmodified clients share: one server, one page of another origin, one browser."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Generator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

from clients.page_server import Origins, serving_the_page
from clients.person import Person
from clients.settings import settings
from server_process import ServerProcess, free_port, running_server

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def origins() -> Iterator[Origins]:
    with serving_the_page() as page:
        yield Origins(page=page, express=f"http://localhost:{free_port()}")


@pytest.fixture(scope="session")
def server(origins: Origins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, settings(page=origins.page, express=origins.express)) as server:
        yield server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    server = getattr(item, "funcargs", {}).get("server")
    if report.when == "call" and report.failed and isinstance(server, ServerProcess):
        report.sections.append(("the server's log", server.told()))
    return report


@pytest.fixture
def person(server: ServerProcess) -> Iterator[Person]:
    with Person(server.issuer) as person:
        yield person


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "chromium is not installed; `make test` says what these tests need"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context()
    yield context
    await context.close()
