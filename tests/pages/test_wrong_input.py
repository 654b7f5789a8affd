"""Each form of the pages with something wrong in each of its fields: a page that says so, and nothing done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

import pytest

from device_world import device
from page_world import Browser, Form, Page, PageWorld


@dataclass(frozen=True)
class Opened:
    """A form in the browser that it was opened with, filled in."""

    browser: Browser
    form: Form
    fields: dict[str, str]

    async def send(self, body: bytes) -> Page:
        return await self.browser.send("POST", self.form.action, body)


Opening: TypeAlias = Callable[[PageWorld], Awaitable[Opened]]
Fault: TypeAlias = Callable[[dict[str, str], str], bytes]

MARKUP = "<script>alert(1)</script>"


def encoded(fields: dict[str, str]) -> bytes:
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in fields.items()).encode()


def with_bytes(wrong: bytes) -> Fault:
    def fault(fields: dict[str, str], name: str) -> bytes:
        others = {other: value for other, value in fields.items() if other != name}
        return encoded(others) + b"&" + name.encode() + b"=" + wrong

    return fault


def left_out(fields: dict[str, str], name: str) -> bytes:
    return encoded({other: value for other, value in fields.items() if other != name})


def doubled(fields: dict[str, str], name: str) -> bytes:
    return encoded(fields) + f"&{name}=again".encode()


UNREADABLE: dict[str, Fault] = {
    "twice": doubled,
    "a NUL": with_bytes(b"a%00b"),
    "no UTF-8": with_bytes(b"%FF%FE"),
    "half a character": with_bytes(b"%ED%A0%80"),
    "raw bytes": with_bytes("é".encode()),
}
UNHEARD_OF: dict[str, Fault] = {
    "left out": left_out,
    "empty": with_bytes(b""),
    "long": with_bytes(b"A" * 60_000),
    "markup": with_bytes(quote(MARKUP).encode()),
    "a line break": with_bytes(b"a%0D%0ASet-Cookie:%20x=y"),
    "broken percent": with_bytes(b"%zz%"),
}


async def signing_in(pages: PageWorld) -> Opened:
    browser = pages.browser()
    form = (await pages.authorize(browser)).form("sign-in")
    return Opened(
        browser,
        form,
        {**form.fields, "login": "ada@example.com", "password": "correct horse battery", "decision": "sign-in"},
    )


async def consenting(pages: PageWorld) -> Opened:
    browser = await pages.signed_in()
    form = (await pages.authorize(browser, "partner", prompt="consent")).form("consent")
    return Opened(browser, form, {**form.fields, "decision": "allow"})


async def signing_out(pages: PageWorld) -> Opened:
    browser = await pages.signed_in()
    form = (await browser.get("/oauth2/end_session")).form("logout-confirm")
    return Opened(browser, form, form.fields)


async def connecting(pages: PageWorld) -> Opened:
    browser = await pages.signed_in()
    waiting = await device(pages.world, "partner")
    form = (await browser.get("/device", user_code=waiting.user_code)).form("device-consent")
    return Opened(browser, form, {**form.fields, "decision": "allow"})


async def at_the_account(pages: PageWorld) -> tuple[Browser, Page]:
    await pages.signed_in()
    browser = await pages.signed_in()
    await pages.tokens(browser)
    asking = (await pages.authorize(browser, "partner", prompt="consent")).form("consent")
    await browser.submit(asking, decision="allow")
    return browser, await browser.get("/settings")


async def changing_the_password(pages: PageWorld) -> Opened:
    browser, page = await at_the_account(pages)
    form = page.form("change-password")
    return Opened(browser, form, {**form.fields, "password": "wrong", "new_password": "another good phrase"})


def pressing(action: str) -> Opening:
    async def opening(pages: PageWorld) -> Opened:
        browser, page = await at_the_account(pages)
        form = page.forms_to(action)[0]
        return Opened(browser, form, form.fields)

    return opening


OPENINGS: dict[str, Opening] = {
    "sign-in": signing_in,
    "consent": consenting,
    "sign-out": signing_out,
    "device": connecting,
    "password": changing_the_password,
    "a session": pressing("/settings/sessions/end"),
    "a grant": pressing("/settings/applications/revoke"),
    "a consent": pressing("/settings/consents/withdraw"),
    "signing out of the account": pressing("/sign-out"),
}

any_form = pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS)


@any_form
@pytest.mark.parametrize("fault", UNHEARD_OF.values(), ids=UNHEARD_OF)
async def test_whatever_stands_in_a_field_gets_a_page_or_leads_on(
    pages: PageWorld, opening: Opening, fault: Fault
) -> None:
    opened = await opening(pages)
    for name in opened.fields:
        page = await opened.send(fault(opened.fields, name))

        assert page.status in {200, 303, 400, 403, 422}, (name, page.html)
        assert MARKUP not in page.html
        assert "\r" not in str(page.response.headers)
        if page.status != 303:
            assert page.html.count("<h1") == 1
            assert page.header("Cache-Control") == "no-store"
            assert "frame-ancestors 'none'" in page.header("Content-Security-Policy")


@any_form
@pytest.mark.parametrize("fault", UNREADABLE.values(), ids=UNREADABLE)
async def test_a_form_that_cannot_be_read_is_said_to_be_so_and_does_nothing(
    pages: PageWorld, opening: Opening, fault: Fault
) -> None:
    opened = await opening(pages)
    cookies = dict(opened.browser.cookies)
    before = await pages.world.store.grants(subject="ada"), await pages.world.store.sessions_of("ada")

    answers = [await opened.send(fault(opened.fields, name)) for name in opened.fields]

    for page in answers:
        assert (page.status, page.response.error) == (400, "invalid_request")
        assert "We could not read that" in page.html
        assert page.ids >= {"problem", "problem-detail"}
    assert opened.browser.cookies == cookies
    assert (await pages.world.store.grants(subject="ada"), await pages.world.store.sessions_of("ada")) == before


@any_form
@pytest.mark.parametrize("sent_as", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
async def test_a_form_of_another_content_type_is_not_read(pages: PageWorld, opening: Opening, sent_as: str) -> None:
    opened = await opening(pages)
    opened.browser.headers = {"content-type": sent_as}

    page = await opened.send(encoded(opened.fields))

    assert page.status == 400
    assert "application/x-www-form-urlencoded" in page.html


@any_form
async def test_whoever_comes_back_to_the_address_of_a_form_is_led_to_a_page(pages: PageWorld, opening: Opening) -> None:
    opened = await opening(pages)

    page = await opened.browser.get(opened.form.action)

    assert page.status == 200
    assert page.html.count("<form") > 0


async def test_whoever_comes_back_to_a_consent_is_asked_the_same_again(pages: PageWorld) -> None:
    opened = await consenting(pages)

    page = await opened.browser.get(opened.form.action)

    assert page.form("consent").fields == opened.form.fields
