"""The guide for APIs: what it shows runs as it stands, against an issuer that is asked over HTTP."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings

from everbearer.oauth.crypto.keys import signing_key_to_jwk
from everbearer.resource_server import Introspection, ResourceServer
from resource_server.applications import on_django
from resource_server.issuer_world import API, CREDENTIALS
from resource_server.running_issuer import RunningIssuer, running_issuer
from resource_server.test_adapters import Call, bearer, by_asgi, by_wsgi
from world import SECRET, key_of

GUIDE = (Path(__file__).parents[2] / "docs/resource-server.md").read_text("utf-8")
FENCES = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
FIRST, OWN_FETCH, OWN_SERVER, OWN_KEY = (
    next(fence for fence in FENCES if sign in fence)
    for sign in ("os.environ", "httpx.AsyncClient", "eb.dispatch", "private_key_jwt")
)
MODULE = "guide"
APPLICATIONS: Mapping[str, Any] = {
    "fastapi": by_asgi,
    "starlette": by_asgi,
    "flask": by_wsgi,
    "django": by_wsgi,
    "litestar": by_asgi,
    "import asgi": by_asgi,
    "import requirement, wsgi": by_wsgi,
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[RunningIssuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture(autouse=True)
def guide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be a module for what is run: frameworks look annotations up where a function was defined."""
    monkeypatch.setitem(sys.modules, MODULE, ModuleType(MODULE))


def run(fence: str, issuer: RunningIssuer, **known: object) -> dict[str, Any]:
    """Run what the guide shows, with the names of our world in place of the guide's, and return what it defines."""
    names = {
        "https://id.example.com": issuer.url,
        "https://api.example.com/notes": API,
        "notes:read": "read",
        "notes:write": "write",
        "notes-api": CREDENTIALS["client_id"],
    }
    for name, ours in names.items():
        fence = fence.replace(name, ours)
    module = sys.modules[MODULE] = ModuleType(MODULE)
    vars(module).update(known)
    exec(compile(fence, "docs/resource-server.md", "exec"), vars(module))  # noqa: S102 - our own documentation
    return vars(module)


@pytest.fixture
def api(issuer: RunningIssuer, monkeypatch: pytest.MonkeyPatch) -> ResourceServer:
    monkeypatch.setenv("NOTES_API_SECRET", SECRET)
    made: ResourceServer = run(FIRST, issuer)["api"]
    return made


@pytest.fixture(params=APPLICATIONS)
def call(request: pytest.FixtureRequest, api: ResourceServer, issuer: RunningIssuer) -> Iterator[Call]:
    name: str = request.param
    sign = name if name.startswith("import") else f"from everbearer.resource_server.{name} import"
    made = run(next(fence for fence in FENCES if sign in fence), issuer, api=api)
    if name == "django":
        with override_settings(ROOT_URLCONF=on_django.urlconf(made["urlpatterns"])):
            yield by_wsgi(WSGIHandler())
    else:
        yield APPLICATIONS[name](made["app"])


async def test_the_application_of_the_guide_lets_a_good_token_through(call: Call, issuer: RunningIssuer) -> None:
    answer = await call("GET", "/notes", bearer(await issuer.opaque_token()))

    assert (answer.status_code, answer.json()) == (200, {"of": "ada"})


async def test_it_refuses_any_other(call: Call, issuer: RunningIssuer) -> None:
    assert (await call("GET", "/notes")).status_code == 401
    assert (await call("GET", "/notes", bearer(issuer.token("write")))).status_code == 403


async def test_it_has_metadata(call: Call, issuer: RunningIssuer) -> None:
    answer = await call("GET", "/.well-known/oauth-protected-resource/v1")

    assert answer.json()["authorization_servers"] == [issuer.url]


async def test_the_fetching_of_the_guide_gets_the_keys(issuer: RunningIssuer) -> None:
    made = run(OWN_FETCH, issuer)
    try:
        assert (await made["api"].validate_async(issuer.token())).client_id == "machine"
    finally:
        await made["client"].aclose()


async def test_the_fetching_in_one_program_gets_them_too(issuer: RunningIssuer) -> None:
    made = run(OWN_SERVER, issuer, server=issuer.world.server)

    assert (await made["api"].validate_async(issuer.token())).client_id == "machine"


def test_the_key_of_the_guide_makes_assertions(issuer: RunningIssuer) -> None:
    made = run(OWN_KEY, issuer, private_jwk=signing_key_to_jwk(key_of("ES256")))
    introspection: Introspection = made["introspection"]

    assert introspection.client_assertion is not None
    assert introspection.client_assertion(issuer.url).count(".") == 2
