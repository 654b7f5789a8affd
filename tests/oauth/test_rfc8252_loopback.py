"""RFC 8252 §7.3 and RFC 9700 §4.1.3: redirect URIs are compared as text, but for the port of a loopback address."""

from __future__ import annotations

import pytest

from everbearer.oauth.redirect_uris import registered
from world import ANY_STORE, World

LOOPBACK = ("http://127.0.0.1/cb", "http://[::1]:8080/cb")


@pytest.mark.spec("RFC 8252", "7.3")
@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/cb",
        "http://127.0.0.1:51004/cb",
        "http://[::1]/cb",
        "http://[::1]:1/cb",
        "http://[::1]:8080/cb",
    ],
)
def test_any_port_of_a_loopback_address_is_taken(uri: str) -> None:
    assert registered(uri, LOOPBACK)


@pytest.mark.spec("RFC 8252", "7.3", "8.3")
@pytest.mark.spec("RFC 9700", "4.1.3")
@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/cb?x=1",
        "http://127.0.0.1:51004/cb#f",
        "http://127.0.0.1:51004/CB",
        "https://127.0.0.1:51004/cb",
        "http://127.0.0.2:51004/cb",
        "http://localhost:51004/cb",
        "http://user@127.0.0.1:51004/cb",
        "http://127.0.0.1:51004@evil.example/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:x/cb",
        "http://127.0.0.1:\uff18/cb",
        "http://[::1/cb",
        "http://127.0.0.1:80/c\r\nb",
        "http://127.0.0.1:80/c\tb",
        " http://127.0.0.1:80/cb",
        "http://127.0.0.1\\:80/cb",
        "http://127.1:80/cb",
        "",
    ],
)
def test_nothing_else_is_taken_for_it(uri: str) -> None:
    assert not registered(uri, LOOPBACK)


@pytest.mark.spec("RFC 9700", "4.1.3")
@pytest.mark.parametrize("uri", ["https://app.example:444/cb", "http://localhost:9/cb", "https://app.example/cb2"])
def test_any_other_uri_must_be_the_same_text(uri: str) -> None:
    known = ("https://app.example/cb", "http://localhost/cb")

    assert not registered(uri, known)
    assert registered(uri, (*known, uri))


@pytest.mark.spec("RFC 8252", "7.3")
@ANY_STORE
async def test_a_native_app_signs_in_on_a_port_of_the_moment(world: World) -> None:
    uri = "http://127.0.0.1:51004/cb"

    answer = await world.authorization_response("native", redirect_uri=uri)

    assert answer.headers["location"].startswith(uri + "?code=")
    assert (await world.redeem(answer.members["code"], client="native", redirect_uri=uri)).status == 200


@pytest.mark.spec("RFC 8252", "7.3")
@ANY_STORE
async def test_the_code_is_bound_to_the_port_it_was_asked_from(world: World) -> None:
    code = await world.authorize("native", redirect_uri="http://127.0.0.1:51004/cb")

    answer = await world.redeem(code, client="native", redirect_uri="http://127.0.0.1:51005/cb")

    assert answer.error == "invalid_grant"
