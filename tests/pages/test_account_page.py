from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.login.accounts import create_user
from everbearer.login.sign_in import SignInLimits
from everbearer.oauth.events import EventKind
from everbearer.oauth.models import DAY, Ended, EndReason
from page_world import LOGIN, PASSWORD, Browser, PageWorld, at_once

NEW = "a new one entirely"


@pytest.mark.parametrize("path", ["/settings", "/settings/identities", "/settings/sessions"])
async def test_the_addresses_that_sdks_know_lead_to_it(pages: PageWorld, path: str) -> None:
    page = await (await pages.signed_in()).get(path)

    assert page.url == "/settings"
    assert "signed-in-as" in page.ids


@pytest.mark.parametrize(
    "path",
    [
        "/settings/password",
        "/settings/sessions/end",
        "/settings/applications/revoke",
        "/settings/consents/withdraw",
    ],
)
async def test_who_is_not_signed_in_must_sign_in_first(browser: Browser, path: str) -> None:
    assert "sign-in" in (await browser.get("/settings")).ids
    assert (await browser.send("POST", path)).location == "/sign-in"


async def test_a_query_is_no_harm(pages: PageWorld) -> None:
    assert (await (await pages.signed_in()).get("/settings?ui_locales=en&x=%ff")).status == 200


async def test_signing_out_there_signs_out(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await browser.submit((await browser.get("/settings")).form("sign-out"))

    assert "signed-out" in page.ids
    assert "sign-in" in (await browser.get("/settings")).ids


@pytest.mark.spec("ASVS 5.0", "6.2.2", "6.2.3", "7.4.3")
async def test_changing_the_password_signs_out_everywhere_else(pages: PageWorld) -> None:
    other, browser = await pages.signed_in(), await pages.signed_in()
    refresh_token = (await pages.tokens(browser))["refresh_token"]
    form = (await browser.get("/settings")).form("change-password")
    page = await browser.submit(form, password=PASSWORD, new_password=NEW)

    assert "Your password is changed" in page.html
    assert LOGIN in page.html
    assert "sign-in" in (await other.get("/settings")).ids
    assert await pages.world.end_reason(refresh_token) is EndReason.PASSWORD_CHANGED


@pytest.mark.parametrize(
    ("present", "new", "words"),
    [
        ("wrong password", NEW, "present password is not right"),
        (PASSWORD, "short", "at least 8 characters"),
        (PASSWORD, "x1" * 70, "at most 128 characters"),
        (PASSWORD, "password1", "anybody would guess"),
        (PASSWORD, LOGIN, "must not be your login"),
    ],
)
async def test_a_password_that_is_refused_is_explained(pages: PageWorld, present: str, new: str, words: str) -> None:
    browser = await pages.signed_in()
    form = (await browser.get("/settings")).form("change-password")
    page = await browser.submit(form, password=present, new_password=new)

    assert page.status == 422
    assert words in page.html
    assert (await browser.get("/settings")).url == "/settings"


async def test_guessing_the_present_password_is_limited(pages: PageWorld) -> None:
    pages.site = replace(pages.site, limits=SignInLimits(per_account=1))
    browser = await pages.signed_in()
    form = (await browser.get("/settings")).form("change-password")
    await browser.submit(form, password="wrong password", new_password=NEW)
    page = await browser.submit(form, password=PASSWORD, new_password=NEW)

    assert (page.status, page.header("Retry-After")) == (429, "900")


@pytest.mark.spec("ASVS 5.0", "7.5.2")
async def test_it_lists_the_browsers_and_signs_one_out(pages: PageWorld) -> None:
    first, second, third = [await pages.signed_in() for _ in range(3)]
    page = await first.get("/settings")
    assert page.html.count("Firefox on Linux</p>") + page.html.count("Firefox on Linux<span") == 3
    forms = [form for form in page.forms_to("/settings/sessions/end") if "session" in form.fields]
    assert len(forms) == 2

    await first.submit(forms[0])
    signed_in = [(await browser.get("/settings")).url == "/settings" for browser in (first, second, third)]
    assert signed_in[0]
    assert sorted(signed_in[1:]) == [False, True]


@pytest.mark.spec("ASVS 5.0", "7.4.3")
async def test_it_signs_all_others_out(pages: PageWorld) -> None:
    first, second, third = [await pages.signed_in() for _ in range(3)]
    await first.submit((await first.get("/settings")).form("end-others"))

    assert (await first.get("/settings")).url == "/settings"
    assert (await second.get("/settings")).url == (await third.get("/settings")).url == "/sign-in"


async def test_a_session_of_another_user_is_left_alone(pages: PageWorld) -> None:
    await create_user("bob", NEW, store=pages.site.store, run=at_once, now=pages.site.now(), actor="t", subject="bob")
    bob, ada = pages.browser(), await pages.signed_in()
    await bob.sign_in(await bob.get("/sign-in"), "bob", NEW)
    second = await pages.signed_in()
    form = (await ada.get("/settings")).forms_to("/settings/sessions/end")[0]
    victim = (await pages.site.store.sessions_of("bob"))[0].session_id
    await ada.submit(form, session=victim)

    assert (await bob.get("/settings")).url == "/settings"
    assert (await second.get("/settings")).url == "/settings"


@pytest.mark.spec("ASVS 5.0", "10.4.9", "10.7.3")
async def test_it_lists_applications_and_revokes_one(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    refresh_token = (await pages.tokens(browser))["refresh_token"]
    page = await browser.get("/settings")
    assert "Notes" in page.html
    assert "offline-label" in page.ids
    page = await browser.submit(page.forms_to("/settings/applications/revoke")[0])

    assert (await pages.world.refresh(refresh_token)).error == "invalid_grant"
    assert await pages.world.end_reason(refresh_token) is EndReason.REVOKED_BY_USER
    assert "you revoked it" in page.html
    assert "/ended/revoked_by_user" in page.read.links


async def test_a_grant_of_another_user_is_left_alone(pages: PageWorld) -> None:
    token = await pages.world.refresh_token()
    grant = await pages.world.grant(token)
    await create_user("bob", NEW, store=pages.site.store, run=at_once, now=pages.site.now(), actor="t", subject="bob")
    bob = pages.browser()
    page = await bob.sign_in(await bob.get("/sign-in"), "bob", NEW)
    await pages.tokens(bob)
    form = (await bob.get("/settings")).forms_to("/settings/applications/revoke")[0]
    await bob.submit(form, grant=grant.grant_id)
    await bob.submit(form, grant="nothing like it")

    assert page.url == "/settings"
    assert await pages.world.end_reason(token) is None


@pytest.mark.parametrize(("scope", "label"), [("openid", "online-label"), ("openid offline_access", "offline-label")])
async def test_online_access_is_told_from_offline(pages: PageWorld, scope: str, label: str) -> None:
    browser = await pages.signed_in()
    await pages.tokens(browser, scope=scope)
    page = await browser.get("/settings")

    assert page.ids & {"online-label", "offline-label"} == {label}


@pytest.mark.spec("OpenID Connect Back-Channel Logout", "2.7")
async def test_what_stays_signed_in_is_named_after_signing_out_and_can_be_ended_there(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    online = await pages.tokens(browser, scope="openid")
    offline = await pages.tokens(browser)
    await browser.submit((await browser.get("/settings")).form("sign-out"))
    assert not await pages.world.active(online["access_token"])
    assert await pages.world.active(offline["refresh_token"])
    page = await (again := await pages.signed_in()).get("/settings")
    assert page.ids & {"online-label", "offline-label"} == {"offline-label"}
    await again.submit(page.forms_to("/settings/applications/revoke")[0])

    assert (await pages.world.refresh(offline["refresh_token"])).error == "invalid_grant"


async def test_a_session_names_what_it_signed_in_to(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    await pages.signed_in()
    await pages.tokens(browser, "spa")
    page = await browser.get("/settings")

    assert page.html.count("Signed in to <bdi>Notes</bdi>.") == 1
    assert page.html.count("data-signed-in-to") == 1


async def test_a_code_that_nobody_redeemed_is_no_access(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    await pages.authorize(browser, "spa")

    assert "no-applications" in (await browser.get("/settings")).ids


@pytest.mark.parametrize("reason", EndReason)
async def test_every_reason_has_words(pages: PageWorld, reason: EndReason) -> None:
    browser = await pages.signed_in()
    token = (await pages.tokens(browser))["refresh_token"]
    grant = await pages.world.grant(token)
    await pages.site.store.end_grant(grant.grant_id, Ended(reason=reason, actor="server", at=pages.site.now()))
    page = await browser.get("/settings")

    assert f"/ended/{reason}" in page.read.links


async def test_what_ended_long_ago_is_not_told(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    grant = await pages.world.grant((await pages.tokens(browser))["refresh_token"])
    await pages.site.store.end_grant(grant.grant_id, pages.world.ended())
    pages.world.clock.advance(20 * DAY)
    assert "Ended lately" in (await browser.get("/settings")).html
    pages.world.clock.advance(11 * DAY)

    assert "Ended lately" not in (await browser.get("/settings")).html


async def test_access_that_expired_by_itself_is_told_as_ended(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    await pages.tokens(browser)
    pages.world.clock.advance(20 * DAY)
    await browser.get("/settings")
    pages.world.clock.advance(10 * DAY)

    assert "not used for too long" in (await browser.get("/settings")).html


async def test_access_of_a_client_that_is_gone_can_still_be_read(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await pages.authorize(browser)
    page = await browser.submit(page.form("consent"), decision="allow")
    await pages.world.redeem(page.answer["code"], client="web")
    event = pages.world.event(EventKind.CLIENT_DELETED)
    await pages.site.store.delete_client("web", event, pages.world.ended(EndReason.CLIENT_DELETED))

    assert "the application was removed" in (await browser.get("/settings")).html


async def test_the_latest_end_is_told_first_and_not_more_than_ten(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    grants = [await pages.world.grant((await pages.tokens(browser))["refresh_token"]) for _ in range(12)]
    for grant in grants:
        pages.world.clock.advance(1)
        await pages.site.store.end_grant(grant.grant_id, pages.world.ended())
    last = Ended(reason=EndReason.REUSED, actor="server", at=pages.site.now() + 1)
    grant = await pages.world.grant((await pages.tokens(browser))["refresh_token"])
    await pages.site.store.end_grant(grant.grant_id, last)
    links = [link for link in (await browser.get("/settings")).read.links if link.startswith("/ended/")]

    assert links == ["/ended/reused", *["/ended/revoked_by_admin"] * 9]


async def test_without_an_idle_limit_only_the_latest_end_is_told(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    await pages.tokens(browser)
    assert "if not used before" in (await browser.get("/settings")).html
    await pages.world.lifetimes("spa", refresh_token_idle=None)

    assert "if not used before" not in (await browser.get("/settings")).html


async def test_two_grants_of_one_client_are_two_accesses(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    await pages.tokens(browser)
    await pages.tokens(browser)

    assert len((await browser.get("/settings")).forms_to("/settings/applications/revoke")) == 2
