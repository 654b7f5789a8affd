"""What users see of clients that registered themselves, and where they can open an application."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from device_world import device
from everbearer.oauth.client import SelfRegistration
from page_world import Browser, Page, PageWorld

ITSELF = SelfRegistration(access_token_hash="hash", scope=("openid", "email"))
LOGO = "https://cdn.web.example/logo.png"


async def registered(pages: PageWorld, **changes: Any) -> None:
    """Let the client of the pages' tests have registered itself."""
    await pages.world.change_client("web", remember_consent=False, **{"registration": ITSELF, **changes})


async def consent_page(pages: PageWorld, **changes: str) -> tuple[Browser, Page]:
    browser = await pages.signed_in()
    return browser, await pages.authorize(browser, **changes)


async def device_question(pages: PageWorld) -> Page:
    """Return the page that asks whether a device is the user's."""
    waiting = await device(pages.world, "web")
    return await (await pages.signed_in()).get("/device", user_code=waiting.user_code)


# Who asks


@pytest.mark.spec("ASVS 5.0", "10.4.7")
@pytest.mark.spec("RFC 7591", "5")
async def test_users_are_told_that_nobody_has_checked_a_client_and_where_what_they_allow_goes(pages: PageWorld) -> None:
    await registered(pages)
    _, page = await consent_page(pages)

    assert {"unverified", "goes-to"} <= page.ids
    assert "Nobody has checked this application" in page.html
    assert '<strong id="goes-to">web.example</strong>' in page.html


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("https://app.example:8443/cb", "app.example:8443"),
        ("http://127.0.0.1/cb", "a program on this device"),
        ("com.example.app:/cb", "the application of com.example.app:"),
    ],
)
async def test_where_it_goes_is_told_as_users_know_it(pages: PageWorld, uri: str, words: str) -> None:
    await registered(pages, redirect_uris=(uri,))
    _, page = await consent_page(pages)

    assert f'<strong id="goes-to">{words}</strong>' in page.html


@pytest.mark.spec("ASVS 5.0", "10.4.7")
@pytest.mark.spec("RFC 7591", "5")
async def test_who_connects_a_device_is_told_it_too(pages: PageWorld) -> None:
    await registered(pages, registration=SelfRegistration(access_token_hash="hash", scope=("openid", "offline_access")))
    page = await device_question(pages)

    assert "unverified" in page.ids
    assert '<strong id="goes-to">the device that shows the code</strong>' in page.html


@pytest.mark.spec("ASVS 5.0", "10.4.7")
async def test_the_sign_in_page_says_it_too(pages: PageWorld) -> None:
    await registered(pages)
    page = await pages.authorize(pages.browser())

    assert {"sign-in", "unverified"} <= page.ids


async def test_of_a_client_that_an_operator_made_or_verified_nothing_is_said(pages: PageWorld) -> None:
    _, made = await consent_page(pages)
    await registered(pages, registration=replace(ITSELF, verified_at=1))
    _, verified = await consent_page(pages)

    for page in (made, verified):
        assert "consent" in page.ids
        assert not {"unverified", "vouched-for"} & page.ids


async def test_of_a_client_with_a_software_statement_is_said_who_vouches_for_it(pages: PageWorld) -> None:
    await registered(pages, registration=replace(ITSELF, statement_issuer="https://directory.example"))
    _, page = await consent_page(pages)

    assert {"vouched-for", "goes-to"} <= page.ids
    assert "https://directory.example" in page.html
    assert "unverified" not in page.ids


async def test_what_a_client_says_of_itself_stays_text(pages: PageWorld) -> None:
    await registered(pages, client_name='<b id="x">Bank</b>', logo_uri=LOGO)
    _, page = await consent_page(pages)

    assert "x" not in page.ids
    assert "&lt;b id=" in page.html


# Asking


@pytest.mark.spec("ASVS 5.0", "10.7.1")
async def test_a_client_that_nobody_has_checked_asks_each_time(pages: PageWorld) -> None:
    await registered(pages)
    browser, page = await consent_page(pages)
    first = await browser.submit(page.form("consent"), decision="allow")

    assert "code" in first.answer
    assert "consent" in (await pages.authorize(browser)).ids
    assert (await pages.authorize(browser, prompt="none")).answer["error"] == "consent_required"


async def test_where_consent_is_remembered_it_asks_once(pages: PageWorld) -> None:
    await registered(pages)
    await pages.world.change_client("web", remember_consent=True)
    browser, page = await consent_page(pages)
    await browser.submit(page.form("consent"), decision="allow")

    assert "code" in (await pages.authorize(browser, prompt="none")).answer


async def test_the_account_page_says_which_applications_nobody_has_checked(pages: PageWorld) -> None:
    await registered(pages)
    browser, page = await consent_page(pages)
    back = await browser.submit(page.form("consent"), decision="allow")
    await pages.world.redeem(back.answer["code"], client="web")

    account = await browser.get("/settings")

    assert "not checked by anybody" in account.html
    assert "It asks each time" in account.html


