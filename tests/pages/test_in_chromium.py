"""The pages as people meet them in a browser: on small screens, in large letters, by keyboard, in the dark."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Route
from playwright.async_api import Page as Tab

from chromium import chromium as chromium
from chromium import playwright as playwright
from everbearer.server.pages.assets import ASSETS
from everbearer.storage.memory import MemoryStore
from page_world import Page, new_page_world
from pages.gallery import gallery
from world import ISSUER, new_world

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = Path(__file__).parents[1] / "clients" / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = """async () => (await axe.run(document, {iframes: false})).violations.flatMap(
    each => each.nodes.map(node => `${each.id}: ${node.target}`))"""
WIDER_THAN_THE_SCREEN = """size => {
    document.documentElement.style.fontSize = size;
    return document.documentElement.scrollWidth > innerWidth;
}"""
# A link in a sentence is as tall as its line (WCAG 2.2, 2.5.8).
TOO_SMALL = """() => [...document.querySelectorAll("a, button, input:not([type=hidden], [hidden])")]
    .filter(each => !each.matches("p a:not(.button)"))
    .filter(each => Math.min(each.getBoundingClientRect().width, each.getBoundingClientRect().height) < 43.9)
    .map(each => each.outerHTML)"""
FOCUSED = """() => {
    const each = document.activeElement, box = each.getBoundingClientRect();
    return {what: each.id || each.outerHTML, x: box.left + scrollX, y: box.bottom + scrollY,
            ring: parseFloat(getComputedStyle(each).outlineWidth), isBody: each === document.body};
}"""
IN_SIGHT = """id => {
    const box = document.getElementById(id).getBoundingClientRect();
    return box.top >= 0 && box.bottom <= innerHeight;
}"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shown() -> Mapping[str, Page]:
    return await gallery(await new_page_world(await new_world(MemoryStore())))


@pytest_asyncio.fixture(loop_scope="session")
async def answer_by_form() -> Page:
    pages = await new_page_world(await new_world(MemoryStore()))
    return await pages.authorize(await pages.signed_in(), "spa", response_mode="form_post")


@pytest_asyncio.fixture(loop_scope="session")
async def phone(chromium: Browser, shown: Mapping[str, Page]) -> AsyncIterator[Tab]:
    async with await chromium.new_context(viewport={"width": 390, "height": 700}) as context:
        yield await new_tab(context, shown)


async def new_tab(context: BrowserContext, shown: Mapping[str, Page]) -> Tab:
    """Return a tab for which the pages of the gallery are the server, each at its name."""
    assets = {asset.path: asset for asset in ASSETS}

    async def answer(route: Route) -> None:
        path = unquote(urlsplit(route.request.url).path)
        if path in assets:
            await route.fulfill(content_type=assets[path].media_type, body=assets[path].content)
        elif path.removeprefix("/") in shown:
            page = shown[path.removeprefix("/")]
            headers = {name: value for name, value in page.response.headers if name != "Set-Cookie"}
            await route.fulfill(headers=headers, body=page.html)
        else:
            await route.abort()

    await context.route("**/*", answer)
    return await context.new_page()


async def show(tab: Tab, name: str, fragment: str = "") -> None:
    await tab.goto(f"{ISSUER}/{quote(name)}{fragment}")


async def test_without_scripts_an_answer_by_form_is_sent_by_a_button_that_is_easy_to_press(
    chromium: Browser, answer_by_form: Page
) -> None:
    async with await chromium.new_context(viewport={"width": 320, "height": 700}, java_script_enabled=False) as context:
        tab = await new_tab(context, {"form": answer_by_form})
        await show(tab, "form")
        box = await tab.locator("#continue:focus").bounding_box()

    assert box is not None
    assert box["width"] >= 280
    assert box["height"] >= 44


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_fault_in_any_page(
    chromium: Browser, shown: Mapping[str, Page], scheme: Literal["light", "dark"]
) -> None:
    faults: dict[str, Any] = {}
    source = AXE.read_text("utf-8")
    async with await chromium.new_context(color_scheme=scheme, reduced_motion="reduce") as context:
        tab = await new_tab(context, shown)
        for name in shown:
            await show(tab, name)
            await tab.evaluate(source)
            faults[name] = await tab.evaluate(RUN_AXE)

    assert {name: found for name, found in faults.items() if found} == {}


# WCAG 2.2, 1.4.10 and 1.4.4.
@pytest.mark.parametrize(("width", "size"), [(320, "100%"), (390, "200%")])
async def test_no_page_is_wider_than_the_screen(
    chromium: Browser, shown: Mapping[str, Page], width: int, size: str
) -> None:
    wide: list[str] = []
    async with await chromium.new_context(viewport={"width": width, "height": 700}) as context:
        tab = await new_tab(context, shown)
        for name in shown:
            await show(tab, name)
            if await tab.evaluate(WIDER_THAN_THE_SCREEN, size):
                wide.append(name)

    assert wide == []


async def test_whatever_is_pressed_is_as_large_as_a_thumb(phone: Tab, shown: Mapping[str, Page]) -> None:
    small: dict[str, list[str]] = {}
    for name in shown:
        await show(phone, name)
        small[name] = await phone.evaluate(TOO_SMALL)

    assert {name: found for name, found in small.items() if found} == {}


@pytest.mark.parametrize("name", ["consent", "device, consent", "sign-out", "account", "playground, refreshed"])
async def test_the_keyboard_goes_through_a_page_as_the_eye_does_and_shows_where_it_is(phone: Tab, name: str) -> None:
    await show(phone, name)
    stops: list[Any] = []
    await phone.keyboard.press("Tab")
    while not (stop := await phone.evaluate(FOCUSED))["isBody"]:
        stops.append(stop)
        await phone.keyboard.press("Tab")

    assert len(stops) > 1
    assert stops == sorted(stops, key=lambda stop: (round(stop["y"]), stop["x"]))
    assert [stop["what"] for stop in stops if stop["ring"] < 2] == []


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("sign-in, wrong", "password"),
        ("device, wrong", "user-code"),
        ("account, wrong password", "password"),
        ("account, weak password", "new-password"),
    ],
)
async def test_what_is_wrong_is_in_sight_and_its_field_has_the_focus(phone: Tab, name: str, field: str) -> None:
    await show(phone, name)
    await phone.wait_for_function("id => document.activeElement.id === id", arg=field)
    told = await phone.locator(f"#{field}").get_attribute("aria-describedby")

    assert await phone.evaluate(IN_SIGHT, str(told).split()[0])


async def test_what_has_changed_is_told_in_that_part_of_the_page_to_which_the_browser_is_led(phone: Tab) -> None:
    await show(phone, "account, revoked", "#applications")

    assert await phone.evaluate(IN_SIGHT, "changed")


async def test_no_page_asks_for_what_its_own_policy_forbids(phone: Tab, shown: Mapping[str, Page]) -> None:
    said: list[str] = []
    phone.on("console", lambda message: said.append(message.text))
    for name in shown:
        await show(phone, name)

    assert [text for text in said if "Content Security Policy" in text] == []
