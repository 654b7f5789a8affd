"""The resources that an application asks for, as users see them: on the consent page and among what they allowed."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from device_world import device
from page_world import Browser, Page, PageWorld, new_page_world
from protected import FILES, HIDDEN, NOTES, naming, with_resources
from world import ISSUER, World


@pytest.fixture
async def pages(world: World) -> PageWorld:
    return await new_page_world(await with_resources(world, "web"))


async def _authorize(pages: PageWorld, browser: Browser, *resources: str, scope: str = "openid read") -> Page:
    form = naming(await pages.authorization(scope=scope), *resources)
    return await browser.get(f"/oauth2/authorize?{urlencode(form)}")


async def _allowed(pages: PageWorld, *resources: str) -> Browser:
    browser = await pages.signed_in()
    page = await _authorize(pages, browser, *resources)
    await browser.submit(page.form("consent"), decision="allow")
    return browser


@pytest.mark.spec("RFC 8707", "2.1")
async def test_the_consent_page_tells_where_access_is_to_by_name_and_identifier(pages: PageWorld) -> None:
    page = await _authorize(pages, await pages.signed_in(), NOTES, FILES)

    shown = [attributes["data-resource"] for _, attributes in page.read.tags if "data-resource" in attributes]
    assert shown == [NOTES, FILES]
    assert f'Notes <span class="soft">{NOTES}</span>' in page.html
    assert f"<code>{FILES}</code>" in page.html
    assert "data-scope" in page.html
    assert f'data-scope="{NOTES}"' not in page.html


@pytest.mark.spec("RFC 8707", "2.1")
async def test_the_server_itself_is_called_what_the_pages_call_it(pages: PageWorld) -> None:
    page = await _authorize(pages, await pages.signed_in(), ISSUER)

    assert f'Everbearer <span class="soft">{ISSUER}</span>' in page.html


@pytest.mark.spec("RFC 8628", "3.3")
async def test_the_page_for_devices_tells_where_access_is_to_and_the_account_page_too(pages: PageWorld) -> None:
    waiting = await device(await with_resources(pages.world, "partner"), "partner", NOTES, scope="openid read")
    browser = await pages.signed_in()
    page = await browser.get("/device", user_code=waiting.user_code)
    assert f'Notes <span class="soft">{NOTES}</span>' in page.html

    await browser.submit(page.form("device-consent"), decision="allow")

    assert "Notes" in (await browser.get("/settings")).html


async def test_who_asks_for_no_resource_has_no_list_of_them(pages: PageWorld) -> None:
    assert "resources" not in (await _authorize(pages, await pages.signed_in())).ids


@pytest.mark.spec("OpenID Connect Core", "3.1.2.4")
async def test_a_resource_that_was_not_consented_to_is_asked_about(pages: PageWorld) -> None:
    browser = await _allowed(pages, NOTES)

    assert "code" in (await _authorize(pages, browser, NOTES)).answer
    assert "code" in (await _authorize(pages, browser)).answer
    assert "consent" in (await _authorize(pages, browser, NOTES, FILES)).ids


async def test_the_resources_survive_signing_in_on_the_way(pages: PageWorld) -> None:
    browser = pages.browser()

    page = await browser.sign_in(await _authorize(pages, browser, NOTES, FILES))

    assert {NOTES, FILES} <= {attributes.get("data-resource") for _, attributes in page.read.tags}


async def test_what_was_allowed_says_where(pages: PageWorld) -> None:
    browser = await _allowed(pages, NOTES, FILES)

    page = await browser.get("/settings")

    assert "Read your notes; at Notes; https://files.example/api." in " ".join(page.html.split())


@pytest.mark.spec("RFC 8707", "2.1")
async def test_what_may_not_be_asked_for_goes_back_as_an_error_without_a_page(pages: PageWorld) -> None:
    page = await _authorize(pages, await pages.signed_in(), HIDDEN)

    assert page.answer["error"] == "invalid_target"
