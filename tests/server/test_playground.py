"""The playground of development mode: signing in, refreshing, retrying and replaying, by its own buttons."""

import json
from html import unescape
from typing import Any

from everbearer.oauth.messages import Response
from server.app_world import Browser, location, new_endpoint


def outcome(page: Response) -> Any:
    body = page.body.decode().partition('id="outcome-body"><code>')[2].partition("</code>")[0]
    return json.loads(unescape(body))


async def signed_in() -> tuple[Browser, Response]:
    endpoint, _ = await new_endpoint(development=True)
    browser = Browser(endpoint)
    sign_in = await browser.submit(await browser.get("/playground"), do="start")
    page = await browser.submit(sign_in, login="ada@example.com", password="correct horse battery", decision="sign-in")
    return browser, page


async def test_the_front_leads_to_the_playground() -> None:
    endpoint, _ = await new_endpoint(development=True)

    assert location(await Browser(endpoint).send("GET", "/")) == "/playground"


async def test_there_is_no_playground_but_in_development() -> None:
    endpoint, _ = await new_endpoint()

    assert (await Browser(endpoint).send("GET", "/playground")).status == 404


async def test_signing_in_shows_the_tokens() -> None:
    _, page = await signed_in()

    assert outcome(page)["refresh_token"].startswith("erb_")


async def test_refreshing_gives_a_successor_and_presenting_the_old_one_gives_the_same() -> None:
    browser, page = await signed_in()

    refreshed = await browser.submit(page, do="0")
    retried = await browser.submit(refreshed, do="0")

    assert outcome(refreshed)["refresh_token"] != outcome(page)["refresh_token"]
    assert outcome(retried)["refresh_token"] == outcome(refreshed)["refresh_token"]


async def test_replaying_a_token_whose_successor_was_used_ends_the_grant() -> None:
    browser, page = await signed_in()
    second = await browser.submit(page, do="0")
    third = await browser.submit(second, do="1")

    replayed = await browser.submit(third, do="0")

    assert outcome(replayed)["error_uri"].endswith("/ended/reused")
    assert outcome(await browser.submit(replayed, do="2"))["error"] == "invalid_grant"


async def test_userinfo_and_revocation_are_a_button_each() -> None:
    browser, page = await signed_in()

    assert outcome(await browser.submit(page, do="userinfo"))["email"] == "ada@example.com"
    assert outcome(await browser.submit(page, do="revoke")) == {}
    assert outcome(await browser.submit(page, do="0"))["error_uri"].endswith("/ended/revoked_by_client")


async def test_an_answer_with_a_foreign_state_is_not_taken() -> None:
    browser, _ = await signed_in()

    page = await browser.get("/playground/callback?code=erc_x&state=foreign")

    assert outcome(page) == {"code": "erc_x", "state": "foreign"}


async def test_a_button_that_needs_a_token_says_so_where_there_is_none() -> None:
    endpoint, _ = await new_endpoint(development=True)
    browser = Browser(endpoint)

    page = await browser.submit(await browser.get("/playground"), do="revoke")

    assert page.status == 400
    assert b"sign in first" in page.body
