from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.models import EndReason
from page_world import Browser, Page, PageWorld

BYE = "https://web.example/bye"


@pytest.fixture
async def pages(pages: PageWorld) -> PageWorld:
    await pages.world.change_client("web", first_party=True, post_logout_redirect_uris=(BYE, f"{BYE}?a=1"))
    return pages


async def sign_out(browser: Browser, **parameters: str | None) -> Page:
    return await browser.get("/oauth2/end_session", **parameters)


async def is_signed_in(browser: Browser) -> bool:
    return (await browser.get("/settings")).url == "/settings"


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2", "3")
async def test_a_hint_for_this_session_signs_out_at_once_and_leads_back(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    hint = (await pages.tokens(browser, "web"))["id_token"]
    page = await sign_out(browser, id_token_hint=hint, post_logout_redirect_uri=BYE, state="s 1")

    assert page.location == f"{BYE}?state=s%201"
    assert not await is_signed_in(browser)
    assert (await pages.authorize(browser, "web", prompt="none")).answer["error"] == "login_required"


async def test_a_hint_without_a_place_to_go_shows_that_one_is_signed_out(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    hint = (await pages.tokens(browser, "web"))["id_token"]
    page = await sign_out(browser, id_token_hint=hint)

    assert "signed-out" in page.ids
    assert "You are signed out" in page.html
    assert not await is_signed_in(browser)


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
async def test_a_hint_of_another_session_of_the_same_user_is_asked_about(pages: PageWorld) -> None:
    hint = (await pages.tokens(await pages.signed_in(), "web"))["id_token"]
    browser = await pages.signed_in()
    page = await sign_out(browser, id_token_hint=hint, post_logout_redirect_uri=BYE)

    assert "logout-confirm" in page.ids
    assert await is_signed_in(browser)


@pytest.mark.spec("ASVS 5.0", "10.6.2")
async def test_without_a_hint_the_user_is_asked(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await sign_out(browser)

    assert {"logout-confirm", "confirm", "cancel"} <= page.ids
    assert await is_signed_in(browser)


@pytest.mark.spec("ASVS 5.0", "7.4.1", "7.4.4")
async def test_confirming_signs_out(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    before = dict(browser.cookies)
    page = await browser.submit((await sign_out(browser)).form("logout-confirm"))

    assert "signed-out" in page.ids
    assert browser.cookies["__Host-everbearer_session"] == ""
    assert not await is_signed_in(Browser(site=pages.site, cookies=before))


async def test_confirming_for_a_known_client_leads_back(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await sign_out(browser, client_id="web", post_logout_redirect_uri=f"{BYE}?a=1", state="x")
    assert "form-action" not in page.header("Content-Security-Policy")

    assert (await browser.submit(page.form("logout-confirm"))).location == f"{BYE}?a=1&state=x"


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "3")
@pytest.mark.parametrize("uri", ["https://evil.example/bye", f"{BYE}/x", f"{BYE}?b=1"])
async def test_an_unregistered_place_is_never_led_to(pages: PageWorld, uri: str) -> None:
    browser = await pages.signed_in()
    hint = (await pages.tokens(browser, "web"))["id_token"]
    page = await sign_out(browser, id_token_hint=hint, post_logout_redirect_uri=uri)

    assert page.location == ""
    assert uri not in page.html
    assert "signed-out" in page.ids


async def test_without_client_a_known_place_is_a_link_only(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await sign_out(browser, post_logout_redirect_uri=BYE)
    page = await browser.submit(page.form("logout-confirm"))

    assert page.location == ""
    assert BYE in page.read.links


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
async def test_a_foreign_hint_signs_nobody_out(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await sign_out(browser, id_token_hint="e30.e30.e30", post_logout_redirect_uri=BYE)

    assert (page.status, page.location) == (400, "")
    assert await is_signed_in(browser)


async def test_who_is_not_signed_in_is_told_so(pages: PageWorld) -> None:
    page = await sign_out(pages.browser(), client_id="web", post_logout_redirect_uri=BYE)

    assert "signed-out" in page.ids
    assert BYE in page.read.links


async def test_who_is_not_signed_in_is_led_back_by_a_hint(pages: PageWorld) -> None:
    hint = (await pages.tokens(await pages.signed_in(), "web"))["id_token"]
    page = await sign_out(pages.browser(), id_token_hint=hint, post_logout_redirect_uri=BYE)

    assert page.location == BYE


async def test_confirming_twice_is_no_error(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    form = (await sign_out(browser)).form("logout-confirm")
    await browser.submit(form)

    assert "signed-out" in (await browser.submit(form)).ids


@pytest.mark.spec("ASVS 5.0", "10.6.2")
@pytest.mark.parametrize("path", ["/sign-out", "/oauth2/end_session", "/settings/password", "/sign-in", "/consent"])
async def test_a_form_of_another_site_takes_no_cookie_away(pages: PageWorld, path: str) -> None:
    browser = await pages.signed_in()
    elsewhere = Browser(site=pages.site, headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"})
    page = await elsewhere.send("POST", path, {"client_id": "web"})

    assert page.header("Set-Cookie") == ""
    assert await is_signed_in(browser)


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
async def test_a_posted_request_is_the_same_request(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    hint = (await pages.tokens(browser, "web"))["id_token"]
    page = await browser.send("POST", "/oauth2/end_session", {"id_token_hint": hint, "post_logout_redirect_uri": BYE})

    assert (await browser.get(page.location)).location == BYE
    assert not await is_signed_in(browser)


async def test_signing_out_ends_online_grants_and_leaves_offline_ones(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    await pages.tokens(browser, "spa", scope="openid")
    offline = await pages.tokens(browser, "spa")
    await browser.submit((await sign_out(browser)).form("logout-confirm"))
    reasons = {grant.offline: grant.ended and grant.ended.reason for grant in await pages.site.store.grants()}

    assert reasons == {False: EndReason.SIGNED_OUT, True: None}
    assert (await pages.world.refresh(offline["refresh_token"])).status == 200


async def test_below_a_path_all_links_stay_below_it(pages: PageWorld) -> None:
    pages.site = replace(pages.site, server=replace(pages.site.server, issuer="https://id.example/tenant"))
    page = await pages.browser().send("GET", "/oauth2/end_session")

    assert page.read.links == ["/tenant/sign-in"]
    assert "/tenant/assets/" in page.html
