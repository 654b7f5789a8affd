"""What the tests of unmodified clients share: one server, one page of another origin, one browser."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from chromium import chromium as chromium
from chromium import context as context
from chromium import playwright as playwright
from clients.page_server import Origins, serving_the_page
from clients.person import Person
from clients.settings import settings
from server_process import ServerProcess, free_port, running_server


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
