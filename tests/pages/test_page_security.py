from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files

import pytest

from device_world import device
from everbearer.oauth.errors import TooManyRequests
from everbearer.oauth.models import EndReason
from everbearer.server.pages.assets import ASSETS, Asset
from everbearer.server.pages.problems import error_page, problem_page
from everbearer.server.pages.rendering import duration, wait
from everbearer.server.pages.user_agent import browser_name
from page_world import Browser, Page, PageWorld


async def every_page(pages: PageWorld) -> list[Page]:
    browser = await pages.signed_in()
    devices = [await device(pages.world, "partner") for _ in range(3)]
    questions = [await browser.get("/device", user_code=each.user_code) for each in devices]
    return [
        await pages.browser().get("/device"),
        await browser.get("/device", user_code="wrong"),
        *questions,
        await browser.submit(questions[0].form("device-consent"), decision="allow"),
        await browser.submit(questions[1].form("device-consent"), decision="deny"),
        await pages.authorize(pages.browser()),
        await pages.authorize(browser),
        await browser.get("/settings"),
        await browser.get("/oauth2/end_session"),
        await pages.browser().get("/oauth2/end_session"),
        await browser.get("/oauth2/authorize"),
        *[await browser.get(f"/ended/{reason}") for reason in EndReason],
        *[Page("", problem_page(status, pages.site)) for status in (404, 405, 418, 429, 500, 503)],
    ]


@pytest.mark.spec("ASVS 5.0", "3.4.3", "3.4.4", "3.4.5", "3.4.6")
async def test_every_page_has_the_headers_that_protect_it(pages: PageWorld) -> None:
    for page in await every_page(pages):
        assert page.header("Content-Security-Policy").startswith("default-src 'none'; style-src 'self'; img-src")
        assert "frame-ancestors 'none'; base-uri 'none'" in page.header("Content-Security-Policy")
        assert page.header("X-Content-Type-Options") == "nosniff"
        assert page.header("X-Frame-Options") == "DENY"
        assert page.header("Referrer-Policy") == "same-origin"
        assert page.header("Cache-Control") == "no-store"
        assert page.header("Content-Type") == "text/html; charset=utf-8"


async def test_every_page_is_one_document_in_a_language_with_a_title_and_labels(pages: PageWorld) -> None:
    for page in await every_page(pages):
        tags = page.read.tags
        labelled = {attributes.get("for") for tag, attributes in tags if tag == "label"}
        fields = [
            attributes
            for tag, attributes in tags
            if tag == "input" and attributes.get("type") != "hidden" and "hidden" not in attributes
        ]
        ids = [attributes["id"] for _, attributes in tags if "id" in attributes]

        assert page.html.startswith('<!doctype html>\n<html lang="en">')
        assert re.search(r"<title>[^<]+ · Everbearer</title>", page.html)
        assert page.html.count("<h1") == 1
        assert {field["id"] for field in fields} <= labelled
        assert len(ids) == len(set(ids))


async def test_no_page_needs_a_script_or_an_inline_style(pages: PageWorld) -> None:
    for page in await every_page(pages):
        for tag, attributes in page.read.tags:
            assert tag not in {"script", "style", "iframe"}
            assert not [name for name in attributes if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("redirect_uri", ["https://web.example/cb", "http://127.0.0.1:4321/cb", "http://[::1]:4321/cb"])
async def test_forms_may_lead_on_to_wherever_the_client_sends_the_user(
    pages: PageWorld, browser: Browser, redirect_uri: str
) -> None:
    # CSP 3 §6.4.1.1, as Chromium and Safari read it: redirects after a form are held to it to the very last.
    await pages.world.change_client("web", redirect_uris=(redirect_uri,))
    page = await pages.authorize(browser, "web")

    assert "form-action" not in page.header("Content-Security-Policy")


async def test_forms_may_lead_on_to_an_app_by_its_scheme_and_nowhere_else(pages: PageWorld, browser: Browser) -> None:
    await pages.world.change_client("web", redirect_uris=("com.example.app:/cb",))
    page = await pages.authorize(browser, "web")

    assert "form-action 'self' com.example.app:;" in page.header("Content-Security-Policy")


async def test_forms_that_lead_to_no_client_stay_here(browser: Browser) -> None:
    page = await browser.send("GET", "/sign-in")

    assert "form-action 'self';" in page.header("Content-Security-Policy")


@pytest.mark.spec("ASVS 5.0", "3.3.1", "3.3.2", "3.3.3", "3.3.4")
async def test_cookies_are_kept_from_scripts_siblings_and_plain_http(pages: PageWorld) -> None:
    browser = pages.browser()
    page = await browser.send("GET", "/sign-in")
    assert re.fullmatch(
        r"__Host-everbearer_browser=[\w-]{22}; Path=/; HttpOnly; SameSite=Lax; Secure", page.header("Set-Cookie")
    )
    form = page.form("sign-in")
    page = await browser.send(
        "POST", form.action, {**form.fields, "login": "ada@example.com", "password": "correct horse battery"}
    )

    assert re.fullmatch(
        r"__Host-everbearer_session=ers_[\w-]+; Path=/; HttpOnly; SameSite=Lax; Max-Age=31449600; Secure",
        page.header("Set-Cookie"),
    )


async def test_on_plain_http_cookies_still_work(pages: PageWorld) -> None:
    pages.site = replace(pages.site, server=replace(pages.site.server, issuer="http://127.0.0.1:8000"))
    browser = await pages.signed_in()

    assert set(browser.cookies) == {"everbearer_browser", "everbearer_session"}
    assert (await browser.get("/settings")).url == "/settings"


FORGED = {
    "another site": {"sec-fetch-site": "cross-site"},
    "a sibling site": {"sec-fetch-site": "same-site"},
    "another origin": {"origin": "https://evil.example"},
    "an opaque origin": {"origin": "null"},
}


@pytest.mark.spec("ASVS 5.0", "3.5.1", "3.5.3")
@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED)
async def test_a_form_from_elsewhere_is_refused(pages: PageWorld, headers: dict[str, str]) -> None:
    browser = await pages.signed_in()
    form = (await browser.get("/settings")).form("sign-out")
    browser.headers = headers
    page = await browser.submit(form)

    assert page.status == 403
    browser.headers = {}
    assert (await browser.get("/settings")).url == "/settings"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://id.example", "sec-fetch-site": "same-origin"},
        {"origin": "https://id.example"},
        {"origin": "http://localhost:9", "host": "localhost:9"},
        {"sec-fetch-site": "none"},
        {},
    ],
)
async def test_a_form_of_our_own_is_taken(pages: PageWorld, headers: dict[str, str]) -> None:
    browser = pages.browser()
    page = await browser.get("/sign-in")
    browser.headers = headers

    assert (await browser.sign_in(page)).url == "/settings"


