"""The whole server: what answers where."""

import pytest

from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.messages import Request
from everbearer.server.health import health_routes
from everbearer.storage.memory import MemoryStore
from server.app_world import Browser, location, members, new_endpoint


@pytest.mark.spec("RFC 8414", "3.1")
@pytest.mark.parametrize(
    "path",
    [
        "/tenant/.well-known/openid-configuration",
        "/tenant/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration/tenant",
        "/.well-known/oauth-authorization-server/tenant",
    ],
)
async def test_an_issuer_with_a_path_is_found_in_every_form_clients_try(path: str) -> None:
    endpoint, _ = await new_endpoint(issuer="https://id.example/tenant")

    response = await Browser(endpoint).send("GET", path)

    assert response.status == 200
    assert members(response)["issuer"] == "https://id.example/tenant"
    assert members(response)["token_endpoint"] == "https://id.example/tenant/oauth2/token"


async def test_an_issuer_with_a_path_serves_its_pages_below_it() -> None:
    endpoint, _ = await new_endpoint(issuer="https://id.example/tenant")

    page = await Browser(endpoint).sign_in("/tenant/settings")

    assert page.status == 200
    assert b"ada@example.com" in page.body


async def test_the_metadata_names_only_what_answers() -> None:
    endpoint, _ = await new_endpoint()
    document = members(await Browser(endpoint).send("GET", "/.well-known/openid-configuration"))

    statuses = {
        name: (await Browser(endpoint).send("GET", uri)).status
        for name, uri in document.items()
        if name.endswith(("_endpoint", "_uri"))
    }

    assert 404 not in statuses.values()


async def test_browsers_get_a_page_and_clients_get_json_where_nothing_is() -> None:
    endpoint, _ = await new_endpoint()

    page = await Browser(endpoint).send("GET", "/nowhere", headers={"accept": "text/html,*/*"})
    json = await Browser(endpoint).send("GET", "/nowhere", headers={"accept": "application/json"})

    assert (page.status, json.status) == (404, 404)
    assert page.body.startswith(b"<!doctype html>")
    assert members(json)["error"] == "not_found"


async def test_the_front_leads_to_the_account() -> None:
    endpoint, _ = await new_endpoint()

    assert location(await Browser(endpoint).send("GET", "/")) == "/settings"


async def test_health_is_of_the_process_and_readiness_of_the_store() -> None:
    endpoint, _ = await new_endpoint()

    assert (await Browser(endpoint).send("GET", "/healthz")).status == 200
    assert (await Browser(endpoint).send("GET", "/readyz")).status == 200


async def test_a_store_in_trouble_is_not_ready_and_the_process_lives() -> None:
    class InTrouble(MemoryStore):
        async def ping(self) -> None:
            raise StoreUnavailable("down")

    routes = health_routes(InTrouble())

    healthy = await routes["/healthz"]["GET"](Request(method="GET", path="/healthz"))
    ready = await routes["/readyz"]["GET"](Request(method="GET", path="/readyz"))

    assert (healthy.status, ready.status) == (200, 503)
    assert dict(ready.headers)["Retry-After"]
