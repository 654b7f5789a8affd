"""The guides: their Python runs, page by page and in order, and what they show of a store passes the suite."""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import httpx
import pytest
from django.test import RequestFactory, override_settings

from everbearer.testing import BlockingDeviceStoreTests, BlockingGrantStoreTests
from resource_server.applications import on_django

DOCS = Path(__file__).parents[2] / "docs"
GUIDES = ["embedding.md", "own-store.md"]


def blocks(page: str) -> list[CodeType]:
    """Return the Python of a page, with the lines where it stands."""
    text = (DOCS / page).read_text("utf-8")
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    return [compile("\n" * text[: each.start(1)].count("\n") + each[1], page, "exec", flags) for each in found]


async def run(page: str, **given: object) -> dict[str, Any]:
    """Run the Python of a page, over what it takes for granted, and return what it defined."""
    module = ModuleType(f"guide_{page.removesuffix('.md').replace('-', '_')}")
    sys.modules[module.__name__] = module
    vars(module).update(given)
    for code in blocks(page):
        pending = eval(code, vars(module))  # noqa: S307 - our own page
        if inspect.iscoroutine(pending):
            await pending
    return vars(module)


@pytest.mark.parametrize("page", GUIDES)
async def test_the_python_of_a_guide_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    defined = await run(page)

    assert "eb" in defined
    if "blocking" in defined:
        await defined["store"].close()


async def test_the_two_phases_that_the_guide_shows_give_a_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    guide = await run("embedding.md")
    query = (
        "client_id=site&response_type=code&redirect_uri=https%3A%2F%2Fwww.example.com%2Fcallback&scope=openid"
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    )
    asks = [await guide["authorize"](query, None, 0), await guide["authorize"](query, "ada", 1)]
    response = await guide["authorize"](query, "ada", 1, allowed=True)

    assert [text.partition(" ")[0] for text in asks] == ["sign", "ask"]
    assert "code=" in dict(response.headers)["Location"]


async def test_each_framework_answers_as_the_guide_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    guide = await run("embedding.md")
    known, path = guide["server"].issuer, "/.well-known/openid-configuration"
    flask = guide["site_in_flask"].test_client().get(path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=guide["web"]), base_url=known) as fastapi:
        answers = [(await fastapi.get(path)).json(), flask.json]

    assert [each["issuer"] for each in answers] == [known, known]


async def test_django_answers_as_the_guide_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    guide = await run("embedding.md")
    [metadata] = [each for each in guide["urlpatterns"] if str(each.pattern) == ".well-known/openid-configuration"]
    with override_settings(ROOT_URLCONF=on_django.__name__):
        answer = metadata.callback(RequestFactory().get("/.well-known/openid-configuration"))

    assert json.loads(answer.content)["issuer"] == guide["server"].issuer
    assert metadata.callback.csrf_exempt


class TestTheStoreThatTheGuideShows(BlockingGrantStoreTests, BlockingDeviceStoreTests):
    """Four tables of the application's own."""

    @pytest.fixture
    async def guide(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        monkeypatch.chdir(tmp_path)
        guide = await run("own-store.md")
        await guide["store"].close()
        return guide

    @pytest.fixture
    def store(self, guide: dict[str, Any], tmp_path: Path) -> Any:
        return guide["OwnDevices"](tmp_path / "own.db")
