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


@pytest.mark.spec(
    "RFC 8414", "2", 'The issuer is "a URL that uses the "https" scheme and has no query or fragment components"'
)
@pytest.mark.parametrize(
    "issuer",
    [
        *("", None, "id.example.com", "ftp://id.example.com", "https://id.example.com?a=b"),
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
            {"store": {}},
            "store: a dict is no ClientStore, for it has no client, allows_origin; store: a dict is no Gra",
        ),
        ({"devices": {}}, "devices: a dict is no DeviceStore, for it has no create_device_authorization"),
        ({"sealer": SECRET}, r"sealer must be a Sealer: write Sealer\(\[secret\]\)"),
        ({"keys": KEYS}, "keys must be a function .* write keys=lambda: keys"),
        ({"grants": ["authorization_code"]}, "grants must map .* write grants=GRANTS"),
        ({"grants": {"authorization_code": "code"}}, "grants must map"),
        ({"scopes": ["read"]}, "scopes must map each scope value to words"),
        ({"scopes": {"read notes": "Read notes"}}, "scopes: 'read notes' is no scope value"),
        ({"scopes": {1: "Read notes"}}, "scopes: 1 is no scope value"),
        ({"resources": ["https://a.example"]}, "resources must map"),
        ({"resources": {"https://a.example": "A"}}, "resources: at 'https://a.example' is not the Resource of that"),
        ({"resources": {"a": Resource(resource="https://a.example")}}, "resources: at 'a' is not the Resource"),
    ],
)
def test_what_makes_no_sense_is_told(different: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        made(**different)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"issuer must be .*; keys must be"):
        made(issuer="", keys=KEYS)


def test_no_secret_stands_in_what_is_told() -> None:
    with pytest.raises(ValueError, match="sealer") as told:
        made(sealer=SECRET)

    assert SECRET.decode() not in str(told.value)


def test_what_is_declared_is_taken() -> None:
    resource = Resource(resource="https://a.example")

    assert made(resources={"https://a.example": resource}).resources == {"https://a.example": resource}
