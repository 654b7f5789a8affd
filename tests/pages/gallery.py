"""Every page that the server shows, once as it mostly is and once with all that it may have to bear."""

from __future__ import annotations

from dataclasses import replace

from device_world import device
from everbearer.oauth.client import SelfRegistration
from everbearer.oauth.errors import InvalidRequest
from everbearer.oauth.models import DAY
from everbearer.oauth.resource import Resource
from everbearer.server.pages.problems import cookies_off_page, error_page, foreign_form_page, problem_page
from page_world import LOGIN, PASSWORD, Browser, Page, PageWorld
from server.app_world import Browser as DevelopmentBrowser
from server.app_world import new_endpoint

LONG_NAME = "Northwind Traders International Bookkeeping and Invoices 2026"
ONE_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
RIGHT_TO_LEFT = "דפדפן הפתקים שלי"
PICTURE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E"
    "%3Crect width='8' height='8' fill='teal'/%3E%3C/svg%3E"
)
SCOPES = {f"area{number}:write": f"Read and change what is kept in area {number}" for number in range(25)}
UNNAMED = tuple(f"https://api.northwind.example/scopes/permission.of.a.long.name.{number}" for number in range(5))
MANY = (*SCOPES, *UNNAMED)
ABOUT = {
    "client_uri": "https://web.example",
    "policy_uri": "https://web.example/privacy",
    "tos_uri": "https://web.example/terms",
}
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
)


async def gallery(pages: PageWorld) -> dict[str, Page]:
    """Return the pages by their names."""
    await _furnish(pages)
    return {
        **await _sign_in(pages),
        **await _consent(pages),
        **await _devices(pages),
        **await _account(pages),
        **await _sign_out(pages),
        **await _playground(),
        **_problems(pages),
    }


async def _furnish(pages: PageWorld) -> None:
    named = Resource(resource="https://notes.northwind.example", resource_name="Northwind's notes", any_client=True)
    unnamed = Resource(resource="https://files.northwind.example/v2", any_client=True)
    server = replace(
        pages.world.server,
        scopes={**pages.world.server.scopes, **SCOPES},
        resources={each.resource: each for each in (named, unnamed)},
    )
    pages.world.server, pages.site = server, replace(pages.site, server=server)
    change = pages.world.change_client
    await change("web", client_name="Northwind Notes", logo_uri=PICTURE, **ABOUT)
    await change("rotating", client_name=LONG_NAME, scope=("openid", "offline_access", *MANY), **ABOUT)
    await change("partner", client_name=RIGHT_TO_LEFT, logo_uri="https://web.example/gone.png")
    await change("opaque", client_name=ONE_WORD, initiate_login_uri="https://opaque.example/login")
    itself = SelfRegistration(access_token_hash="hash", scope=("openid", "email"))
    await change("native", client_name="Free Gifts", registration=itself, remember_consent=False)


async def _sign_in(pages: PageWorld) -> dict[str, Page]:
    plain, failing = pages.browser(), pages.browser()
    wrong = await failing.sign_in(await pages.authorize(failing, "web"), password="wrong")
    waiting = wrong
    while waiting.status != 429:
        waiting = await failing.sign_in(waiting, password="wrong")
    pages.world.clock.advance(DAY)
    return {
        "sign-in": await plain.get("/sign-in"),
        "sign-in for an application": await pages.authorize(
            plain, "web", login_hint="ada@example.com", ui_locales="fr"
        ),
        "sign-in for a long name": await pages.authorize(plain, "rotating", scope="openid"),
        "sign-in for one long word": await pages.authorize(plain, "opaque"),
        "sign-in from right to left": await pages.authorize(plain, "partner"),
        "sign-in for whom nobody knows": await pages.authorize(plain, "native"),
        "sign-in, wrong": wrong,
        "sign-in, too often": waiting,
    }


async def _consent(pages: PageWorld) -> dict[str, Page]:
    browser = await pages.signed_in()
    many = " ".join(("openid", "offline_access", *MANY))
    resource = "https://notes.northwind.example&resource=https://files.northwind.example/v2"
    query = await pages.authorization("web", scope="openid read offline_access")
    address = "&".join(f"{name}={value}" for name, value in query.items())
    return {
        "consent": await pages.authorize(browser, "web", scope="openid email profile"),
        "consent for everything": await pages.authorize(browser, "rotating", scope=many),
        "consent for one long word": await pages.authorize(browser, "opaque"),
        "consent from right to left": await pages.authorize(browser, "partner"),
        "consent for whom nobody knows": await pages.authorize(browser, "native"),
        "consent for resources": await browser.get(f"/oauth2/authorize?{address}&resource={resource}"),
    }


