"""The page for user codes (RFC 8628 §3.3), as a browser without scripts meets it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device_world import Device, device
from everbearer.login.user_code_limits import UserCodeLimits
from everbearer.oauth.models import EndReason
from meddled_store import meddled
from page_world import Browser, Page, PageWorld


async def asked(pages: PageWorld, client: str = "partner", **changes: str | None) -> Device:
    return await device(pages.world, client, **{"scope": "openid email offline_access", **changes})


async def question(pages: PageWorld, waiting: Device) -> tuple[Browser, Page]:
    """Return a signed-in browser with the page that asks whether the device is the user's."""
    browser = await pages.signed_in()
    return browser, await browser.get("/device", user_code=waiting.user_code)


@pytest.mark.spec("RFC 8628", "3.3")
async def test_a_user_types_the_code_signs_in_allows_and_the_device_goes_on(pages: PageWorld) -> None:
    waiting = await asked(pages)
    browser = pages.browser()
    page = await browser.get("/device")
    page = await browser.get(page.form("device").action, user_code=waiting.user_code.lower().replace("-", " "))
    assert "to connect your device" in page.html
    page = await browser.sign_in(page)
    page = await browser.submit(page.form("device-consent"), decision="allow")

    assert "connected" in page.ids
    assert (await waiting.poll()).status == 200


@pytest.mark.spec("RFC 8628", "3.3.1")
async def test_a_link_with_the_code_asks_to_compare_it_with_the_device(pages: PageWorld) -> None:
    waiting = await asked(pages)
    uri = waiting.answer.json["verification_uri_complete"].removeprefix("https://id.example")
    browser = await pages.signed_in()
    page = await browser.get(uri)

    assert {"device-consent", "user-code", "phishing", "allow", "deny"} <= page.ids
    assert waiting.user_code in page.html
    assert (await waiting.poll()).error == "authorization_pending"


@pytest.mark.spec("RFC 8628", "5.4")
async def test_the_question_tells_which_application_asks_and_warns_of_phishing(pages: PageWorld) -> None:
    await pages.world.change_client("partner", client_name="Northwind TV")
    _, page = await question(pages, await asked(pages))

    assert "Northwind TV" in page.html
    assert "ada@example.com" in page.html
    assert "See your e-mail address" in page.html
    assert "Only go on if you started this on a device of yours" in page.html
    assert "from the network address 192.0.2.1" in page.html
    assert "until 30 days after its last use, at most 52 weeks" in page.html


@pytest.mark.parametrize(
    ("scope", "idle", "words"),
    [
        ("openid offline_access", None, "stays connected for 52 weeks"),
        ("openid offline_access", 3600, "until 1 hour after its last use"),
        ("openid", None, "stays connected for 30 minutes"),
    ],
)
async def test_the_length_of_access_is_told_as_it_is(
    pages: PageWorld, scope: str, idle: int | None, words: str
) -> None:
    await pages.world.lifetimes("partner", refresh_token_idle=idle)
    _, page = await question(pages, await asked(pages, scope=scope))

    assert words in page.html


@pytest.mark.spec("RFC 8628", "5.4")
async def test_the_operators_own_application_is_asked_about_too(pages: PageWorld) -> None:
    waiting = await asked(pages, "spa")
    browser, page = await question(pages, waiting)
    await browser.submit(page.form("device-consent"), decision="allow")

    assert (await waiting.poll()).status == 200


async def test_a_consent_that_was_given_before_does_not_spare_the_question(pages: PageWorld) -> None:
    waiting = await asked(pages)
    browser, page = await question(pages, waiting)
    await browser.submit(page.form("device-consent"), decision="allow")
    again = await asked(pages)

    assert "device-consent" in (await browser.get("/device", user_code=again.user_code)).ids


@pytest.mark.spec("RFC 8628", "3.5")
@pytest.mark.parametrize("typed", [{"decision": "deny"}, {}], ids=["deny", "no decision"])
async def test_denying_tells_the_device_so(pages: PageWorld, typed: dict[str, str]) -> None:
    waiting = await asked(pages)
    browser, page = await question(pages, waiting)
    done = await browser.submit(page.form("device-consent"), **typed)

    assert "denied" in done.ids
    assert (await waiting.poll()).error == "access_denied"
    assert await pages.world.store.consents_of("ada") == []


async def test_what_was_allowed_stands_on_the_account_page_and_can_be_taken_back(pages: PageWorld) -> None:
    await pages.world.change_client("partner", client_name="Northwind TV")
    waiting = await asked(pages)
    browser, page = await question(pages, waiting)
    await browser.submit(page.form("device-consent"), decision="allow")
    token = (await waiting.poll()).refresh_token
    account = await browser.get("/settings")
    assert "Northwind TV" in account.html
    await browser.submit(account.forms_to("/settings/consents/withdraw")[0])

    assert await pages.world.end_reason(token) is EndReason.CONSENT_WITHDRAWN


@pytest.mark.parametrize("typed", ["nonsense", "BBBB-BBBB", "WDJB-MJH"])
async def test_a_code_that_is_not_good_is_told_so_with_what_was_typed(pages: PageWorld, typed: str) -> None:
    browser = await pages.signed_in()
    page = await browser.get("/device", user_code=typed)

    assert page.status == 422
    assert "That code is not good" in page.html
    assert f'value="{typed}"' in page.html


