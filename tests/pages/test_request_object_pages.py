"""A user signs in and consents for a request object that may have expired by then."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from page_world import PageWorld
from request_objects import REQUEST_URI, let_sign, publishing, request_object
from world import claims_of


@pytest.fixture(autouse=True)
async def signing(pages: PageWorld) -> None:
    await let_sign(pages.world, request_uris=(REQUEST_URI,), require_signed_request_object=True)


@pytest.mark.spec("RFC 9101", "4")
async def test_a_slow_user_signs_in_and_consents_after_the_request_object_has_expired(pages: PageWorld) -> None:
    browser = pages.browser()
    text = request_object(pages.world, exp=pages.world.clock.now + 1, nonce="n", prompt="login consent")
    page = await browser.get("/oauth2/authorize", client_id="web", request=text)
    pages.world.clock.advance(600)
    page = await browser.sign_in(page)
    pages.world.clock.advance(600)

    page = await browser.submit(page.form("consent"), decision="allow")

    tokens = (await pages.world.redeem(page.answer["code"], client="web")).json
    assert (page.answer["state"], claims_of(tokens["id_token"])["nonce"]) == ("inside", "n")


@pytest.mark.spec("RFC 9101", "4")
async def test_a_user_who_is_signed_in_already_may_consent_slowly_too(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    text = request_object(pages.world, exp=pages.world.clock.now + 1)
    page = await browser.get("/oauth2/authorize", client_id="web", request=text)
    pages.world.clock.advance(600)

    page = await browser.submit(page.form("consent"), decision="allow")

    assert page.answer.keys() == {"code", "state", "iss"}


@pytest.mark.spec("RFC 9101", "11")
async def test_the_addresses_of_the_pages_tell_nothing_of_what_was_asked(pages: PageWorld) -> None:
    browser = pages.browser()
    text = request_object(pages.world, login_hint="grace@example.com")

    page = await browser.get("/oauth2/authorize", client_id="web", request=text)

    assert parse_qs(urlsplit(page.url).query).keys() == {"client_id", "request_uri", "flow"}
    assert "grace@example.com" in page.html


async def test_a_user_who_takes_too_long_is_told_and_nothing_is_given(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await browser.get("/oauth2/authorize", client_id="web", request=request_object(pages.world))
    pages.world.clock.advance(1800)

    page = await browser.submit(page.form("consent"), decision="allow")

    assert page.answer["error"] == "invalid_request_uri"
    assert await pages.world.store.grants() == []


@pytest.mark.spec("RFC 9101", "5.2.3")
async def test_what_stands_elsewhere_is_fetched_once_however_many_pages_there_are(pages: PageWorld) -> None:
    world, published = publishing(pages.world, request_object(pages.world))
    pages.site = replace(pages.site, server=world.server)
    browser = pages.browser()

    page = await browser.sign_in(await browser.get("/oauth2/authorize", client_id="web", request_uri=REQUEST_URI))
    page = await browser.submit(page.form("consent"), decision="allow")

    assert (page.answer["state"], published.asked) == ("inside", [REQUEST_URI])


@pytest.mark.spec("RFC 6749", "4.1.2.1")
async def test_what_is_not_known_to_be_the_clients_is_an_error_page_where_no_place_is_known(pages: PageWorld) -> None:
    await pages.world.change_client("web", redirect_uris=("https://web.example/cb", "https://web.example/other"))

    page = await pages.browser().get("/oauth2/authorize", client_id="web", request="e30.e30.e30")

    assert (page.status, "We cannot continue" in page.html) == (400, True)
