"""Whatever a client sends, the server answers, and never with a 5xx."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from everbearer.http.asgi import Application, asgi_application
from everbearer.http.protocol_routes import client_routes, public_routes, registration_routes
from everbearer.server.config.registration import RegistrationSection
from everbearer.server.pages.app_session import APP_SESSION_TOKEN
from everbearer.server.pages.playground import playground_routes
from everbearer.server.pages.routes import page_routes
from everbearer.server.tables import site_of
from server.app_world import REDIRECT, Browser, new_endpoint
from world import VERIFIER, s256

NAMES = [
    *["grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "refresh_token", "code"],
    *["code_verifier", "redirect_uri", "scope", "token", "token_type_hint", "access_token", "resource", "audience"],
    *["response_type", "response_mode", "state", "nonce", "code_challenge", "code_challenge_method", "prompt"],
    *["max_age", "login_hint", "id_token_hint", "ui_locales", "acr_values", "claims", "request", "request_uri"],
    *["registration", "display", "flow", "login", "password", "decision", "form_token", "post_logout_redirect_uri"],
    *["logout_hint", "do", "refresh_tokens", "session", "grant", "client", "new_password", "current_password", "x"],
    *["device_code", "user_code", "subject_token", "subject_token_type", "actor_token", "actor_token_type"],
    *["requested_token_type", "assertion", "username"],
]

GOOD = [
    *["urn:ietf:params:oauth:grant-type:device_code", "BCDF-GHJK", "orders", "the-secret-of-orders-0123456789abc"],
    *["urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:token-type:access_token"],
    *["urn:ietf:params:oauth:grant-type:jwt-bearer", "password"],
    *["authorization_code", "refresh_token", "client_credentials", "demo-spa", "partner", REDIRECT, VERIFIER],
    *[
        "openid offline_access",
        "code",
        "none",
        "login",
        "consent",
        "S256",
        s256(VERIFIER),
        "form_post",
        "fragment",
        "0",
    ],
    *[
        "allow",
        "sign-in",
        "cancel",
        "https://id.example/settings",
        "https://authgear.com/login_hint?type=app_session_token",
    ],
]

values = st.one_of(
    st.sampled_from(GOOD).map(str.encode),
    st.binary(max_size=60),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"erb_", b"erc_", b"erd_", b"era_", b"eas_", b"ers_", b"eyJ"]).flatmap(
        lambda prefix: st.binary(max_size=80).map(lambda rest: prefix + b64encode(rest, b"-_"))
    ),
    st.integers(min_value=0, max_value=30000).map(lambda size: b"a" * size),
)
forms = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=12).map(
    lambda pairs: "&".join(f"{name}={quote_from_bytes(value)}" for name, value in pairs).encode()
)
bodies = st.one_of(
    forms, st.binary(max_size=200), st.sampled_from([b"{", b"[]", b'{"a":{}}', b"[" * 9000, b"%", b"=&=", b"&" * 300])
)
header_values = st.binary(max_size=60).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
authorizations = st.one_of(
    header_values,
    header_values.map(lambda raw: b"Bearer " + raw),
    st.binary(max_size=60).map(lambda raw: b"Basic " + b64encode(raw)),
    header_values.map(lambda raw: b"Basic " + raw),
)
content_types = st.sampled_from(
    [b"application/x-www-form-urlencoded", b"application/json", b"text/plain; charset=x", b""]
)
methods = st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "\u017f"])


async def ask(application: Application, request: dict[str, Any], body: bytes) -> int:
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await application(request, receive, send)
    return statuses[0]


@pytest.fixture(scope="module")
def server() -> tuple[Application, list[str], bytes]:
    async def prepare() -> tuple[Application, list[str], bytes]:
        endpoint, parts = await new_endpoint(development=True, registration=RegistrationSection(mode="open"))
        site = site_of(parts)
        tables = [page_routes(site), playground_routes(site), client_routes(site.server), public_routes(site.server)]
        tables.append(registration_routes(site.server))
        paths = sorted({path for table in tables for path in table} | {APP_SESSION_TOKEN, "/healthz", "/readyz", "/x"})
        browser = Browser(endpoint)
        await browser.sign_in()
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        return asgi_application(endpoint), paths, cookies.encode()

    return asyncio.run(prepare())


@settings(max_examples=600, deadline=None, derandomize=True)
@given(data=st.data())
def test_nothing_a_client_sends_makes_a_500(server: tuple[Application, list[str], bytes], data: st.DataObject) -> None:
    application, paths, cookies = server
    headers = [(b"content-type", data.draw(content_types)), (b"host", b"id.example")]
    if data.draw(st.booleans()):
        headers.append((b"authorization", data.draw(authorizations)))
    if data.draw(st.booleans()):
        headers.append((b"cookie", data.draw(st.one_of(st.just(cookies), header_values))))
    if data.draw(st.booleans()):
        headers.append((b"origin", data.draw(header_values)))
    request = {
        "type": "http",
        "method": data.draw(methods),
        "path": data.draw(st.sampled_from(paths)),
        "query_string": data.draw(st.one_of(forms, header_values)),
        "headers": headers,
        "client": ("192.0.2.1", 1),
    }

    status = asyncio.run(ask(application, request, data.draw(bodies)))

    assert status < 500