# Logos and links


@pytest.mark.spec("RFC 7591", "2")
async def test_a_logo_may_come_from_where_it_stands_and_from_nowhere_else(pages: PageWorld) -> None:
    await pages.world.change_client("web", logo_uri=LOGO)
    sign_in = await pages.authorize(pages.browser())
    _, consent = await consent_page(pages)

    for page in (sign_in, consent):
        policy = page.header("Content-Security-Policy")
        assert "img-src 'self' https://cdn.web.example; " in policy
        (image,) = [attributes for tag, attributes in page.read.tags if tag == "img"]
        assert (image["src"], image["alt"], image["referrerpolicy"]) == (LOGO, "", "no-referrer")
        assert image["data-initial"] == "W"


async def test_who_connects_a_device_sees_the_logo_too(pages: PageWorld) -> None:
    await pages.world.change_client("web", logo_uri=LOGO)
    page = await device_question(pages)

    assert "client-logo" in page.ids
    assert "img-src 'self' https://cdn.web.example;" in page.header("Content-Security-Policy")


async def test_a_name_that_is_written_from_right_to_left_leaves_the_words_around_it_in_place(pages: PageWorld) -> None:
    await pages.world.change_client("web", client_name="הפתקים")
    _, page = await consent_page(pages)

    assert page.html.count("<bdi>הפתקים</bdi>") == page.html.partition("<h1>")[2].count("הפתקים")


async def test_without_a_logo_no_picture_may_come_from_anywhere(pages: PageWorld) -> None:
    page = await pages.authorize(pages.browser())

    assert "img-src 'self'; " in page.header("Content-Security-Policy")


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("data:image/png;base64,AA", " data:"),
        ("http://web.example/logo.png", ""),
        ("https://[2001:db8::1]/l", " https:"),
    ],
)
async def test_a_logo_that_may_not_be_shown_is_not_let_in(pages: PageWorld, uri: str, source: str) -> None:
    await pages.world.change_client("web", logo_uri=uri)
    page = await pages.authorize(pages.browser())

    assert f"img-src 'self'{source}; " in page.header("Content-Security-Policy")
    assert ("client-logo" in page.ids) == bool(source)


@pytest.mark.parametrize(("name", "initial"), [("— élan", "É"), ("", "W"), ("…", "?")])
async def test_where_a_logo_does_not_come_its_first_letter_stands(pages: PageWorld, name: str, initial: str) -> None:
    await pages.world.change_client("web", logo_uri=LOGO, client_name=name)
    page = await pages.authorize(pages.browser())

    assert f'data-initial="{initial}"' in page.html


async def test_links_to_a_client_tell_it_nothing(pages: PageWorld) -> None:
    await pages.world.change_client(
        "web",
        policy_uri="https://web.example/privacy",
        tos_uri="https://web.example/terms",
        client_uri="https://x.example",
    )
    page = await pages.authorize(pages.browser())

    links = [attributes for tag, attributes in page.read.tags if tag == "a" and attributes["href"].startswith("https:")]
    assert len(links) == 3
    assert {link["rel"] for link in links} == {"noopener noreferrer"}


# Opening an application


async def opened(pages: PageWorld, *, scope: str = "openid email") -> list[str]:
    """Let Ada allow the client something, and return where her account page opens it."""
    browser, page = await consent_page(pages, scope=scope)
    back = await browser.submit(page.form("consent"), decision="allow")
    await pages.world.redeem(back.answer["code"], client="web")
    return [
        link for link in (await browser.get("/settings")).read.links if link.startswith("https://web.example/login")
    ]


@pytest.mark.spec("OpenID Connect Core", "4")
async def test_the_account_page_opens_an_application_where_it_says(pages: PageWorld) -> None:
    await pages.world.change_client("web", initiate_login_uri="https://web.example/login?tenant=7")

    in_access, in_consents = await opened(pages)

    assert in_access == in_consents
    parts = urlsplit(in_access)
    assert parts._replace(query="").geturl() == "https://web.example/login"
    assert parse_qsl(parts.query) == [
        ("tenant", "7"),
        ("iss", "https://id.example"),
        ("login_hint", "ada@example.com"),
    ]


@pytest.mark.spec("OpenID Connect Core", "4")
async def test_an_application_that_may_not_know_the_login_is_not_told_it(pages: PageWorld) -> None:
    await pages.world.change_client("web", initiate_login_uri="https://web.example/login")

    links = await opened(pages, scope="openid")

    assert set(links) == {"https://web.example/login?iss=https%3A%2F%2Fid.example"}


async def test_an_application_that_names_no_place_is_not_opened(pages: PageWorld) -> None:
    assert await opened(pages) == []
