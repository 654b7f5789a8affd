"""Cross-origin requests of scripts in browsers (Fetch §3.2), as well-known SDKs make them."""

import pytest

from everbearer.http import whole
from everbearer.http.cors import share
from everbearer.http.protocol_routes import client_routes
from everbearer.http.routes import dispatch
from everbearer.oauth.authorization.request import AuthorizationRequest
from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.messages import Endpoint, Request, Response
from world import World

SPA = "https://spa.example"
FOREIGN = "https://evil.example"


@pytest.fixture
def endpoint(world: World) -> Endpoint:
    async def sign_in(request: Request, asked: AuthorizationRequest) -> Response:
        return Response(body=f"{request.path} {asked.client.client_id}".encode())

    return whole.endpoint(world.server, sign_in)


async def ask(endpoint: Endpoint, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str]]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    response = await endpoint(Request(method=method, path=path, headers=names))
    return response.status, dict(response.headers)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/oauth2/jwks"])
async def test_metadata_and_keys_are_for_every_origin(endpoint: Endpoint, path: str) -> None:
    status, headers = await ask(endpoint, path, origin=FOREIGN)

    assert status == 200
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize(
    "path", ["/oauth2/token", "/access_token", "/oauth2/revoke", "/oauth2/userinfo", "/oauth2/userInfo"]
)
async def test_a_clients_origin_may_read_answers_with_credentials_errors_too(endpoint: Endpoint, path: str) -> None:
    method = "GET" if "user" in path else "POST"

    status, headers = await ask(endpoint, path, method, origin=SPA)

    assert status in (400, 401)
    assert headers["Access-Control-Allow-Origin"] == SPA
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Vary"] == "Origin"
    assert "WWW-Authenticate" in headers["Access-Control-Expose-Headers"]


async def test_an_origin_of_no_client_may_read_nothing(endpoint: Endpoint) -> None:
    _, headers = await ask(endpoint, "/oauth2/token", "POST", origin=FOREIGN)

    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Vary"] == "Origin"


async def test_a_request_that_is_not_of_a_script_is_answered_as_ever(endpoint: Endpoint) -> None:
    _, headers = await ask(endpoint, "/oauth2/token", "POST")

    assert "Access-Control-Allow-Origin" not in headers


async def test_a_preflight_allows_the_headers_it_asks_for(endpoint: Endpoint) -> None:
    status, headers = await ask(
        endpoint,
        "/oauth2/userinfo",
        "OPTIONS",
        origin=SPA,
        access_control_request_method="GET",
        access_control_request_headers="authorization",
    )

    assert status == 200
    assert headers["Access-Control-Allow-Origin"] == SPA
    assert headers["Access-Control-Allow-Headers"] == "authorization"
    assert "POST" in headers["Access-Control-Allow-Methods"]


async def test_a_preflight_of_a_foreign_origin_allows_nothing(endpoint: Endpoint) -> None:
    status, headers = await ask(
        endpoint, "/oauth2/token", "OPTIONS", origin=FOREIGN, access_control_request_method="POST"
    )

    assert status == 200
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.spec("RFC 9700", "2.6")
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
async def test_the_authorization_endpoint_is_not_for_scripts(endpoint: Endpoint, method: str) -> None:
    status, headers = await ask(endpoint, "/oauth2/authorize", method, origin=SPA, access_control_request_method="GET")

    assert status < 500
    assert not any(name.startswith("Access-Control") for name in headers)


async def test_while_the_store_is_in_trouble_no_origin_is_known(world: World) -> None:
    async def in_trouble(origin: str) -> bool:
        raise StoreUnavailable(f"down, cannot tell of {origin}")

    clients = client_routes(world.server)
    endpoint = share(
        dispatch(clients), with_everybody=frozenset(), with_clients=frozenset(clients), allows_origin=in_trouble
    )

    status, headers = await ask(endpoint, "/oauth2/token", "POST", origin=SPA)

    assert status == 400
    assert "Access-Control-Allow-Origin" not in headers
