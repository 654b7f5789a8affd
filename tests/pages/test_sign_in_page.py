from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from everbearer.login.accounts import create_user, disable_user
from everbearer.login.sign_in import SignInLimits
from everbearer.oauth.errors import TemporarilyUnavailable
from page_world import LOGIN, PASSWORD, Browser, PageWorld, at_once
from world import claims_of

T = TypeVar("T")


@pytest.mark.spec("RFC 6749", "4.1.1", "4.1.2")
async def test_signing_in_takes_the_browser_back_to_the_client_with_a_code(pages: PageWorld, browser: Browser) -> None:
    page = await pages.authorize(browser, "spa")
    assert {"sign-in", "login", "password", "submit", "cancel"} <= page.ids
    back = await browser.sign_in(page)

    assert back.location.startswith("https://spa.example/cb?")
    assert back.answer["state"] == "s1"
    assert (await pages.world.redeem(back.answer["code"])).status == 200


async def test_a_browser_that_is_signed_in_is_not_asked_again(pages: PageWorld) -> None:
    browser = await pages.signed_in()

    assert "code" in (await pages.authorize(browser, "spa")).answer


async def test_without_an_authorization_request_it_leads_to_the_account_page(browser: Browser) -> None:
    page = await browser.sign_in(await browser.get("/sign-in"))

    assert page.url == "/settings"
    assert LOGIN in page.html


async def test_who_is_signed_in_is_led_from_the_bare_sign_in_page_to_the_account_page(pages: PageWorld) -> None:
    browser = await pages.signed_in()

    assert (await browser.get("/sign-in")).url == "/settings"


async def test_a_wrong_password_keeps_the_login_and_never_the_password(pages: PageWorld, browser: Browser) -> None:
    page = await browser.sign_in(await pages.authorize(browser, "spa"), "ada@example.com", "wrong password")

    assert page.status == 422
    assert page.form("sign-in").fields["login"] == "ada@example.com"
    assert "wrong password" not in page.html
    assert "sign-in-error" in page.ids


@pytest.mark.spec("ASVS 5.0", "6.3.8")
async def test_unknown_wrong_and_disabled_get_the_same_page(pages: PageWorld) -> None:
    browser = pages.browser()
    form = await browser.get("/sign-in")
    wrong = await browser.sign_in(form, LOGIN, "wrong password")
    unknown = await browser.sign_in(form, "bob@example.com", "wrong password")
    await disable_user(pages.ada.subject, store=pages.site.store, now=pages.site.now(), actor="admin:test")
    disabled = await browser.sign_in(form)

    assert unknown.html.replace("bob@", "ada@") == wrong.html == disabled.html
    assert unknown.status == wrong.status == disabled.status


@pytest.mark.spec("ASVS 5.0", "6.3.1")
async def test_too_many_attempts_are_told_to_wait(pages: PageWorld) -> None:
    pages.site = replace(pages.site, limits=SignInLimits(per_account=1))
    browser = pages.browser()
    page = await browser.sign_in(await browser.get("/sign-in"), LOGIN, "wrong password")
    pages.world.clock.now += 100
    page = await browser.sign_in(page)

    assert (page.status, page.header("Retry-After")) == (429, "800")
    assert "Wait 14 minutes" in page.html


async def test_a_full_password_pool_is_a_page_to_try_again(pages: PageWorld) -> None:
    async def full(work: Callable[[], T]) -> T:
        assert callable(work)
        raise TemporarilyUnavailable("too many people are signing in", retry_after=5)

    pages.site = replace(pages.site, run=full)
    browser = pages.browser()
    page = await browser.sign_in(await browser.get("/sign-in"))

    assert (page.status, page.header("Retry-After")) == (503, "5")


async def test_cancelling_takes_access_denied_to_the_client(pages: PageWorld, browser: Browser) -> None:
    page = await pages.authorize(browser, "spa")
    back = await browser.submit(page.form("sign-in"), decision="cancel")

    assert (back.answer["error"], back.answer["state"]) == ("access_denied", "s1")


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_login_hint_fills_in_the_login(pages: PageWorld, browser: Browser) -> None:
    page = await pages.authorize(browser, "spa", login_hint='"><b>ada')

    assert page.form("sign-in").fields["login"] == '"><b>ada'
    assert "<b>" not in page.html


