"""OpenID Connect Session Management 1.0: what clients may watch of a browser."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from everbearer.oauth.authorization_server import LogoutNotice
from everbearer.oauth.encoding import base64url
from everbearer.server.pages.routes import page_routes
from page_world import LOGIN, PASSWORD, Browser, Page, PageWorld

COOKIE = "__Host-everbearer_browser_state"
CHECK = "/oauth2/check_session"
WATCHED = frozenset({LogoutNotice.SESSION_MANAGEMENT})


@pytest.fixture
async def pages(pages: PageWorld) -> PageWorld:
    server = replace(pages.site.server, logout_notices=WATCHED)
    pages.site = replace(pages.site, server=server)
    pages.world = replace(pages.world, server=server)
    await pages.world.change_client("web", first_party=True)
    return pages


def expected(state: str, *, client_id: str = "spa", origin: str = "https://spa.example", salt: str) -> str:
    """Return the session state that a client of this origin should have been given."""

    def digest(*parts: str) -> str:
        return base64url(sha256(" ".join(parts).encode()).digest())

    return f"{digest(client_id, origin, state, salt)}.{digest(client_id, origin, salt)}.{salt}"


def is_unchanged(page: Page, browser: Browser) -> bool:
    """Return whether the state that an answer carries is still that of the browser."""
    told = page.answer["session_state"]
    return told == expected(browser.cookies[COOKIE], salt=told.rpartition(".")[2])


@pytest.mark.spec("OpenID Connect Session Management", "2")
async def test_an_answer_carries_the_state_of_the_browser_for_this_client_and_origin(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await pages.authorize(browser, "spa", scope="openid")

    assert "code" in page.answer
    assert is_unchanged(page, browser)
    assert " " not in page.answer["session_state"]


@pytest.mark.spec("OpenID Connect Session Management", "2")
@pytest.mark.parametrize("changes", [{"prompt": "none"}, {"prompt": "none", "response_type": "none"}])
async def test_an_error_carries_it_too(pages: PageWorld, changes: dict[str, str]) -> None:
    browser = pages.browser()
    page = await pages.authorize(browser, "spa", scope="openid", **changes)

    assert page.answer["error"] == "login_required"
    assert is_unchanged(page, browser)


@pytest.mark.spec("OpenID Connect Session Management", "3.2")
async def test_each_answer_has_a_salt_of_its_own(pages: PageWorld) -> None:
    browser = pages.browser()
    first = await pages.authorize(browser, "spa", prompt="none")
    second = await pages.authorize(browser, "spa", prompt="none")

    assert first.answer["session_state"] != second.answer["session_state"]


async def test_an_answer_without_a_code_or_after_a_page_carries_it(pages: PageWorld) -> None:
    browser = pages.browser()
    signed_in = await browser.sign_in(await pages.authorize(browser, "spa"))
    nothing = await pages.authorize(browser, "spa", response_type="none")
    denied = await browser.submit(
        (await pages.authorize(browser, "partner", scope="openid")).form("consent"), decision="deny"
    )
    cancelled = await browser.submit(
        (await pages.authorize(browser, "spa", prompt="login")).form("sign-in"), decision="cancel"
    )

    assert is_unchanged(signed_in, browser)
    assert is_unchanged(nothing, browser)
    assert is_unchanged(cancelled, browser)
    assert "session_state" in denied.answer


@pytest.mark.spec("OpenID Connect Session Management", "3.2")
async def test_signing_out_changes_it(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await pages.authorize(browser, "spa")
    await browser.submit((await browser.get("/oauth2/end_session")).form("logout-confirm"))

    assert not is_unchanged(page, browser)
    assert is_unchanged(await pages.authorize(browser, "spa", prompt="none"), browser)


@pytest.mark.spec("OpenID Connect Session Management", "3.2")
async def test_signing_in_changes_it_also_as_the_same_user(pages: PageWorld) -> None:
    browser = pages.browser()
    before = await pages.authorize(browser, "spa", prompt="none")
    first = await browser.sign_in(await pages.authorize(browser, "spa"))
    assert not is_unchanged(before, browser)
    again = await browser.sign_in(await pages.authorize(browser, "spa", prompt="login"))

    assert not is_unchanged(first, browser)
    assert is_unchanged(again, browser)


@pytest.mark.spec("OpenID Connect Session Management", "3.2")
async def test_nothing_else_changes_it(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await pages.authorize(browser, "spa")
    await pages.authorize(browser, "web")
    await browser.get("/settings")

    assert is_unchanged(page, browser)


async def test_a_session_that_ended_elsewhere_changes_it_with_the_next_answer(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await pages.authorize(browser, "spa")
    (session,) = await pages.site.store.sessions_of("ada")
    await pages.world.sign_out(session.session_id)
    await pages.authorize(browser, "spa", prompt="none")

    assert not is_unchanged(page, browser)


@pytest.mark.spec("OpenID Connect Session Management", "3.2")
async def test_the_cookie_tells_nothing_and_is_there_for_frames_over_https_alone(pages: PageWorld) -> None:
    browser = pages.browser()
    form = (await browser.get("/sign-in")).form("sign-in")
    page = await browser.send("POST", form.action, {**form.fields, "login": LOGIN, "password": PASSWORD})
    (cookie,) = [value for _, value in page.response.headers if value.startswith(f"{COOKIE}=")]

    value, *attributes = cookie.removeprefix(f"{COOKIE}=").split("; ")
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", value)
    assert {"Path=/", "SameSite=None", "Secure"} <= set(attributes)
    assert "HttpOnly" not in attributes
    assert value not in browser.cookies["__Host-everbearer_session"]


async def test_where_nobody_is_signed_in_two_browsers_are_not_the_same(pages: PageWorld) -> None:
    one, other = pages.browser(), pages.browser()
    await pages.authorize(one, "spa", prompt="none")
    await pages.authorize(other, "spa", prompt="none")

    assert one.cookies[COOKIE] != other.cookies[COOKIE]


async def test_without_tls_in_development_the_cookie_stays_within_the_site(pages: PageWorld) -> None:
    pages.site = replace(pages.site, server=replace(pages.site.server, issuer="http://localhost:8000"))
    browser = await pages.signed_in()

    assert "everbearer_browser_state" in browser.cookies


async def test_only_openid_requests_with_a_web_page_to_return_to_are_told(pages: PageWorld) -> None:
    await pages.world.change_client("spa", redirect_uris=("com.example.app:/cb", "https://spa.example/cb"))
    browser = await pages.signed_in()

    assert "session_state" not in (await pages.authorize(browser, "spa")).answer
    assert (
        "session_state"
        not in (await pages.authorize(browser, "spa", redirect_uri="https://spa.example/cb", scope="email")).answer
    )


@pytest.mark.spec("OpenID Connect Session Management", "3.2", "3.3")
async def test_the_frame_may_be_loaded_anywhere_and_runs_one_script(pages: PageWorld) -> None:
    page = await pages.browser().get(CHECK)

    script = page.html.partition("<script>")[2].partition("</script>")[0]
    assert page.status == 200
    assert page.header("Content-Security-Policy") == (
        f"default-src 'none'; script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'; "
        "base-uri 'none'"
    )
    assert page.header("X-Frame-Options") == ""
    assert page.header("Cache-Control") == "public, max-age=3600"
    assert script.count(COOKIE) == 2


async def test_a_browser_that_lost_its_state_has_it_again_with_the_next_answer(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    del browser.cookies[COOKIE]

    assert is_unchanged(await pages.authorize(browser, "spa"), browser)


async def test_a_request_in_a_frame_of_another_site_changes_nothing(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await pages.authorize(browser, "spa")
    # Of our cookies such a frame is given the one that is for it, and those it brings nobody keeps.
    in_a_frame = Browser(site=pages.site, cookies={COOKIE: browser.cookies[COOKIE]})
    refused = await pages.authorize(in_a_frame, "spa", prompt="none")

    assert refused.answer["error"] == "login_required"
    assert in_a_frame.cookies[COOKIE] == browser.cookies[COOKIE]
    assert is_unchanged(page, in_a_frame)
    assert is_unchanged(refused, browser)


async def test_where_nobody_may_watch_there_is_no_state_no_cookie_and_no_frame(pages: PageWorld) -> None:
    pages.site = replace(pages.site, server=replace(pages.site.server, logout_notices=frozenset()))
    browser = await pages.signed_in()
    page = await pages.authorize(browser, "spa")
    await browser.submit((await browser.get("/oauth2/end_session")).form("logout-confirm"))

    assert "session_state" not in page.answer
    assert COOKIE not in browser.cookies
    assert CHECK not in page_routes(pages.site)
