"""Settings of a resource server that make no sense are refused when it is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import everbearer.resource_server
from everbearer.resource_server import Introspection, ResourceServer
from resource_server.issuer_world import API
from world import ISSUER


@pytest.mark.spec("RFC 8414", "2")
@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.example",
        "id.example",
        "",
        "https://id.example?a=b",
        "https://id.example#a",
        "https://",
        "https://a b",
    ],
)
def test_an_issuer_is_an_https_url(issuer: str) -> None:
    with pytest.raises(ValueError, match="the issuer must be an https URL"):
        ResourceServer(issuer=issuer, audience=API)


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:8000", "http://localhost:8000/a", "http://[::1]", ISSUER + "/"])
def test_on_this_very_machine_http_will_do(issuer: str) -> None:
    assert ResourceServer(issuer=issuer, audience=API).issuer == issuer


@pytest.mark.parametrize("audience", ["", (), ("",), (API, "")])
def test_an_audience_is_needed(audience: Any) -> None:
    with pytest.raises(ValueError, match="audience must be what this resource server is called"):
        ResourceServer(issuer=ISSUER, audience=audience)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"resource": "notes"}, "the resource must be an https URL"),
        ({"resource": "https://api.example?x=y"}, "the resource must be an https URL"),
        ({"algorithms": ("none",)}, "algorithms must be of ES256, RS256, PS256, EdDSA"),
        ({"algorithms": ("ES256", "HS256")}, "algorithms must be of"),
        ({"algorithms": ()}, "algorithms must be of"),
        ({"leeway": -1}, "leeway must be 0 to 300 seconds"),
        ({"leeway": 301}, "leeway must be 0 to 300 seconds"),
        ({"jwks_uri": "http://id.example/jwks"}, "http://id.example/jwks is not an https URL"),
        ({"introspection": Introspection(client_id="a", client_secret="b", endpoint="x")}, "x is not an https URL"),
        ({"jwks": "{}"}, "jwks is not a JWK Set"),
        ({"jwks": "keys.json"}, "jwks is not JSON"),
        ({"jwks_lifetime": -1}, "lifetimes are numbers of seconds from 0 on"),
        ({"jwks_stale_lifetime": -1}, "lifetimes are numbers of seconds from 0 on"),
        ({"scopes": "notes:read"}, r'scopes is a text, .* write scopes=\("...",\)'),
        ({"more_metadata": {"resource": "https://b.example"}}, "more_metadata has resource, which the other settings"),
    ],
)
def test_what_makes_no_sense_is_told(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ResourceServer(issuer=ISSUER, audience=API, **settings)


def test_a_copy_with_changes_is_a_resource_server_of_its_own() -> None:
    api = ResourceServer(issuer=ISSUER, audience=API)
    copy = replace(api, audience="other")

    assert copy.audiences == ("other",)
    assert copy._known is not api._known


def test_what_is_public_is_there() -> None:
    names = everbearer.resource_server.__all__

    assert [name for name in names if not hasattr(everbearer.resource_server, name)] == []
    assert sorted(names) == names
