"""App session tokens, as Authgear's SDKs use them to open our pages signed in."""

import json
from dataclasses import replace
from urllib.parse import urlencode

from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.messages import Response
from everbearer.oauth.models import Ended, EndReason, Everything
from everbearer.server.tables import Parts
from server.app_world import FULL_ACCESS, REDIRECT, Browser, answer, location, members, new_endpoint
from world import VERIFIER, s256

SETTINGS = "https://id.example/settings?ui_locales=en"


async def refresh_token(browser: Browser, scope: str = f"openid offline_access {FULL_ACCESS}") -> str:
    query = {
        "response_type": "code",
        "client_id": "demo-spa",
        "redirect_uri": REDIRECT,
        "scope": scope,
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    }
    code = answer(await browser.sign_in(f"/oauth2/authorize?{urlencode(query)}"))["code"]
    form = {
        "grant_type": "authorization_code",
        "client_id": "demo-spa",
        "redirect_uri": REDIRECT,
        "code": code,
        "code_verifier": VERIFIER,
    }
    return str(members(await browser.send("POST", "/oauth2/token", form))["refresh_token"])


async def app_session_token(browser: Browser, token: object) -> Response:
    return await browser.send("POST", "/oauth2/app_session_token", json.dumps({"refresh_token": token}).encode())


async def open_settings(browser: Browser, app_token: str, **changes: str) -> Response:
    hint = urlencode({"type": "app_session_token", "app_session_token": app_token})
    query = {
        "response_type": "none",
        "client_id": "demo-spa",
        "redirect_uri": SETTINGS,
        "scope": f"openid {FULL_ACCESS}",
        "prompt": "none",
        "login_hint": f"https://authgear.com/login_hint?{hint}",
        **changes,
    }
    return await browser.send("GET", f"/oauth2/authorize?{urlencode(query)}")


async def an_app_token() -> tuple[Browser, Parts, str, str]:
    endpoint, parts = await new_endpoint()
    browser = Browser(endpoint)
    token = await refresh_token(browser)
    response = await app_session_token(browser, token)
    assert response.status == 200, response.body
    return Browser(endpoint), parts, token, members(response)["result"]["app_session_token"]


async def test_a_fresh_browser_comes_out_signed_in() -> None:
    browser, _, _, token = await an_app_token()

    response = await open_settings(browser, token)

    assert location(response).startswith(f"{SETTINGS}&")
    assert b"ada@example.com" in (await browser.get(location(response))).body


async def test_the_refresh_token_is_not_spent_by_it() -> None:
    browser, _, token, _ = await an_app_token()

    form = {"grant_type": "refresh_token", "client_id": "demo-spa", "refresh_token": token}

    assert (await browser.send("POST", "/oauth2/token", form)).status == 200


async def test_the_token_works_once() -> None:
    browser, _, _, token = await an_app_token()
    await open_settings(browser, token)

    again = await open_settings(Browser(browser.endpoint), token)

    assert answer(again)["error"] == "login_required"


async def test_the_token_gives_no_code() -> None:
    browser, _, _, token = await an_app_token()

    response = await open_settings(
        browser,
        token,
        response_type="code",
        redirect_uri=REDIRECT,
        code_challenge=s256(VERIFIER),
        code_challenge_method="S256",
    )

    assert answer(response)["error"] == "login_required"


async def test_the_token_dies_with_its_grant() -> None:
    browser, parts, _, token = await an_app_token()
    user = await parts.store.user_by_login("ada@example.com")
    assert user is not None
    ended = Ended(reason=EndReason.REVOKED_BY_ADMIN, actor="admin:test", at=user.created_at)
    await parts.store.end_all(Everything.USER, user.subject, ended)

    assert answer(await open_settings(browser, token))["error"] == "login_required"


async def test_an_invented_token_signs_nobody_in() -> None:
    endpoint, _ = await new_endpoint()

    response = await open_settings(Browser(endpoint), "eas_invented")

    assert answer(response)["error"] == "login_required"


async def test_a_dead_refresh_token_is_told_in_the_manner_the_sdk_knows() -> None:
    browser, _, token, _ = await an_app_token()
    await browser.send("POST", "/oauth2/revoke", {"token": token})

    response = await app_session_token(browser, token)

    assert response.status == 403
    assert members(response)["error"]["reason"] == "InvalidGrant"


async def test_what_is_no_refresh_token_is_refused() -> None:
    endpoint, _ = await new_endpoint()
    browser = Browser(endpoint)

    statuses = [
        (await browser.send("POST", "/oauth2/app_session_token", body)).status
        for body in (b"", b"[]", b"{", b'{"refresh_token":7}', b'{"refresh_token":"erb_x"}')
    ]

    assert set(statuses) == {403}


async def test_without_full_access_there_is_no_app_session() -> None:
    endpoint, _ = await new_endpoint()
    browser = Browser(endpoint)
    token = await refresh_token(browser, "openid offline_access")

    assert (await app_session_token(browser, token)).status == 403


async def test_a_client_that_is_not_the_operators_own_gets_no_app_session() -> None:
    browser, parts, token, _ = await an_app_token()
    client = await parts.store.client("demo-spa")
    assert client is not None
    event = Event(kind=EventKind.CLIENT_CHANGED, at=client.created_at)
    await parts.store.put_client(replace(client, first_party=False), event)

    assert (await app_session_token(browser, token)).status == 403