async def _devices(pages: PageWorld) -> dict[str, Page]:
    browser = await pages.signed_in()
    asked = [await device(pages.world, client) for client in ("web", "rotating")]
    plain, long = [await browser.get("/device", user_code=each.user_code) for each in asked]
    return {
        "device": await browser.get("/device"),
        "device, wrong": await browser.get("/device", user_code="BCDF-GHJK"),
        "device, sign-in": await pages.browser().get("/device", user_code=asked[0].user_code),
        "device, consent": plain,
        "device, consent for a long name": long,
        "device, connected": await browser.submit(plain.form("device-consent"), decision="allow"),
        "device, denied": await browser.submit(long.form("device-consent"), decision="deny"),
    }


async def _account(pages: PageWorld) -> dict[str, Page]:
    quiet = await (await pages.signed_in()).get("/settings")
    browser = await pages.signed_in()
    for agent in AGENTS:
        other = pages.browser()
        other.headers = {"user-agent": agent}
        await other.sign_in(await other.get("/sign-in"))
    pages.world.clock.advance(DAY)
    await _allow(pages, browser, "rotating", " ".join(("openid", "offline_access", *MANY)))
    await _allow(pages, browser, "opaque", "openid")
    await _allow(pages, browser, "partner", "openid offline_access read")
    await pages.tokens(browser, "spa", scope="openid")
    await pages.tokens(browser, "spa", scope="openid offline_access")
    full = await browser.get("/settings")
    revoked = await browser.submit(full.forms_to("/settings/applications/revoke")[-1])
    form = full.form("change-password")
    return {
        "account, new": quiet,
        "account": full,
        "account, revoked": await browser.get(revoked.url),
        "account, wrong password": await browser.submit(form, password="wrong", new_password="a good new password"),
        "account, weak password": await browser.submit(form, password=PASSWORD, new_password="password"),
        "ended": await browser.get("/ended/reused"),
    }


async def _allow(pages: PageWorld, browser: Browser, client: str, scope: str) -> None:
    page = await pages.authorize(browser, client, scope=scope)
    back = await browser.submit(page.form("consent"), decision="allow")
    await pages.world.redeem(back.answer["code"], client=client)


async def _sign_out(pages: PageWorld) -> dict[str, Page]:
    bye = "https://web.example/bye"
    await pages.world.change_client(
        "spa", frontchannel_logout_uri="https://spa.example/out", post_logout_redirect_uris=(bye,)
    )
    browser, other = await pages.signed_in(), await pages.signed_in()
    hint = (await pages.tokens(browser, "spa"))["id_token"]
    await pages.tokens(other, "rotating", scope="openid")
    return {
        "sign-out": await other.get("/oauth2/end_session"),
        "sign-out for a long name": await other.get(
            "/oauth2/end_session", client_id="rotating", post_logout_redirect_uri="https://elsewhere.example/"
        ),
        "signed out, going on": await browser.get(
            "/oauth2/end_session", id_token_hint=hint, post_logout_redirect_uri=bye
        ),
        "signed out": await pages.browser().get("/oauth2/end_session"),
        "signed out, with a way back": await pages.browser().get(
            "/oauth2/end_session", client_id="spa", post_logout_redirect_uri=bye
        ),
    }


async def _playground() -> dict[str, Page]:
    endpoint, _ = await new_endpoint(development=True)
    browser = DevelopmentBrowser(endpoint)
    first = await browser.get("/playground")
    sign_in = await browser.submit(first, do="start")
    begun = await browser.submit(sign_in, login=LOGIN, password=PASSWORD, decision="sign-in")
    refreshed = await browser.submit(await browser.submit(begun, do="0"), do="1")
    replayed = await browser.submit(refreshed, do="0")
    return {
        "playground": Page("", first),
        "playground, refreshed": Page("", refreshed),
        "playground, replayed": Page("", replayed),
    }


def _problems(pages: PageWorld) -> dict[str, Page]:
    site = pages.site
    error = InvalidRequest("the redirect_uri is not one that is registered for this client; register it first")
    return {
        "error": Page("", error_page(error, site)),
        "no cookies": Page("", cookies_off_page(site)),
        "foreign form": Page("", foreign_form_page(site)),
        **{f"problem {status}": Page("", problem_page(status, site)) for status in (404, 405, 418, 429, 500, 503)},
    }
