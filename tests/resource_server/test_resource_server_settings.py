"""Settings of a resource server that make no sense are refused when it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest

import everbearer.resource_server
from everbearer.resource_server import Introspection, ResourceServer, StandardFetch
from resource_server.issuer_world import API
from world import ISSUER

ADAPTERS = ("asgi", "wsgi", "django", "fastapi", "flask", "litestar", "starlette")
untyped: Any = everbearer.resource_server
"""The module as those see it who have no type checker; so are the adapters."""
adapters: list[Any] = [import_module(f"everbearer.resource_server.{name}") for name in ADAPTERS]
asgi, wsgi, django, fastapi, flask, litestar, starlette = adapters
OURS = ResourceServer(issuer=ISSUER, audience=API)


async def an_async_function(wanted: object) -> object:
    return wanted


def a_wsgi_app(environ: object, start_response: object) -> list[bytes]:
    return [str((environ, start_response)).encode()]


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
        ({"scopes": "notes:read"}, r'scopes must be a tuple of str, not a str: write scopes=\("...",\)'),
        ({"more_metadata": {"resource": "https://b.example"}}, "more_metadata has resource, which the other settings"),
    ],
)
def test_what_makes_no_sense_is_told(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ResourceServer(issuer=ISSUER, audience=API, **settings)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"issuer": None}, "issuer must be a str, not None"),
        ({"audience": {"a"}}, "audience must be a str or a tuple of str, not a set: write audience="),
        ({"audience": None}, "audience must be a str or a tuple of str, not None"),
        ({"introspection": Introspection}, "introspection must be an Introspection or None, not the class Introspec"),
        ({"introspection": {"client_id": "a"}}, r"introspection must be .*, not a dict: write Introspection\("),
        ({"algorithms": "ES256"}, r'algorithms must be a tuple of str, not a str: write algorithms=\("...",\)'),
        ({"leeway": timedelta(seconds=30)}, "leeway must be an int, not a timedelta: write leeway=int"),
        ({"jwks": {"keys": []}}, "jwks must be a str, not a dict: write the JWK Set document"),
        ({"fetch": StandardFetch}, "fetch must be a function of 1 argument, not the class StandardFetch: write Stand"),
        ({"fetch": an_async_function}, "fetch must be a function of 1 argument, not an async one"),
        ({"fetch_async": StandardFetch()}, "fetch_async must be an async function of 1 argument or None, not one that"),
        ({"more_metadata": ["a"]}, "more_metadata must be a mapping of str to anything, not a list"),
    ],
)
def test_what_is_of_another_type_is_told(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ResourceServer(**({"issuer": ISSUER, "audience": API} | settings))


async def an_app(scope: Any, receive: Any, send: Any) -> None: ...


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: untyped.Introspection(client_id=7, client_secret="a"), "client_id must be a str, not an int"),
        (lambda: untyped.Introspection(client_id="a", client_assertion="b"), "write private_key_jwt"),
        (lambda: untyped.StandardFetch(tls=True), "tls must be a SSLContext or None, not a bool: write ssl"),
        (lambda: untyped.StandardFetch(patience=0), "patience is a number of seconds above 0"),
        (lambda: untyped.private_key_jwt("a", "-----BEGIN"), "key must be a SigningKey, not a str: write signing_key_"),
        (lambda: untyped.requirement(["read", "write"]), "scope must be a str, not a list: write each value"),
        (lambda: untyped.requirement(an_app), r"scope must be a str, not a function: write .* or require\(\)"),
        (lambda: untyped.requirement(max_age=timedelta(1)), "max_age must be an int or None, not a timedelta"),
        (lambda: asgi.protect(an_app, untyped.ResourceServer), "api must be .*, not the class ResourceServer: make a"),
        (lambda: asgi.protect(a_wsgi_app, OURS), "app must be an async function of 3 arguments, not one that is not"),
        (lambda: wsgi.protect(an_app, OURS), "app must be a function of 2 arguments, not an async one: write the app"),
        (lambda: wsgi.protect(a_wsgi_app, OURS, "read"), "required must be a Requirement, not a str: write requirem"),
        (lambda: django.Bearer(None), "api must be a ResourceServer, not None: make a ResourceServer"),
        (lambda: fastapi.Bearer(None), "api must be a ResourceServer, not None: make a ResourceServer"),
        (lambda: flask.Bearer(None), "api must be a ResourceServer, not None: make a ResourceServer"),
        (lambda: litestar.Bearer(None), "api must be a ResourceServer, not None: make a ResourceServer"),
        (lambda: starlette.Bearer(None), "api must be a ResourceServer, not None: make a ResourceServer"),
    ],
)
def test_so_is_what_protectors_and_requirements_are_made_of(make: Callable[[], object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        make()


def test_a_copy_with_changes_is_a_resource_server_of_its_own() -> None:
    api = ResourceServer(issuer=ISSUER, audience=API)
    copy = replace(api, audience="other")

    assert copy.audiences == ("other",)
    assert copy._known is not api._known


def test_what_is_public_is_there() -> None:
    names = everbearer.resource_server.__all__

    assert [name for name in names if not hasattr(everbearer.resource_server, name)] == []
    assert sorted(names) == names
