"""The table of paths."""

import pytest

from everbearer.http.routes import dispatch
from everbearer.oauth.messages import Endpoint, Request, Response, json_response


async def here(request: Request) -> Response:
    return json_response({"here": request.method})


@pytest.fixture
def endpoint() -> Endpoint:
    return dispatch({"/here": {"GET": here}, "/form": {"POST": here}})


async def test_a_path_that_is_not_in_the_table_is_404(endpoint: Endpoint) -> None:
    response = await endpoint(Request(method="GET", path="/there"))

    assert response.status == 404


@pytest.mark.spec("RFC 9110", "15.5.6")
async def test_a_method_that_a_path_does_not_have_is_405_with_those_it_has(endpoint: Endpoint) -> None:
    response = await endpoint(Request(method="GET", path="/form"))

    assert response.status == 405
    assert ("Allow", "POST, OPTIONS") in response.headers
    assert b'"invalid_request"' in response.body


@pytest.mark.spec("RFC 9110", "9.3.2")
async def test_head_is_get_without_the_body(endpoint: Endpoint) -> None:
    response = await endpoint(Request(method="HEAD", path="/here"))

    assert (response.status, response.body) == (200, b"")


@pytest.mark.spec("RFC 9110", "9.3.7")
async def test_options_tells_the_methods(endpoint: Endpoint) -> None:
    response = await endpoint(Request(method="OPTIONS", path="/here"))

    assert response.status == 200
    assert ("Allow", "GET, HEAD, OPTIONS") in response.headers
