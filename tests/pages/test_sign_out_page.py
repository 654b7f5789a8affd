from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from everbearer.oauth.models import EndReason
from page_world import Browser, Page, PageWorld
from world import claims_of

BYE = "https://web.example/bye"


@pytest.fixture
async def pages(pages: PageWorld) -> PageWorld:
    await pages.world.change_client("web", first_party=True, post_logout_redirect_uris=(BYE, f"{BYE}?a=1"))
    return pages


async def sign_out(browser: Browser, **parameters: str | None) -> Page:
    return await browser.get("/oauth2/end_session", **parameters)


async def is_signed_in(browser: Browser) -> bool:
    return (await browser.get("/settings")).url == "/settings"


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2", "3")
async def test_a_hint_for_this_session_signs_out_at_once_and_leads_back(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    hint = (await pages.tokens(browser, "web"))["id_token"]
    page = await sign_out(browser, id_token_hint=hint, post_logout_redirect_uri=BYE, state="s 1")

    assert page.location == f"{BYE}?state=s%201"
    assert not await is_signed_in(browser)
    assert (await pages.authorize(browser, "web", prompt="none")).answer["error"] == "login_required"


async def test_a_hint_without_a_place_to_go_shows_that_one_is_signed_out(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    hint = (await pages.tokens(browser, "web"))["id_token"]
    page = await sign_out(browser, id_token_hint=hint)

    assert "signed-out" in page.ids
    assert "You are signed out" in page.html
    assert not await is_signed_in(browser)


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
async def test_a_hint_of_another_session_of_the_same_user_is_asked_about(pages: PageWorld) -> None:
    hint = (await pages.tokens(await pages.signed_in(), "web"))["id_token"]
    browser = await pages.signed_in()
    page = await sign_out(browser, id_token_hint=hint, post_logout_redirect_uri=BYE)

    assert "logout-confirm" in page.ids
    assert await is_signed_in(browser)


@pytest.mark.spec("ASVS 5.0", "10.6.2")
async def test_without_a_hint_the_user_is_asked(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await sign_out(browser)

    assert {"logout-confirm", "confirm", "cancel"} <= page.ids
    assert await is_signed_in(browser)


@pytest.mark.spec("ASVS 5.0", "7.4.1", "7.4.4")
async def test_confirming_signs_out(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    before = dict(browser.cookies)
    page = await browser.submit((await sign_out(browser)).form("logout-confirm"))

    assert "signed-out" in page.ids
    assert browser.cookies["__Host-everbearer_session"] == ""
    assert not await is_signed_in(Browser(site=pages.site, cookies=before))


async def test_confirming_for_a_known_client_leads_back(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await sign_out(browser, client_id="web", post_logout_redirect_uri=f"{BYE}?a=1", state="x")
    assert "form-action" not in page.header("Content-Security-Policy")

    assert (await browser.submit(page.form("logout-confirm"))).location == f"{BYE}?a=1&state=x"


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "3")
@pytest.mark.parametrize("uri", ["https://evil.example/bye", f"{BYE}/x", f"{BYE}?b=1"])
async def test_an_unregistered_place_is_asked_about_and_never_led_to(pages: PageWorld, uri: str) -> None:
    browser = await pages.signed_in()
    hint = (await pages.tokens(browser, "web"))["id_token"]
    asked = await sign_out(browser, id_token_hint=hint, post_logout_redirect_uri=uri)
    assert await is_signed_in(browser)
    page = await browser.submit(asked.form("logout-confirm"))

    assert "We will not lead you to the page it names" in asked.html
    assert (asked.location, page.location) == ("", "")
    assert f'"{uri}"' not in asked.html + page.html
    assert "signed-out" in page.ids


async def test_without_client_a_known_place_is_a_link_only(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await sign_out(browser, post_logout_redirect_uri=BYE)
    page = await browser.submit(page.form("logout-confirm"))

    assert page.location == ""
    assert BYE in page.read.links


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
async def test_a_foreign_hint_signs_nobody_out(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await sign_out(browser, id_token_hint="e30.e30.e30", post_logout_redirect_uri=BYE)

    assert (page.status, page.location) == (400, "")
    assert await is_signed_in(browser)


async def test_who_is_not_signed_in_is_told_so(pages: PageWorld) -> None:
    page = await sign_out(pages.browser(), client_id="web", post_logout_redirect_uri=BYE)

    assert "signed-out" in page.ids
    assert BYE in page.read.links


async def test_who_is_not_signed_in_is_led_back_by_a_hint(pages: PageWorld) -> None:
    hint = (await pages.tokens(await pages.signed_in(), "web"))["id_token"]
    page = await sign_out(pages.browser(), id_token_hint=hint, post_logout_redirect_uri=BYE)

    assert page.location == BYE


async def test_confirming_twice_is_no_error(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    form = (await sign_out(browser)).form("logout-confirm")
    await browser.submit(form)

    assert "signed-out" in (await browser.submit(form)).ids


@pytest.mark.spec("ASVS 5.0", "10.6.2")
@pytest.mark.parametrize("path", ["/sign-out", "/oauth2/end_session", "/settings/password", "/sign-in", "/consent"])
async def test_a_form_of_another_site_takes_no_cookie_away(pages: PageWorld, path: str) -> None:
    browser = await pages.signed_in()
    elsewhere = Browser(site=pages.site, headers={"origin": "https://evil.example", "sec-fetch-site": "cross-site"})
    page = await elsewhere.send("POST", path, {"client_id": "web"})

    assert page.header("Set-Cookie") == ""
    assert await is_signed_in(browser)


@pytest.mark.spec("OpenID Connect RP-Initiated Logout", "2")
async def test_a_posted_request_is_the_same_request(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    hint = (await pages.tokens(browser, "web"))["id_token"]
    page = await browser.send("POST", "/oauth2/end_session", {"id_token_hint": hint, "post_logout_redirect_uri": BYE})

    assert (await browser.get(page.location)).location == BYE
    assert not await is_signed_in(browser)


async def test_signing_out_ends_online_grants_and_leaves_offline_ones(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    await pages.tokens(browser, "spa", scope="openid")
    offline = await pages.tokens(browser, "spa")
    await browser.submit((await sign_out(browser)).form("logout-confirm"))
    reasons = {grant.offline: grant.ended and grant.ended.reason for grant in await pages.site.store.grants()}

    assert reasons == {False: EndReason.SIGNED_OUT, True: None}
    assert (await pages.world.refresh(offline["refresh_token"])).status == 200


FRAME = "https://web.example/frontchannel?tenant=1"


async def with_frame(pages: PageWorld, **changes: bool) -> None:
    await pages.world.change_client("web", frontchannel_logout_uri=FRAME, **changes)


def frames_of(page: Page) -> list[str]:
    return [attributes["src"] for tag, attributes in page.read.tags if tag == "iframe"]


def refreshed_to(page: Page) -> list[str]:
    return [attributes["content"] for tag, attributes in page.read.tags if attributes.get("http-equiv") == "refresh"]


@pytest.mark.spec("OpenID Connect Front-Channel Logout", "2", "3")
async def test_an_application_that_wants_a_frame_has_one_and_the_browser_goes_on_after_it(pages: PageWorld) -> None:
    await with_frame(pages)
    browser = await pages.signed_in()
    hint = (await pages.tokens(browser, "web"))["id_token"]
    page = await sign_out(browser, id_token_hint=hint, post_logout_redirect_uri=BYE, state="s&1")

    assert frames_of(page) == [FRAME]
    assert f'<noscript><meta http-equiv="refresh" content="1; url={BYE}?state=s%261"></noscript>' in page.html
    assert page.read.links == [f"{BYE}?state=s%261"]
    assert not await is_signed_in(browser)


@pytest.mark.spec("OpenID Connect Front-Channel Logout", "2")
async def test_a_frame_has_issuer_and_session_where_they_are_required(pages: PageWorld) -> None:
    await with_frame(pages, frontchannel_logout_session_required=True)
    browser = await pages.signed_in()
    hint = (await pages.tokens(browser, "web"))["id_token"]
    page = await sign_out(browser, id_token_hint=hint)

    sid = claims_of(hint)["sid"]
    assert frames_of(page) == [f"{FRAME}&iss=https%3A%2F%2Fid.example&sid={sid}"]


async def test_without_a_place_to_go_the_page_with_frames_stays(pages: PageWorld) -> None:
    await with_frame(pages)
    browser = await pages.signed_in()
    await pages.tokens(browser, "web")
    page = await browser.submit((await sign_out(browser)).form("logout-confirm"))

    assert frames_of(page) == [FRAME]
    assert refreshed_to(page) == []
    assert "sign-in-again" in page.ids


@pytest.mark.spec("ASVS 5.0", "3.4.3")
async def test_a_page_with_frames_loads_and_runs_nothing_else(pages: PageWorld) -> None:
    await with_frame(pages)
    browser = await pages.signed_in()
    hint = (await pages.tokens(browser, "web"))["id_token"]
    page = await sign_out(browser, id_token_hint=hint, post_logout_redirect_uri=BYE)

    policy = dict(part.split(" ", 1) for part in page.header("Content-Security-Policy").split("; "))
    script = page.html.partition("<script>")[2].partition("</script>")[0]
    assert policy["default-src"] == "'none'"
    assert policy["frame-src"] == "https://web.example"
    assert policy["script-src"] == f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
    sandboxes = {attributes["sandbox"] for tag, attributes in page.read.tags if tag == "iframe"}
    assert sandboxes == {"allow-scripts allow-same-origin"}


async def test_only_who_the_session_signed_in_to_has_a_frame(pages: PageWorld) -> None:
    await with_frame(pages)
    await pages.tokens(await pages.signed_in(), "web")
    browser = await pages.signed_in()
    hint = (await pages.tokens(browser, "spa"))["id_token"]
    await pages.world.change_client("spa", post_logout_redirect_uris=("https://spa.example/bye",))
    page = await sign_out(browser, id_token_hint=hint, post_logout_redirect_uri="https://spa.example/bye")

    assert page.location == "https://spa.example/bye"


async def test_an_application_that_is_gone_has_no_frame(pages: PageWorld) -> None:
    await with_frame(pages)
    browser = await pages.signed_in()
    await pages.tokens(browser, "web")
    await pages.world.delete_client("web")

    assert frames_of(await browser.submit((await sign_out(browser)).form("logout-confirm"))) == []


async def test_who_is_asked_sees_which_applications_it_is_about(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    await pages.tokens(browser, "spa")
    await pages.world.change_client("spa", client_name="Notes <b>")
    page = await sign_out(browser)

    assert "signed-in-to" in page.ids
    assert "Notes &lt;b&gt;" in page.html


async def test_a_back_channel_logout_begins_with_every_way_of_signing_out(pages: PageWorld) -> None:
    await pages.world.change_client("web", backchannel_logout_uri="https://web.example/backchannel")
    browser = await pages.signed_in()
    await pages.tokens(browser, "web")
    await browser.submit((await sign_out(browser)).form("logout-confirm"))

    (logout,) = await pages.site.store.logouts()
    assert (logout.client_id, logout.subject) == ("web", "ada")


async def test_below_a_path_all_links_stay_below_it(pages: PageWorld) -> None:
    pages.site = replace(pages.site, server=replace(pages.site.server, issuer="https://id.example/tenant"))
    page = await pages.browser().send("GET", "/oauth2/end_session")

    assert page.read.links == ["/tenant/sign-in"]
    assert "/tenant/assets/" in page.html
