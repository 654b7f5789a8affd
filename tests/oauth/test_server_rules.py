"""An authorization server that is put together wrongly says so when it is made, and what to change."""

from __future__ import annotations

from typing import Any

import pytest

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.crypto.keys import generate_signing_key, key_set
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.grants import GRANTS
from everbearer.oauth.resource import Resource
from everbearer.storage.memory import MemoryStore

KEYS = key_set(generate_signing_key("ES256"))
SECRET = b"32 bytes that are random elsewhere"


def made(**different: Any) -> AuthorizationServer:
    whole: dict[str, Any] = {
        "issuer": "https://id.example.com",
        "store": MemoryStore(),
        "sealer": Sealer([SECRET]),
        "keys": lambda: KEYS,
        "grants": GRANTS,
    }
    return AuthorizationServer(**(whole | different))


def resource(**different: Any) -> dict[str, Resource]:
    return {"https://a.example": Resource(resource="https://a.example", **different)}


@pytest.mark.spec(
    "RFC 8414", "2", 'The issuer is "a URL that uses the "https" scheme and has no query or fragment components"'
)
@pytest.mark.parametrize(
    "issuer",
    [
        *("", "id.example.com", "ftp://id.example.com", "https://id.example.com?a=b"),
        *("https://id.example.com#a", "https://ada:secret@id.example.com", "https://id.example.com?"),
    ],
)
def test_an_issuer_is_an_absolute_url_without_more(issuer: object) -> None:
    with pytest.raises(ValueError, match=r"^issuer must be an absolute URL .*such as https://id\.example\.com"):
        made(issuer=issuer)


@pytest.mark.parametrize(
    "issuer", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000/auth", "http://testserver"]
)
def test_in_tests_http_will_do(issuer: str) -> None:
    assert made(issuer=issuer).issuer == issuer


def test_the_endpoints_may_stand_elsewhere() -> None:
    assert made(endpoints="https://id.example.com/auth").base == "https://id.example.com/auth"


@pytest.mark.parametrize(
    ("different", "problem"),
    [
        ({"issuer": "https://id.example.com/"}, "issuer: leave out the slash at its end, write 'https://id.example.c"),
        ({"endpoints": "https://id.example.com/auth/"}, "endpoints: leave out the slash at its end"),
        ({"endpoints": "/auth"}, "endpoints must be an absolute URL"),
        (
            {"verification_uri": "/device"},
            "verification_uri must be an absolute URL, such as https://example.com/device",
        ),
        ({"polling_interval": 0}, "polling_interval is 0: it must be at least 1 second"),
        ({"scopes": {"read notes": "Read notes"}}, "scopes: 'read notes' is no scope value"),
        ({"resources": {"a": Resource(resource="https://a.example")}}, "resources: at 'a' is not the Resource"),
        ({"resources": {"api": Resource(resource="api")}}, "resources: at 'api' resource must be an absolute URI"),
        ({"resources": resource(access_token_lifetime=0)}, "access_token_lifetime is 0: it must be at least 1 second"),
        ({"resources": resource(access_token_signing_alg="HS256")}, "access_token_signing_alg must be one of ES256"),
        (
            {"resources": resource(scopes_supported="read")},
            r"scopes_supported must be a tuple of str, not a str: write",
        ),
    ],
)
def test_what_makes_no_sense_is_told(different: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        made(**different)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"^issuer must be .*; endpoints must be .*; polling_interval is"):
        made(issuer="", endpoints="/auth", polling_interval=0)


def test_no_secret_stands_in_what_is_told() -> None:
    with pytest.raises(ValueError, match="sealer") as told:
        made(sealer=SECRET)

    assert SECRET.decode() not in str(told.value)


def test_what_is_declared_is_taken() -> None:
    resource = Resource(resource="https://a.example")

    assert made(resources={"https://a.example": resource}).resources == {"https://a.example": resource}