async def test_a_hint_for_a_machine_is_not_shown(pages: PageWorld, browser: Browser) -> None:
    page = await pages.authorize(browser, "spa", login_hint="https://authgear.com/login_hint?type=anonymous")

    assert page.form("sign-in").fields["login"] == ""


@pytest.mark.parametrize(("prompt", "filled_in"), [("login", LOGIN), ("select_account", "")])
async def test_signing_in_again_proposes_the_same_user(pages: PageWorld, prompt: str, filled_in: str) -> None:
    page = await pages.authorize(await pages.signed_in(), "spa", prompt=prompt)

    assert page.form("sign-in").fields["login"] == filled_in


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
async def test_the_page_shows_the_client_and_its_links(pages: PageWorld, browser: Browser) -> None:
    await pages.world.change_client(
        "web",
        client_name="Northwind <Notes>",
        logo_uri="https://web.example/logo.png",
        policy_uri="https://web.example/privacy",
        tos_uri="https://web.example/terms",
        client_uri="javascript:alert(1)",
    )
    page = await pages.authorize(browser)

    assert {"client-name", "client-logo", "policy-uri", "tos-uri"} <= page.ids
    assert "Northwind &lt;Notes&gt;" in page.html
    assert page.read.links == ["https://web.example/privacy", "https://web.example/terms"]


@pytest.mark.spec("ASVS 5.0", "7.2.4")
async def test_each_sign_in_has_a_new_cookie_and_ends_the_one_before(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    before = dict(browser.cookies)
    await browser.sign_in(await pages.authorize(browser, "spa", prompt="login"))
    old = Browser(site=pages.site, cookies=before)

    assert browser.cookies["__Host-everbearer_session"] != before["__Host-everbearer_session"]
    assert "sign-in" in (await old.get("/settings")).ids
    assert len(await pages.site.store.sessions_of("ada")) == 1


async def test_who_signs_in_again_is_signed_out_of_no_application(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    online = await pages.tokens(browser, "spa", scope="openid")
    page = await browser.sign_in(await pages.authorize(browser, "spa", scope="openid", prompt="login"))
    again = (await pages.world.redeem(page.answer["code"], client="spa")).json

    assert claims_of(again["id_token"])["sid"] == claims_of(online["id_token"])["sid"]
    assert await pages.world.active(online["access_token"])


async def test_who_signs_in_as_another_user_ends_the_session_of_the_one_before(pages: PageWorld) -> None:
    await create_user(
        "bob@example.com", PASSWORD, store=pages.site.store, run=at_once, now=pages.site.now(), actor="admin:test"
    )
    browser = await pages.signed_in()
    await browser.sign_in(await pages.authorize(browser, "spa", prompt="login"), "bob@example.com")

    assert await pages.site.store.sessions_of("ada") == []


async def test_a_session_cookie_planted_before_signing_in_is_replaced(pages: PageWorld, browser: Browser) -> None:
    planted = (await pages.signed_in()).cookies["__Host-everbearer_session"]
    page = await browser.get("/sign-in")
    browser.cookies["__Host-everbearer_session"] = planted
    await browser.sign_in(page)

    assert browser.cookies["__Host-everbearer_session"] != planted


async def test_a_browser_without_cookies_is_told_so(pages: PageWorld) -> None:
    browser = pages.browser()
    browser.keeps_cookies = False
    page = await browser.sign_in(await pages.authorize(browser, "spa"))

    assert page.status == 400
    assert "Allow cookies" in page.html


async def test_an_authorization_request_that_became_invalid_goes_no_further(pages: PageWorld, browser: Browser) -> None:
    page = await pages.authorize(browser, "spa")
    await pages.world.change_client("spa", redirect_uris=("https://elsewhere.example/cb",))
    page = await browser.sign_in(page)

    assert page.status == 400
    assert "error" in page.ids


async def test_the_password_field_invites_a_password_manager(browser: Browser) -> None:
    page = await browser.get("/sign-in")
    fields = {attributes["name"]: attributes for tag, attributes in page.read.tags if tag == "input"}

    assert fields["login"]["autocomplete"] == "username"
    assert (fields["password"]["type"], fields["password"]["autocomplete"]) == ("password", "current-password")


async def test_an_empty_password_signs_nobody_in(browser: Browser) -> None:
    page = await browser.sign_in(await browser.get("/sign-in"), LOGIN, "")

    assert page.status == 422
    assert PASSWORD not in page.html