async def test_used_and_expired_codes_are_told_apart_from_nothing(pages: PageWorld) -> None:
    used, expired = await asked(pages), await asked(pages)
    await used.allow()
    browser = await pages.signed_in()
    answers = [await browser.get("/device", user_code=used.user_code)]
    pages.world.clock.advance(600)
    answers.append(await browser.get("/device", user_code=expired.user_code))
    answers.append(await browser.get("/device", user_code="BBBB-BBBB"))

    assert (
        len(
            {
                page.html.replace(used.user_code, "").replace(expired.user_code, "").replace("BBBB-BBBB", "")
                for page in answers
            }
        )
        == 1
    )


@pytest.mark.spec("RFC 8628", "5.1")
async def test_who_is_not_signed_in_learns_nothing_of_a_code(pages: PageWorld) -> None:
    waiting = await asked(pages)
    right = await pages.browser().send("GET", f"/device?user_code={waiting.user_code}")
    wrong = await pages.browser().send("GET", "/device?user_code=BBBB-BBBB")

    assert (right.status, wrong.status) == (303, 303)
    assert right.location == f"/sign-in?user_code={waiting.user_code}"
    assert wrong.location == "/sign-in?user_code=BBBB-BBBB"


@pytest.mark.spec("RFC 8628", "5.1")
@pytest.mark.parametrize("limits", [{"per_user": 3}, {"per_address": 3}])
async def test_codes_cannot_be_tried_without_end(pages: PageWorld, limits: dict[str, int]) -> None:
    pages.site = replace(pages.site, user_code_limits=UserCodeLimits(**limits))
    waiting = await asked(pages)
    browser = await pages.signed_in()
    tried = [(await browser.get("/device", user_code="BBBB-BBBB")).status for _ in range(3)]
    page = await browser.get("/device", user_code=waiting.user_code)

    assert tried == [422, 422, 422]
    assert page.status == 429
    assert page.header("Retry-After") == "900"
    assert "Wait 15 minutes" in page.html
    pages.world.clock.advance(900)
    assert (await browser.get("/device", user_code="BBBB-BBBB")).status == 422


@pytest.mark.spec("RFC 8628", "5.1")
async def test_the_limit_of_a_user_holds_in_every_browser(pages: PageWorld) -> None:
    pages.site = replace(pages.site, user_code_limits=UserCodeLimits(per_user=1))
    first, second = await pages.signed_in(), await pages.signed_in()
    second.address = "198.51.100.7"
    await first.get("/device", user_code="BBBB-BBBB")

    assert (await second.get("/device", user_code="BBBB-BBBB")).status == 429


async def test_where_no_address_is_known_the_user_still_has_a_limit(pages: PageWorld) -> None:
    pages.site = replace(pages.site, user_code_limits=UserCodeLimits(per_user=1))
    browser = await pages.signed_in()
    browser.address = ""
    await browser.get("/device", user_code="BBBB-BBBB")

    assert (await browser.get("/device", user_code="BBBB-BBBB")).status == 429


async def test_an_answer_that_comes_too_late_does_nothing(pages: PageWorld) -> None:
    waiting = await asked(pages)
    browser, page = await question(pages, waiting)
    await waiting.deny()
    late = await browser.submit(page.form("device-consent"), decision="allow")

    assert late.status == 422
    assert (await waiting.poll()).error == "access_denied"


@pytest.mark.parametrize("decision", ["allow", "deny"])
async def test_of_two_answers_at_once_the_second_is_told_that_it_does_not_count(
    pages: PageWorld, decision: str
) -> None:
    waiting = await asked(pages)
    browser, page = await question(pages, waiting)
    world = meddled(pages.world, "decide_device_authorization", waiting.deny)
    browser.site = replace(browser.site, server=world.server)
    second = await browser.submit(page.form("device-consent"), decision=decision)

    assert second.status == 422


async def test_who_signed_out_meanwhile_signs_in_again_and_is_asked_again(pages: PageWorld) -> None:
    waiting = await asked(pages)
    browser, page = await question(pages, waiting)
    form = page.form("device-consent")
    browser.cookies = {name: value for name, value in browser.cookies.items() if "session" not in name}
    page = await browser.submit(form, decision="allow")
    assert "sign-in" in page.ids

    assert "device-consent" in (await browser.sign_in(page)).ids
    assert (await waiting.poll()).error == "authorization_pending"


@pytest.mark.spec("ASVS 5.0", "3.5.1")
@pytest.mark.parametrize("changed", [{"form_token": "x"}, {"user_code": "other"}])
async def test_a_forged_answer_is_refused(pages: PageWorld, changed: dict[str, str]) -> None:
    waiting, other = await asked(pages), await asked(pages)
    browser, page = await question(pages, waiting)
    if "user_code" in changed:
        changed = {"user_code": other.user_code}
    forged = await browser.submit(page.form("device-consent"), decision="allow", **changed)

    assert forged.status == 403
    assert (await other.poll()).error == "authorization_pending"


async def test_the_form_of_one_browser_does_not_count_in_another(pages: PageWorld) -> None:
    waiting = await asked(pages)
    _, page = await question(pages, waiting)
    other = await pages.signed_in()

    assert (await other.submit(page.form("device-consent"), decision="allow")).status == 403


async def test_who_is_signed_in_and_comes_by_the_sign_in_page_goes_straight_on(pages: PageWorld) -> None:
    waiting = await asked(pages)
    browser = await pages.signed_in()

    assert "device-consent" in (await browser.get("/sign-in", user_code=waiting.user_code)).ids


async def test_a_wrong_password_on_the_way_keeps_the_code(pages: PageWorld) -> None:
    waiting = await asked(pages)
    browser = pages.browser()
    page = await browser.get("/device", user_code=waiting.user_code)
    page = await browser.sign_in(page, password="wrong")
    page = await browser.sign_in(page)

    assert "device-consent" in page.ids
