from __future__ import annotations

import pytest

from everbearer.oauth.events import EventKind
from everbearer.oauth.models import EndReason, Everything
from page_world import Browser, Page, PageWorld


async def consent_page(pages: PageWorld, **changes: str) -> tuple[Browser, Page]:
    browser = await pages.signed_in()
    return browser, await pages.authorize(browser, **changes)


@pytest.mark.spec("ASVS 5.0", "10.7.2")
async def test_it_tells_who_asks_for_what_and_for_how_long(pages: PageWorld) -> None:
    await pages.world.change_client("web", client_name="Northwind Notes")
    _, page = await consent_page(pages, scope="openid email offline_access read")

    assert {"consent", "allow", "deny", "client-name", "scopes", "duration"} <= page.ids
    assert "Northwind Notes" in page.html
    assert "See your e-mail address" in page.html
    assert "Read your notes" in page.html
    assert "until 30 days after its last use, at most 52 weeks" in page.html


@pytest.mark.spec("OpenID Connect Core", "3.1.2.4", "5.5")
async def test_a_claim_that_is_asked_for_by_name_is_asked_about_like_its_scope(pages: PageWorld) -> None:
    by_name = {"scope": "openid", "claims": '{"userinfo": {"email": {"essential": true}}}'}
    browser = await pages.signed_in()
    await browser.submit((await pages.authorize(browser, scope="openid")).form("consent"), decision="allow")
    page = await pages.authorize(browser, **by_name)
    assert "See your e-mail address" in page.html
    await browser.submit(page.form("consent"), decision="allow")

    tokens = await pages.tokens(browser, "web", **by_name)
    assert (await pages.world.userinfo(tokens["access_token"])).json["email"] == "ada@example.com"


@pytest.mark.parametrize(
    ("scope", "idle", "words"),
    [
        ("openid offline_access", None, "lasts until 52 weeks from now"),
        ("openid offline_access", 3600, "until 1 hour after its last use"),
        ("openid", None, "lasts 30 minutes at a time, and ends when you sign out"),
    ],
)
async def test_the_length_of_access_is_told_as_it_is(
    pages: PageWorld, scope: str, idle: int | None, words: str
) -> None:
    await pages.world.lifetimes("web", refresh_token_idle=idle)
    _, page = await consent_page(pages, scope=scope)

    assert words in page.html


async def test_allowing_takes_a_code_to_the_client(pages: PageWorld) -> None:
    browser, page = await consent_page(pages)
    back = await browser.submit(page.form("consent"), decision="allow")

    assert (await pages.world.redeem(back.answer["code"], client="web")).status == 200


@pytest.mark.spec("RFC 6749", "4.1.2.1")
async def test_denying_takes_access_denied_to_the_client_and_is_not_remembered(pages: PageWorld) -> None:
    browser, page = await consent_page(pages)
    back = await browser.submit(page.form("consent"), decision="deny")

    assert (back.answer["error"], back.answer["state"]) == ("access_denied", "s1")
    assert "consent" in (await pages.authorize(browser)).ids


async def test_a_form_without_a_decision_denies(pages: PageWorld) -> None:
    browser, page = await consent_page(pages)

    assert (await browser.submit(page.form("consent"))).answer["error"] == "access_denied"


async def test_a_consent_is_remembered(pages: PageWorld) -> None:
    browser, page = await consent_page(pages)
    await browser.submit(page.form("consent"), decision="allow")

    assert "code" in (await pages.authorize(browser)).answer
    assert "code" in (await pages.authorize(browser, scope="openid", prompt="none")).answer


async def test_more_than_was_consented_to_is_asked_for(pages: PageWorld) -> None:
    browser, page = await consent_page(pages, scope="openid")
    await browser.submit(page.form("consent"), decision="allow")

    assert "consent" in (await pages.authorize(browser, scope="openid email")).ids


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_prompt_consent_asks_though_it_is_remembered(pages: PageWorld) -> None:
    browser, page = await consent_page(pages)
    await browser.submit(page.form("consent"), decision="allow")
    page = await pages.authorize(browser, prompt="consent")
    assert "consent" in page.ids

    assert "code" in (await browser.submit(page.form("consent"), decision="allow")).answer


async def test_an_application_of_the_operator_needs_no_consent(pages: PageWorld) -> None:
    assert "code" in (await pages.authorize(await pages.signed_in(), "spa")).answer


@pytest.mark.spec("RFC 8252", "8.6")
async def test_an_application_on_the_device_is_asked_about_each_time(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await pages.authorize(browser, "native")
    await browser.submit(page.form("consent"), decision="allow")

    assert "consent" in (await pages.authorize(browser, "native")).ids


async def test_a_form_counts_for_the_request_it_was_shown_for_only(pages: PageWorld) -> None:
    browser, page = await consent_page(pages, scope="openid")
    form = page.form("consent")
    form.action = form.action.replace("scope=openid", "scope=openid+email")
    page = await browser.submit(form, decision="allow")

    assert page.status == 403
    assert (await pages.site.store.consent("ada", "web")).scope == ()


async def test_a_form_of_another_session_counts_for_nothing(pages: PageWorld) -> None:
    browser, page = await consent_page(pages)
    await pages.world.end_all(Everything.USER, "ada", EndReason.REVOKED_BY_ADMIN)
    await browser.sign_in(await pages.authorize(browser, "spa"))

    assert (await browser.submit(page.form("consent"), decision="allow")).status == 403


async def test_a_form_after_signing_out_asks_to_sign_in(pages: PageWorld) -> None:
    browser, page = await consent_page(pages)
    await pages.world.end_all(Everything.USER, "ada", EndReason.REVOKED_BY_ADMIN)
    page = await browser.submit(page.form("consent"), decision="allow")

    assert "sign-in" in page.ids
    assert "consent" in (await browser.sign_in(page)).ids


async def test_a_client_that_is_gone_meanwhile_gets_nothing(pages: PageWorld) -> None:
    browser, page = await consent_page(pages)
    await pages.world.change_client("web", disabled_at=1)

    assert (await browser.submit(page.form("consent"), decision="allow")).status == 400


async def test_a_consent_is_recorded(pages: PageWorld) -> None:
    browser, page = await consent_page(pages, scope="openid email")
    await browser.submit(page.form("consent"), decision="allow")

    events = await pages.site.store.events(subject="ada", client_id="web")
    given = next(event for event in events if event.kind is EventKind.CONSENT_GIVEN)
    assert (given.details, given.address) == ({"scope": "openid email"}, "192.0.2.7")


async def test_withdrawing_ends_what_the_consent_gave_and_asks_anew(pages: PageWorld) -> None:
    browser, page = await consent_page(pages)
    back = await browser.submit(page.form("consent"), decision="allow")
    tokens = (await pages.world.redeem(back.answer["code"], client="web")).json
    account = await browser.get("/settings")
    await browser.submit(account.forms_to("/settings/consents/withdraw")[0])

    assert (await pages.world.refresh(tokens["refresh_token"], client="web")).error == "invalid_grant"
    assert await pages.world.end_reason(tokens["refresh_token"]) is EndReason.CONSENT_WITHDRAWN
    assert "consent" in (await pages.authorize(browser)).ids


async def test_who_is_not_signed_in_is_asked_to_sign_in_instead(pages: PageWorld) -> None:
    _, page = await consent_page(pages)

    assert "sign-in" in (await pages.browser().submit(page.form("consent"), decision="allow")).ids
