"""Where clients that register themselves may send users (RFC 7591 §5)."""

from __future__ import annotations

import pytest

from registering import REDIRECT, Registrar, new_registrar
from world import ANY_STORE, World

pytestmark = ANY_STORE


@pytest.fixture
def registrar(world: World) -> Registrar:
    return new_registrar(world)


@pytest.mark.spec("RFC 7591", "5")
@pytest.mark.parametrize("redirect_uris", [None, []])
async def test_a_client_with_users_registers_where_to_send_them_back(
    registrar: Registrar, redirect_uris: list[str] | None
) -> None:
    status, error, _ = await registrar.error(redirect_uris=redirect_uris)

    assert (status, error) == (400, "invalid_redirect_uri")


@pytest.mark.spec("RFC 7591", "3.2.2")
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/cb#fragment",
        "https://app.example/cb#",
        "http://app.example/cb",
        "https://*.app.example/cb",
        "https://user@app.example/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "app:/cb",
        "/cb",
        "https://app.example/a b",
        "https://[::1/cb",
    ],
)
async def test_a_redirect_uri_that_is_none_is_refused(registrar: Registrar, uri: str) -> None:
    status, error, description = await registrar.error(redirect_uris=[REDIRECT, uri])

    assert (status, error) == (400, "invalid_redirect_uri")
    assert description.startswith("redirect_uris")


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("https://app.example/cb", True),
        ("https://APP.example:8443/cb", True),
        ("https://a.partner.example/cb", True),
        ("https://a.b.Partner.example/cb", True),
        ("https://partner.example/cb", False),
        ("https://evilpartner.example/cb", False),
        ("https://a.app.example/cb", False),
        ("https://app.example.evil.example/cb", False),
        ("com.example.app:/cb", True),
        ("http://127.0.0.1/cb", True),
    ],
)
async def test_redirect_uris_are_of_the_hosts_that_are_allowed(registrar: Registrar, uri: str, allowed: bool) -> None:
    answer = await registrar.allowing(redirect_hosts=("App.example", "*.partner.example")).register(redirect_uris=[uri])

    assert (answer.status, answer.error) == ((201, "") if allowed else (400, "invalid_redirect_uri"))


async def test_users_are_not_sent_elsewhere_after_signing_out_either(registrar: Registrar) -> None:
    strict = registrar.allowing(redirect_hosts=("app.example",))

    allowed = await strict.registered(post_logout_redirect_uris=["https://app.example/bye"])
    refused = await strict.refused(post_logout_redirect_uris=["https://evil.example/bye"])

    assert allowed["post_logout_redirect_uris"] == ["https://app.example/bye"]
    assert refused.startswith("post_logout_redirect_uris")


@pytest.mark.parametrize(
    ("setting", "uri"), [("loopback", "http://127.0.0.1/cb"), ("app_schemes", "com.example.app:/cb")]
)
async def test_redirect_uris_of_devices_can_be_ruled_out(registrar: Registrar, setting: str, uri: str) -> None:
    assert (await registrar.register(redirect_uris=[uri])).status == 201
    assert (await registrar.allowing(**{setting: False}).error(redirect_uris=[uri]))[1] == "invalid_redirect_uri"
