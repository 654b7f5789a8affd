"""OpenID Connect Back-Channel Logout 1.0: whichever way a session ends, its applications are told."""
# ruff: noqa: ARG001 - all ways to end a session are of one shape

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from everbearer.login.accounts import create_user, delete_user, disable_user, set_password
from page_world import LOGIN, PASSWORD, Browser, PageWorld, at_once

NEW = "an altogether new phrase"


async def sign_out_on_our_page(pages: PageWorld, browser: Browser) -> None:
    await browser.submit((await browser.get("/settings")).form("sign-out"))


async def sign_out_by_the_application(pages: PageWorld, browser: Browser) -> None:
    hint = (await pages.tokens(browser, "spa"))["id_token"]
    await browser.get("/oauth2/end_session", id_token_hint=hint)


async def sign_out_from_another_browser(pages: PageWorld, browser: Browser) -> None:
    another = await pages.signed_in()
    await another.submit((await another.get("/settings")).forms_to("/settings/sessions/end")[0])


async def sign_out_everywhere_else(pages: PageWorld, browser: Browser) -> None:
    another = await pages.signed_in()
    await another.submit((await another.get("/settings")).form("end-others"))


async def change_the_password(pages: PageWorld, browser: Browser) -> None:
    form = (await browser.get("/settings")).form("change-password")
    await browser.submit(form, password=PASSWORD, new_password=NEW)


async def sign_in_as_another(pages: PageWorld, browser: Browser) -> None:
    await create_user(
        "bob@example.com", PASSWORD, store=pages.site.store, run=at_once, now=pages.site.now(), actor="admin:test"
    )
    await browser.sign_in(await pages.authorize(browser, "spa", prompt="login"), "bob@example.com")


async def be_disabled(pages: PageWorld, browser: Browser) -> None:
    await disable_user("ada", store=pages.site.store, now=pages.site.now(), actor="admin:test")


async def be_deleted(pages: PageWorld, browser: Browser) -> None:
    await delete_user("ada", store=pages.site.store, now=pages.site.now(), actor="admin:test")


async def be_given_another_password(pages: PageWorld, browser: Browser) -> None:
    user = await pages.site.store.user_by_login(LOGIN)
    assert user is not None
    await set_password(user, NEW, store=pages.site.store, run=at_once, now=pages.site.now(), actor="admin:test")


WAYS = (
    *(sign_out_on_our_page, sign_out_by_the_application, sign_out_from_another_browser, sign_out_everywhere_else),
    *(change_the_password, sign_in_as_another, be_disabled, be_deleted, be_given_another_password),
)


@pytest.fixture
async def pages(pages: PageWorld) -> PageWorld:
    await pages.world.change_client("spa", backchannel_logout_uri="https://spa.example/backchannel")
    return pages


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.3")
@pytest.mark.spec("ASVS 5.0", "7.4.2", "7.4.3")
@pytest.mark.parametrize("end", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("response_type", ["code", "none"])
async def test_an_application_is_told_of_the_end_of_its_session(
    pages: PageWorld, end: Callable[[PageWorld, Browser], Awaitable[None]], response_type: str
) -> None:
    browser = await pages.signed_in()
    await pages.authorize(browser, "spa", scope="openid", response_type=response_type)
    (session,) = await pages.site.store.sessions_of("ada")
    await end(pages, browser)

    told = [(logout.session_id, logout.client_id, logout.subject) for logout in await pages.site.store.logouts()]
    assert told == [(session.session_id, "spa", "ada")]


async def test_who_signs_in_again_ends_nothing(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    await pages.authorize(browser, "spa")
    await browser.sign_in(await pages.authorize(browser, "spa", prompt="login"))

    assert await pages.site.store.logouts() == []


async def test_with_the_user_an_application_is_told_that_had_stayed_signed_in(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    await pages.tokens(browser, "spa")
    await pages.world.change_client("spa", backchannel_logout_uri="")
    await sign_out_on_our_page(pages, browser)
    await pages.world.change_client("spa", backchannel_logout_uri="https://spa.example/backchannel")
    await be_disabled(pages, browser)

    assert [logout.client_id for logout in await pages.site.store.logouts()] == ["spa"]
