"""The unmodified `oidc-client-ts` in Chromium: renewal by refresh token and by iframe, two tabs, popups, sign-out."""

from __future__ import annotations

import asyncio

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, expect

from clients.page_server import SPA, Origins
from clients.spa_page import SpaPage, configure, fill_in, new_spa_page
from server_process import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUNDS = 10


@pytest.fixture(scope="module")
def same_site(origins: Origins) -> str:
    """Return an origin of the server's own site, as `app.example.com` and `id.example.com` have."""
    return origins.page.replace("localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def client_id(server: ServerProcess, origins: Origins, same_site: str) -> str:
    addresses: list[str] = []
    for origin in (origins.page, same_site):
        addresses += ["--redirect-uri", f"{origin}{SPA}callback", "--post-logout-redirect-uri", f"{origin}{SPA}bye"]
    created: dict[str, str] = server.command("client", "create", "--type", "spa", "--first-party", *addresses)
    return created["client_id"]


@pytest_asyncio.fixture(loop_scope="session")
async def app(context: BrowserContext, server: ServerProcess, origins: Origins, client_id: str) -> SpaPage:
    await configure(context, authority=server.issuer, client_id=client_id, scope="openid offline_access")
    return await new_spa_page(context, server, origins.page)


@pytest_asyncio.fixture(loop_scope="session")
async def without_refresh_token(context: BrowserContext, server: ServerProcess, client_id: str) -> BrowserContext:
    """Give a browser in which the library renews in an iframe, by `prompt=none`."""
    await configure(context, authority=server.issuer, client_id=client_id, scope="openid")
    return context


async def test_a_user_signs_in_and_the_page_knows_who_it_is(app: SpaPage) -> None:
    assert (await app.sign_in())["sub"] == "ada"


async def test_a_user_signs_in_and_out_by_popup(app: SpaPage) -> None:
    await app.load()
    async with app.tab.expect_popup() as opening:
        await app.begin("signinPopup")
    await fill_in(await opening.value)
    assert await app.tab.evaluate("async () => (await begun).profile.sub") == "ada"
    async with app.tab.expect_popup():
        await app.begin("signoutPopup")
    await app.tab.evaluate("() => begun")

    assert await app.user() is None
    assert await _is_asked_to_sign_in(app)


async def test_an_access_token_is_renewed_before_it_expires_and_the_refresh_token_rotates(app: SpaPage) -> None:
    await app.sign_in()
    before = [await app.token(kind) for kind in ("access_token", "refresh_token")]

    await app.let_the_access_token_get_old()

    assert await app.failures() == []
    after = [await app.token(kind) for kind in ("access_token", "refresh_token")]
    assert all(new and new != old for new, old in zip(after, before, strict=True))


async def test_two_tabs_that_renew_at_once_stay_signed_in(app: SpaPage, context: BrowserContext) -> None:
    await app.sign_in()
    tabs = app, await new_spa_page(context, app.server, app.origin)
    await tabs[1].load()
    tokens = {await app.token()}
    for _ in range(ROUNDS):
        await asyncio.gather(*(tab.let_the_access_token_get_old() for tab in tabs))
        tokens.add(await app.token())

    assert [await tab.failures() for tab in tabs] == [[], []]
    assert len(tokens) == ROUNDS + 1
    # Both did ask for the same at the same time, now and then.
    told = app.server.command("explain", await app.token())
    assert told["alive"]
    assert "retried" in {entry["happening"] for entry in told["history"]}


async def test_access_that_was_revoked_elsewhere_is_noticed_at_the_next_renewal(app: SpaPage) -> None:
    await app.sign_in()
    app.server.command("grant", "revoke", app.server.command("explain", await app.token())["grant_id"])

    assert await app.error_of("signinSilent") == "invalid_grant"


async def test_signing_out_ends_the_session_and_leads_back_to_the_page(app: SpaPage) -> None:
    await app.sign_in()
    await app.sign_out()

    assert await app.user() is None
    assert await _is_asked_to_sign_in(app)


async def test_signing_out_revokes_the_tokens_where_the_page_wants_it(context: BrowserContext, app: SpaPage) -> None:
    await configure(context, revokeTokensOnSignout=True)
    await app.sign_in()
    token = await app.token()
    await app.sign_out()

    assert app.server.command("explain", token)["ended"]["reason"] == "revoked_by_client"


async def test_a_page_of_the_same_site_renews_without_a_refresh_token(
    without_refresh_token: BrowserContext, server: ServerProcess, same_site: str
) -> None:
    app = await new_spa_page(without_refresh_token, server, same_site)
    await app.sign_in()
    before = await app.token("access_token")
    await app.let_the_access_token_get_old()

    assert await app.failures() == []
    assert await app.token("access_token") != before
    assert await app.tab.evaluate("async () => (await manager.getUser()).refresh_token") is None


async def test_a_page_of_the_same_site_notices_that_the_user_signed_out_at_the_server(
    without_refresh_token: BrowserContext, server: ServerProcess, same_site: str
) -> None:
    app = await new_spa_page(without_refresh_token, server, same_site)
    await app.sign_in()
    settings = await without_refresh_token.new_page()
    await settings.goto(f"{server.issuer}/settings")
    await settings.click("#sign-out button")

    assert await app.error_of("signinSilent") == "login_required"


async def test_a_page_of_another_site_is_told_to_ask_the_user_where_it_has_no_refresh_token(
    without_refresh_token: BrowserContext, server: ServerProcess, origins: Origins
) -> None:
    # Browsers send no cookie of ours from an iframe in another site (SameSite=Lax), so nobody is signed in there.
    app = await new_spa_page(without_refresh_token, server, origins.page)
    await app.sign_in()

    assert await app.error_of("signinSilent") == "login_required"
    assert await app.user() is not None


async def test_a_page_of_another_site_comes_back_at_once_by_redirect(
    without_refresh_token: BrowserContext, server: ServerProcess, origins: Origins
) -> None:
    app = await new_spa_page(without_refresh_token, server, origins.page)
    await app.sign_in()
    await app.load()
    await app.tab.evaluate("() => { manager.signinRedirect({ prompt: 'none' }) }")
    await app.tab.wait_for_url(f"{app.origin}{SPA}callback?*")

    assert await app.tab.evaluate("async () => (await arrived).profile.sub") == "ada"


async def _is_asked_to_sign_in(app: SpaPage) -> bool:
    await app.begin("signinRedirect")
    await expect(app.tab.locator("#password")).to_be_visible()
    return True