@pytest.mark.parametrize("token", ["", "x", "ä"])
async def test_a_form_without_its_token_is_refused(browser: Browser, token: str) -> None:
    page = await browser.get("/sign-in")

    assert (await browser.sign_in(page, form_token=token)).status == 403


async def test_a_token_of_another_browser_is_refused(pages: PageWorld, browser: Browser) -> None:
    theirs = (await pages.browser().get("/sign-in")).form("sign-in").fields["form_token"]
    page = await browser.get("/sign-in")

    assert (await browser.sign_in(page, form_token=theirs)).status == 403


async def test_a_token_of_another_form_is_refused(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await browser.get("/settings")
    token = page.form("change-password").fields["form_token"]

    assert (await browser.submit(page.form("sign-out"), form_token=token)).status == 403


async def test_a_broken_cookie_header_is_a_browser_we_do_not_know(browser: Browser) -> None:
    browser.headers = {"cookie": "=;;;__Host-everbearer_session; __Host-everbearer_session=ers_zzz; =x"}

    assert "sign-in" in (await browser.get("/settings")).ids


@pytest.mark.parametrize("asset", ASSETS, ids=lambda asset: asset.media_type)
async def test_assets_are_kept_by_browsers(browser: Browser, asset: Asset) -> None:
    page = await browser.send("GET", asset.path)
    assert page.header("Cache-Control") == "public, max-age=31536000, immutable"
    assert page.response.body == asset.content

    browser.headers = {"if-none-match": page.header("ETag")}
    assert (await browser.send("GET", asset.path)).status == 304


def test_the_icon_and_the_mark_are_the_same_drawing() -> None:
    folder = files("everbearer.server.pages")
    icon = (folder / "assets" / "icon.svg").read_text()
    mark = (folder / "templates" / "_mark.svg").read_text()

    assert mark.replace(' aria-hidden="true" focusable="false"', "") == icon


async def test_the_reason_pages_ask_for_nothing_and_tell_both_sides(browser: Browser) -> None:
    page = await browser.send("GET", "/ended/reused")

    assert {"ended", "for-users", "for-developers"} <= page.ids
    assert page.read.forms == []
    assert page.header("Set-Cookie") == ""


def test_an_error_page_says_when_to_try_again(pages: PageWorld) -> None:
    response = error_page(TooManyRequests("slow down", retry_after=7), pages.site)

    assert (response.status, dict(response.headers)["Retry-After"]) == (429, "7")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (90, "90 seconds"),
        (900, "15 minutes"),
        (3600, "1 hour"),
        (86400, "1 day"),
        (14 * 86400, "14 days"),
        (30 * 86400, "30 days"),
        (52 * 7 * 86400, "52 weeks"),
        (365 * 86400, "365 days"),
        (0, "0 seconds"),
    ],
)
def test_lengths_of_time_are_told_in_words(seconds: int, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
            "Chrome on Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("curl/8.0", "A browser"),
        ("", "A browser"),
    ],
)
def test_browsers_are_called_by_their_names(agent: str, name: str) -> None:
    assert browser_name(agent) == name


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (61, "2 minutes"), (900, "15 minutes")],
)
def test_who_has_to_wait_is_told_whole_minutes(seconds: int, words: str) -> None:
    assert wait(seconds) == words
