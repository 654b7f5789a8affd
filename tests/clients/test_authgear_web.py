"""The unmodified `@authgear/web` in Chromium, on a page of another site than the server."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Route, expect

from clients.authgear_page import AuthgearPage, new_page
from clients.page_server import Origins
from clients.person import LOGIN
from server_process import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUNDS = 25


@pytest_asyncio.fixture(loop_scope="session")
async def app(context: BrowserContext, server: ServerProcess, origins: Origins) -> AuthgearPage:
    return await new_page(context, server, origins)


@pytest_asyncio.fixture(loop_scope="session")
async def signed_in(app: AuthgearPage) -> AuthgearPage:
    await app.sign_in()
    return app


async def test_a_user_signs_in_and_the_page_knows_who_it_is(app: AuthgearPage) -> None:
    result = await app.sign_in()

    assert result["userInfo"]["email"] == LOGIN
    assert result["userInfo"]["sub"] == "ada"
    assert result["state"] == "what the app was doing"
    assert await app.state() == "AUTHENTICATED"


async def test_a_wrong_password_keeps_the_user_on_the_sign_in_page(app: AuthgearPage) -> None:
    await app.load()
    await app.start()
    await app.fill_in(password="not the password")

    await expect(app.tab.locator("#sign-in-error")).to_be_visible()
    await app.fill_in()
    assert (await app.finish())["userInfo"]["email"] == LOGIN


async def test_who_cancels_comes_back_with_an_error_that_the_sdk_understands(app: AuthgearPage) -> None:
    await app.load()
    await app.start()
    await app.tab.click("#cancel")
    await app.tab.wait_for_url(f"{app.origin}/**")
    await app.configure()

    error = await app.tab.evaluate("() => client.finishAuthentication().catch((error) => error.error)")

    assert error == "access_denied"
    assert await app.state() == "NO_SESSION"


async def test_a_redirect_uri_without_a_path_comes_back_with_one(app: AuthgearPage) -> None:
    await app.load()
    await app.start(redirectURI=app.origin)
    await app.fill_in()

    assert (await app.finish())["userInfo"]["email"] == LOGIN


async def test_a_page_that_is_not_registered_is_not_led_back_to(app: AuthgearPage) -> None:
    await app.load()
    await app.start(redirectURI=f"{app.origin}/elsewhere")

    await expect(app.tab.locator("#error-description")).to_contain_text("redirect_uri")
    assert app.tab.url.startswith(app.server.issuer)


async def test_a_reload_keeps_the_session_and_gets_an_access_token(signed_in: AuthgearPage) -> None:
    before = await signed_in.refresh_token()

    assert await signed_in.load() == "AUTHENTICATED"
    assert await signed_in.access_token()
    assert await signed_in.refresh_token() != before


async def test_an_access_token_that_lasts_is_not_refreshed(signed_in: AuthgearPage) -> None:
    before = await signed_in.access_token()

    assert await signed_in.access_token() == before


async def test_an_expired_access_token_is_refreshed_and_the_refresh_token_rotates(signed_in: AuthgearPage) -> None:
    old = await signed_in.access_token(), await signed_in.refresh_token()
    await signed_in.let_the_access_token_expire()

    new = await signed_in.access_token(), await signed_in.refresh_token()

    assert all(new)
    assert new[0] != old[0]
    assert new[1] != old[1]


@pytest.mark.rt("RT-66")
async def test_two_tabs_that_refresh_at_once_stay_signed_in(
    signed_in: AuthgearPage, context: BrowserContext, origins: Origins
) -> None:
    tabs = signed_in, await new_page(context, signed_in.server, origins)
    await tabs[1].load()
    tokens = {await signed_in.refresh_token()}
    for _ in range(ROUNDS):
        await asyncio.gather(*(tab.let_the_access_token_expire() for tab in tabs))
        assert all(await asyncio.gather(*(tab.access_token() for tab in tabs)))
        tokens.add(await signed_in.refresh_token())

    assert [await tab.state() for tab in tabs] == ["AUTHENTICATED", "AUTHENTICATED"]
    assert len(tokens) == ROUNDS + 1
    # Both did ask for the same at the same time, now and then.
    history = signed_in.server.command("grant", "show", await _grant_id(signed_in))["history"]
    assert "retried" in {entry["happening"] for entry in history}
    assert await signed_in.load() == "AUTHENTICATED"
    assert await signed_in.access_token()


@pytest.mark.rt("RT-66")
async def test_the_tab_that_is_answered_last_does_not_sign_the_other_out(
    signed_in: AuthgearPage, context: BrowserContext, origins: Origins
) -> None:
    tabs = signed_in, await new_page(context, signed_in.server, origins)
    await tabs[1].load()
    await tabs[1].access_token()
    sent, answered = asyncio.Event(), asyncio.Event()

    async def wait_for_the_other(route: Route) -> None:
        sent.set()
        await answered.wait()
        await route.continue_()

    await tabs[1].tab.route("**/oauth2/token", wait_for_the_other)
    await asyncio.gather(*(tab.let_the_access_token_expire() for tab in tabs))
    late = asyncio.ensure_future(tabs[1].access_token())
    async with asyncio.timeout(120):
        await sent.wait()
    assert await tabs[0].access_token()
    answered.set()

    assert await late
    assert await signed_in.load() == "AUTHENTICATED"
    assert await signed_in.access_token()


async def test_a_lost_answer_is_asked_for_again(signed_in: AuthgearPage) -> None:
    async def lose_the_answer(route: Route) -> None:
        assert (await route.fetch()).ok
        await route.abort()

    before = await signed_in.refresh_token()
    await signed_in.let_the_access_token_expire()
    await signed_in.tab.route("**/oauth2/token", lose_the_answer, times=1)
    error = await signed_in.tab.evaluate("() => client.refreshAccessTokenIfNeeded().catch((error) => error.message)")
    assert error == "Failed to fetch"
    assert await signed_in.refresh_token() == before

    assert await signed_in.access_token()
    assert await signed_in.refresh_token() != before


async def test_access_that_was_revoked_elsewhere_is_noticed_at_the_next_refresh(signed_in: AuthgearPage) -> None:
    await _revoke(signed_in)
    await signed_in.let_the_access_token_expire()

    assert await signed_in.access_token() is None
    assert await signed_in.state() == "NO_SESSION"
    assert await signed_in.refresh_token() is None


async def test_access_that_was_revoked_elsewhere_is_noticed_at_userinfo(signed_in: AuthgearPage) -> None:
    await _revoke(signed_in)

    error = await signed_in.tab.evaluate("() => client.fetchUserInfo().catch((error) => error.error)")

    assert error == "invalid_grant"
    assert await signed_in.state() == "NO_SESSION"


async def test_access_that_the_user_revokes_on_the_account_page_is_noticed(
    signed_in: AuthgearPage, context: BrowserContext
) -> None:
    grant_id = await _grant_id(signed_in)
    account = await context.new_page()
    await account.goto(f"{signed_in.server.issuer}/settings")
    await account.click(f'[data-grant="{grant_id}"] button')
    await expect(account.locator("#changed")).to_be_visible()
    await signed_in.let_the_access_token_expire()

    assert await signed_in.access_token() is None
    assert await signed_in.state() == "NO_SESSION"


async def test_userinfo_without_a_session_is_refused_in_words_that_the_sdk_reads(app: AuthgearPage) -> None:
    await app.load()

    error = await app.tab.evaluate("() => client.fetchUserInfo().catch((error) => error.error)")

    assert error == "invalid_token"
    assert await app.state() == "NO_SESSION"


async def test_logging_out_ends_the_grant_and_the_session_of_the_page(signed_in: AuthgearPage) -> None:
    grant_id = await _grant_id(signed_in)
    await signed_in.tab.evaluate("(redirectURI) => client.logout({ redirectURI })", f"{signed_in.origin}/callback")

    assert await signed_in.state() == "NO_SESSION"
    assert await signed_in.refresh_token() is None
    ended = signed_in.server.command("grant", "show", grant_id)["ended"]
    assert ended["reason"] == "revoked_by_client"


async def test_logging_out_works_when_the_access_was_revoked_before(signed_in: AuthgearPage) -> None:
    await _revoke(signed_in)
    await signed_in.tab.evaluate("(redirectURI) => client.logout({ redirectURI })", f"{signed_in.origin}/callback")

    assert await signed_in.state() == "NO_SESSION"


async def test_a_page_of_an_origin_that_no_application_has_reads_no_answer(app: AuthgearPage) -> None:
    # A refused refresh token: what matters is whether the page gets to read that.
    ask = """async (url) => {
        const body = new URLSearchParams({ grant_type: "refresh_token", client_id: "spa", refresh_token: "none" });
        const answer = await fetch(url, { method: "POST", body, credentials: "include" }).catch(() => null);
        return answer && (await answer.json()).error;
    }"""
    heard = {}
    for host in ("localhost", "elsewhere.localhost"):
        await app.tab.goto(app.origin.replace("localhost", host))
        heard[host] = await app.tab.evaluate(ask, f"{app.server.issuer}/oauth2/token")

    assert heard == {"localhost": "invalid_grant", "elsewhere.localhost": None}


async def test_who_logged_out_is_asked_for_the_password_again(signed_in: AuthgearPage) -> None:
    await signed_in.tab.evaluate("(redirectURI) => client.logout({ redirectURI })", f"{signed_in.origin}/callback")
    await signed_in.start()

    await expect(signed_in.tab.locator("#password")).to_be_visible()
    await signed_in.fill_in()
    assert (await signed_in.finish())["userInfo"]["email"] == LOGIN


async def test_applications_that_share_a_sign_in_are_not_asked_again(signed_in: AuthgearPage) -> None:
    await signed_in.load()
    await signed_in.tab.evaluate("() => { client.isSSOEnabled = true }")
    await signed_in.lead_back()

    assert (await signed_in.finish())["userInfo"]["email"] == LOGIN


async def test_an_id_token_can_not_be_asked_for_alone_and_the_session_lives_on(signed_in: AuthgearPage) -> None:
    error = await signed_in.tab.evaluate("() => client.refreshIDToken().catch((error) => error.error)")

    assert error == "unsupported_grant_type"
    assert await signed_in.state() == "AUTHENTICATED"


async def test_the_settings_page_opens_signed_in(signed_in: AuthgearPage, context: BrowserContext) -> None:
    # Without our own cookie it is the app session token alone that signs in.
    await context.clear_cookies()
    async with context.expect_page() as opening:
        await signed_in.tab.evaluate("() => client.open(authgear.Page.Settings)")
    settings = await opening.value

    await expect(settings.locator("#signed-in-as")).to_have_text(LOGIN)
    assert urlsplit(settings.url).path == "/settings"


async def test_the_settings_page_takes_the_session_that_the_browser_has(
    signed_in: AuthgearPage, context: BrowserContext
) -> None:
    async with context.expect_page() as opening:
        await signed_in.tab.evaluate("() => client.open(authgear.Page.Settings)")
    settings = await opening.value
    await expect(settings.locator("#signed-in-as")).to_have_text(LOGIN)
    cookies = await context.cookies(signed_in.server.issuer)
    async with context.expect_page() as opening:
        await signed_in.tab.evaluate("() => client.open(authgear.Page.Settings)")
    await expect((await opening.value).locator("#signed-in-as")).to_have_text(LOGIN)

    assert await context.cookies(signed_in.server.issuer) == cookies


async def test_the_settings_page_does_not_open_for_access_that_was_revoked(
    signed_in: AuthgearPage, context: BrowserContext
) -> None:
    await _revoke(signed_in)
    await context.clear_cookies()

    await signed_in.tab.evaluate("() => client.open(authgear.Page.Settings).catch(() => {})")

    assert await signed_in.state() == "NO_SESSION"


async def test_the_sdk_sends_what_is_expected_of_it(app: AuthgearPage) -> None:
    await app.load()
    async with app.tab.expect_request("**/oauth2/authorize?*") as asked:
        await app.start()
    query = parse_qs(urlsplit((await asked.value).url).query)

    assert query["scope"] == ["openid https://authgear.com/scopes/full-access offline_access"]
    assert query["code_challenge_method"] == ["S256"]
    assert "nonce" not in query


async def _grant_id(page: AuthgearPage) -> str:
    token = await page.refresh_token()
    assert token is not None
    grant_id: str = page.server.command("explain", token)["grant_id"]
    return grant_id


async def _revoke(page: AuthgearPage) -> None:
    page.server.command("grant", "revoke", await _grant_id(page))
