"""What a browser shows where its request could not be answered at all: a page of ours, and a program JSON as ever."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from everbearer.http.asgi import asgi_application
from everbearer.oauth.messages import Request, Response
from everbearer.server.observing.metrics import REQUESTS, Metrics
from everbearer.server.observing.requests import observing
from everbearer.server.tables import endpoint_of, tables_of
from server.app_world import new_endpoint

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES = ["/sign-in", "/settings/password", "/consent", "/oauth2/authorize", "/"]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def client(metrics: Metrics) -> AsyncIterator[httpx.AsyncClient]:
    _, parts = await new_endpoint()
    tables = tables_of(parts)
    endpoint = endpoint_of(tables, parts)

    async def failing(request: Request) -> Response:
        if "fail" in request.query:
            raise RuntimeError("out of order")
        return await endpoint(request)

    app = asgi_application(failing, max_body=1000, observe=observing(metrics, tables.routes, refused=tables.refused))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://id.example") as client:
        yield client


def is_page(response: httpx.Response) -> bool:
    protected = "frame-ancestors 'none'" in response.headers.get("content-security-policy", "")
    return protected and response.text.startswith("<!doctype html>") and "no-store" in response.headers["cache-control"]


@pytest.mark.parametrize("path", PAGES)
async def test_a_method_that_a_page_does_not_have_is_told_by_a_page(client: httpx.AsyncClient, path: str) -> None:
    response = await client.put(path, headers=BROWSER)

    assert (response.status_code, is_page(response)) == (405, True)
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize("path", PAGES)
async def test_more_than_is_read_is_told_by_a_page(client: httpx.AsyncClient, path: str) -> None:
    response = await client.post(path, headers=BROWSER, content=b"x" * 1001)

    assert (response.status_code, is_page(response)) == (413, True)
    assert "That is too long" in response.text


@pytest.mark.parametrize("path", PAGES)
async def test_what_failed_is_told_by_a_page(client: httpx.AsyncClient, metrics: Metrics, path: str) -> None:
    response = await client.get(f"{path}?fail", headers=BROWSER)

    assert (response.status_code, is_page(response)) == (500, True)
    assert "out of order" not in response.text
    assert [labels for labels, _ in metrics.snapshot()[REQUESTS.name]] == [(path, "GET", "500", "server_error")]


@pytest.mark.parametrize("path", PAGES)
async def test_a_program_is_told_in_json(client: httpx.AsyncClient, path: str) -> None:
    response = await client.put(path)

    assert (response.status_code, response.json()["error"]) == (405, "invalid_request")


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/userinfo", "/oauth2/jwks", "/healthz"])
async def test_what_is_for_programs_answers_browsers_in_json_too(client: httpx.AsyncClient, path: str) -> None:
    response = await client.put(path, headers=BROWSER)

    assert (response.status_code, response.json()["error"]) == (405, "invalid_request")


async def test_a_page_that_refuses_by_itself_stays_as_it_is(client: httpx.AsyncClient) -> None:
    response = await client.get("/oauth2/authorize", headers=BROWSER)

    assert (response.status_code, is_page(response)) == (400, True)
    assert "We cannot continue" in response.text
