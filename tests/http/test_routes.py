"""The table of paths."""

import pytest

from everbearer.http.routes import dispatch
from everbearer.oauth.error_response import answer
from everbearer.oauth.errors import StoreUnavailable
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


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_log_says_why_the_store_cannot_answer_and_the_answer_does_not(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def down(request: Request) -> Response:
        return await answer(asked(request))

    async def asked(request: Request) -> Response:
        raise StoreUnavailable(f"no such table, at a {request.method}")

    response = await dispatch({"/here": {"GET": down}})(Request(method=method, path="/here"))

    assert caplog.messages == ["the store cannot answer: no such table, at a GET"]
    assert response.status == 503
    assert b"table" not in response.body
    assert "table" not in str(response.headers)


async def test_a_store_that_does_not_say_why_it_cannot_answer_is_told_of_as_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def down(_: Request) -> Response:
        return await answer(asked())

    async def asked() -> Response:
        raise StoreUnavailable

    response = await dispatch({"/here": {"GET": down}})(Request(method="GET", path="/here"))

    assert response.with_headers(("A", "b")).trouble == response.trouble
    assert caplog.messages == ["the store cannot answer: it does not say why"]


@pytest.mark.spec("RFC 9110", "9.3.2")
async def test_head_is_get_without_the_body(endpoint: Endpoint) -> None:
    response = await endpoint(Request(method="HEAD", path="/here"))

    assert (response.status, response.body) == (200, b"")


@pytest.mark.spec("RFC 9110", "9.3.7")
async def test_options_tells_the_methods(endpoint: Endpoint) -> None:
    response = await endpoint(Request(method="OPTIONS", path="/here"))

    assert response.status == 200
    assert ("Allow", "GET, HEAD, OPTIONS") in response.headers
