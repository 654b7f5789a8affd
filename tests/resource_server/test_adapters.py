"""What every adapter must do, in real frameworks, with tokens of a real issuer that is asked over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import httpx
import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from everbearer.resource_server import Fetch, Fetched, ResourceServer
from resource_server.applications import on_django, on_fastapi, on_flask, on_litestar, on_starlette, plain
from resource_server.issuer_world import API
from resource_server.running_issuer import RunningIssuer, running_issuer

Call: TypeAlias = Callable[..., Awaitable[httpx.Response]]
METADATA = "https://api.example/.well-known/oauth-protected-resource/v1"
WELL_KNOWN = "/.well-known/oauth-protected-resource/v1"


@pytest.fixture(scope="module")
def issuer() -> Iterator[RunningIssuer]:
    with running_issuer() as issuer:
        yield issuer


def by_asgi(app: Any) -> Call:
    async def call(method: str, url: str, headers: Sequence[tuple[str, str]] = ()) -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="https://api.example") as client:
            return await client.request(method, url, headers=list(headers))

    return call


def by_wsgi(app: Any) -> Call:
    async def call(method: str, url: str, headers: Sequence[tuple[str, str]] = ()) -> httpx.Response:
        # "any recipient MAY combine multiple field lines [...] separated by a comma" (RFC 9110 §5.3): WSGI servers do.
        joined = {name: ", ".join(value for other, value in headers if other == name) for name, _ in headers}
        with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="https://api.example") as client:
            return client.request(method, url, headers=joined)  # noqa: ASYNC212 - nothing else runs meanwhile

    return call


PLAIN: Mapping[str, Callable[[ResourceServer], Call]] = {
    "asgi": lambda api: by_asgi(plain.asgi_application(api)),
    "wsgi": lambda api: by_wsgi(plain.wsgi_application(api)),
}
FRAMEWORKS: Mapping[str, Callable[[ResourceServer], Call]] = {
    "starlette": lambda api: by_asgi(on_starlette.application(api)),
    "fastapi": lambda api: by_asgi(on_fastapi.application(api)),
    "flask": lambda api: by_wsgi(on_flask.application(api)),
    "litestar": lambda api: by_asgi(on_litestar.application(api)),
}
DJANGO = {
    "django": (by_wsgi, WSGIHandler, on_django.blocking_urls),
    "django async": (by_asgi, ASGIHandler, on_django.awaiting_urls),
}


@pytest.fixture(params=[*PLAIN, *FRAMEWORKS, *DJANGO])
def call(request: pytest.FixtureRequest, issuer: RunningIssuer) -> Iterator[Call]:
    """Give what calls the application of each framework in turn."""
    api = issuer.api(scopes=("read", "write", "admin"))
    if request.param in DJANGO:
        by, handler, urls = DJANGO[request.param]
        with override_settings(ROOT_URLCONF=on_django.urlconf(urls(api))):
            yield by(handler())
    else:
        yield {**PLAIN, **FRAMEWORKS}[request.param](api)


framework = pytest.mark.parametrize("call", [*FRAMEWORKS, *DJANGO], indirect=True)
"""For what the middlewares of applications without a framework have no part in."""


def bearer(token: str) -> list[tuple[str, str]]:
    return [("Authorization", f"Bearer {token}")]


async def test_a_good_token_is_let_through_and_known(call: Call, issuer: RunningIssuer) -> None:
    answer = await call("GET", "/read", bearer(issuer.token("read write")))

    assert answer.status_code == 200
    assert answer.json() == {"client": "machine", "subject": "machine", "scope": ["read", "write"]}


async def test_an_opaque_token_is_as_good(call: Call, issuer: RunningIssuer) -> None:
    answer = await call("GET", "/read", bearer(await issuer.opaque_token()))

    assert answer.json() == {"client": "opaque", "subject": "ada", "scope": ["openid", "read"]}


async def test_without_a_token_the_challenge_says_where_to_get_which(call: Call) -> None:
    answer = await call("GET", "/read")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == f'Bearer realm="api", scope="read", resource_metadata="{METADATA}"'
    assert answer.headers["cache-control"] == "no-store"


async def test_an_invalid_token_is_401(call: Call) -> None:
    answer = await call("GET", "/read", bearer("era_nothing"))

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="api", error="invalid_token", error_desc')


async def test_too_little_scope_is_403(call: Call, issuer: RunningIssuer) -> None:
    answer = await call("GET", "/admin", bearer(issuer.token()))

    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert 'scope="admin"' in answer.headers["www-authenticate"]


async def test_without_a_scope_any_valid_token_will_do(call: Call, issuer: RunningIssuer) -> None:
    assert (await call("GET", "/any", bearer(issuer.token("write")))).status_code == 200
    assert (await call("GET", "/any")).status_code == 401


async def test_a_more_recent_sign_in_can_be_asked_for(call: Call, issuer: RunningIssuer) -> None:
    refused = await call("GET", "/recent", bearer(issuer.token()))

    assert (await call("GET", "/recent", bearer(await issuer.opaque_token()))).status_code == 200
    assert refused.status_code == 401
    assert 'error="insufficient_user_authentication"' in refused.headers["www-authenticate"]
    assert 'max_age="60"' in refused.headers["www-authenticate"]


@pytest.mark.parametrize("headers", [[], [("Authorization", "Bearer x")]])
async def test_a_token_in_the_query_is_400(call: Call, issuer: RunningIssuer, headers: list[tuple[str, str]]) -> None:
    answer = await call("GET", f"/read?access_token={issuer.token()}", headers)

    assert answer.status_code == 400
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


async def test_two_authorization_headers_are_400(call: Call, issuer: RunningIssuer) -> None:
    answer = await call("GET", "/read", [*bearer(issuer.token()), ("Authorization", "Bearer x")])

    assert answer.status_code == 400
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("kind", [*PLAIN, *FRAMEWORKS])
async def test_an_issuer_that_cannot_be_asked_is_503(kind: str, issuer: RunningIssuer) -> None:
    def nowhere(wanted: Fetch) -> Fetched:
        raise OSError(wanted.url)

    call = {**PLAIN, **FRAMEWORKS}[kind](issuer.api(fetch=nowhere))
    answer = await call("GET", "/read", bearer(issuer.token()))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "www-authenticate" not in answer.headers
    assert issuer.url not in answer.text


async def test_the_metadata_is_served(call: Call, issuer: RunningIssuer) -> None:
    answer = await call("GET", WELL_KNOWN)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json() == {
        "resource": API,
        "authorization_servers": [issuer.url],
        "scopes_supported": ["read", "write", "admin"],
        "bearer_methods_supported": ["header"],
    }


async def test_the_head_of_the_metadata_is_that_of_the_metadata(call: Call) -> None:
    answer = await call("HEAD", WELL_KNOWN)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


async def test_scripts_may_ask_for_the_metadata_with_headers_of_their_own(call: Call) -> None:
    answer = await call("OPTIONS", WELL_KNOWN, [("Access-Control-Request-Method", "GET")])

    assert (answer.status_code, answer.headers["access-control-allow-headers"]) == (204, "*")


@framework
async def test_a_view_may_require_more_when_it_has_seen_its_data(call: Call, issuer: RunningIssuer) -> None:
    refused = await call("GET", "/data", bearer(issuer.token("read")))

    assert (await call("GET", "/data", bearer(issuer.token("read write")))).status_code == 200
    assert refused.status_code == 403
    assert 'scope="write"' in refused.headers["www-authenticate"]


@framework
async def test_what_is_posted_with_a_token_needs_no_other_protection(call: Call, issuer: RunningIssuer) -> None:
    assert (await call("POST", "/read", bearer(issuer.token()))).status_code == 200
