from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from everbearer.login.accounts import create_user
from everbearer.oauth.client import Client
from everbearer.oauth.errors import StoreUnavailable
from everbearer.oauth.models import EndReason, Everything
from everbearer.storage.memory import MemoryStore
from page_world import Browser, PageWorld, at_once
from world import ACR, claims_of


@pytest.mark.spec("OpenID Connect Core", "3.1.2.6")
async def test_prompt_none_without_a_session_is_login_required(pages: PageWorld, browser: Browser) -> None:
    assert (await pages.authorize(browser, "spa", prompt="none")).answer["error"] == "login_required"


@pytest.mark.spec("OpenID Connect Core", "3.1.2.6")
async def test_prompt_none_without_consent_is_consent_required(pages: PageWorld) -> None:
    page = await pages.authorize(await pages.signed_in(), prompt="none")

    assert page.answer["error"] == "consent_required"


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_prompt_none_succeeds_silently_and_keeps_auth_time(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    first = await pages.tokens(browser)
    pages.world.clock.advance(500)
    second = await pages.tokens(browser, prompt="none")

    assert claims_of(first["id_token"])["auth_time"] == claims_of(second["id_token"])["auth_time"]
    assert claims_of(second["id_token"])["sub"] == "ada"


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
async def test_prompt_login_asks_once_and_auth_time_is_new(pages: PageWorld, prompt: str) -> None:
    browser = await pages.signed_in()
    before = pages.world.clock.now
    pages.world.clock.advance(100)
    page = await browser.sign_in(await pages.authorize(browser, "spa", prompt=prompt))
    if "consent" in prompt:
        page = await browser.submit(page.form("consent"), decision="allow")
    tokens = (await pages.world.redeem(page.answer["code"])).json

    assert claims_of(tokens["id_token"])["auth_time"] == before + 100


async def test_prompt_login_is_not_satisfied_by_the_url_of_another_sign_in(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    page = await pages.authorize(browser, "spa", prompt="login")
    await browser.sign_in(page)
    other = await pages.signed_in()

    assert "sign-in" in (await other.get(page.url.replace("/sign-in", "/oauth2/authorize"))).ids


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize(("max_age", "seconds_later", "asked"), [("10", 9, False), ("10", 11, True), ("0", 0, True)])
async def test_max_age_asks_again_when_the_sign_in_is_too_old(
    pages: PageWorld, max_age: str, seconds_later: int, asked: bool
) -> None:
    browser = await pages.signed_in()
    pages.world.clock.advance(seconds_later)
    page = await pages.authorize(browser, "spa", max_age=max_age)
    assert ("sign-in" in page.ids) is asked
    if asked:
        page = await browser.sign_in(page)

    assert "code" in page.answer


@pytest.mark.spec("OpenID Connect Dynamic Client Registration", "2")
@pytest.mark.parametrize(("seconds_later", "asked"), [(9, False), (11, True)])
async def test_a_clients_default_max_age_asks_again_too(pages: PageWorld, seconds_later: int, asked: bool) -> None:
    await pages.world.change_client("spa", default_max_age=10)
    browser = await pages.signed_in()
    pages.world.clock.advance(seconds_later)

    assert ("sign-in" in (await pages.authorize(browser, "spa")).ids) is asked


async def test_max_age_with_prompt_none_is_login_required(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    pages.world.clock.advance(11)

    assert (await pages.authorize(browser, "spa", max_age="10", prompt="none")).answer["error"] == "login_required"


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_an_id_token_hint_for_who_is_signed_in_succeeds_silently(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    hint = (await pages.tokens(browser))["id_token"]

    assert "code" in (await pages.authorize(browser, "spa", prompt="none", id_token_hint=hint)).answer


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_an_id_token_hint_for_somebody_else_asks_to_sign_in_once(pages: PageWorld) -> None:
    hint = (await pages.tokens(await pages.signed_in()))["id_token"]
    await create_user(
        "bob", "another fine password", store=pages.site.store, run=at_once, now=pages.site.now(), actor="admin:test"
    )
    browser = pages.browser()
    await browser.sign_in(await browser.get("/sign-in"), "bob", "another fine password")
    page = await pages.authorize(browser, "spa", id_token_hint=hint)
    assert "sign-in" in page.ids

    again_bob = await browser.sign_in(page, "bob", "another fine password")
    assert again_bob.answer["error"] == "login_required"
    as_ada = await browser.sign_in(page)
    assert "code" in as_ada.answer


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1", "5.5")
async def test_another_user_named_by_claims_asks_to_sign_in(pages: PageWorld) -> None:
    claims = '{"id_token": {"sub": {"value": "bob"}}}'

    assert "sign-in" in (await pages.authorize(await pages.signed_in(), "spa", claims=claims)).ids


@pytest.mark.spec("OpenID Connect Core", "2")
async def test_the_acr_of_a_sign_in_by_password_stands_in_the_id_token(pages: PageWorld) -> None:
    tokens = await pages.tokens(await pages.signed_in(), acr_values="urn:other")

    assert claims_of(tokens["id_token"])["acr"] == ACR


@pytest.mark.spec("OpenID Connect Core", "5.5.1.1")
async def test_an_acr_that_no_sign_in_has_is_refused_before_consent_is_asked(pages: PageWorld) -> None:
    claims = '{"id_token": {"acr": {"essential": true, "values": ["urn:other"]}}}'
    page = await pages.authorize(await pages.signed_in(), "web", claims=claims)

    assert page.answer["error"] == "unmet_authentication_requirements"


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize(
    "changes",
    [
        {"display": "page"},
        {"display": "popup"},
        {"display": "hologram"},
        {"ui_locales": "se x-klingon fr"},
        {"claims_locales": "se x-klingon fr"},
        {"acr_values": "urn:other 1 2"},
        {"login_hint": "nobody@example.com"},
        {"extra": "foobar"},
    ],
    ids=str,
)
async def test_what_cannot_be_obeyed_is_no_error(pages: PageWorld, changes: dict[str, str]) -> None:
    assert "code" in (await pages.authorize(await pages.signed_in(), "spa", **changes)).answer


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_a_posted_request_is_the_same_request(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    form = {name: value for name, value in (await pages.authorization("spa")).items() if value}
    page = await browser.send("POST", "/oauth2/authorize", form)

    assert page.status == 303
    assert dict(parse_qsl(urlsplit(page.location).query)) == form
    assert "code" in (await browser.get(page.location)).answer


async def test_parameters_survive_the_sign_in_page(pages: PageWorld, browser: Browser) -> None:
    page = await pages.authorize(browser, "spa", state="a+b &=%🍓", x_custom="1")
    back = await browser.sign_in(page)

    assert back.answer["state"] == "a+b &=%🍓"


async def test_a_repeated_resource_survives_the_sign_in_page(pages: PageWorld, browser: Browser) -> None:
    form = await pages.authorization("spa")
    query = "&".join(f"{name}={value}" for name, value in form.items())
    page = await browser.get(f"/oauth2/authorize?{query}&resource=https://a.example&resource=https://b.example")

    assert [v for k, v in parse_qsl(urlsplit(page.url).query) if k == "resource"] == [
        "https://a.example",
        "https://b.example",
    ]


@pytest.mark.spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "nobody"}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/cb"}, "invalid_request"),
        ({"redirect_uri": "https://spa.example/cb/../evil"}, "invalid_request"),
    ],
)
async def test_a_doubtful_client_or_redirect_uri_is_an_error_page_and_no_redirect(
    pages: PageWorld, browser: Browser, changes: dict[str, str], error: str
) -> None:
    page = await pages.authorize(browser, "spa", **changes)

    assert (page.status, page.location) == (400, "")
    assert "We cannot continue" in page.html
    assert error in page.html
    assert "evil.example" not in page.header("Content-Security-Policy")


@pytest.mark.parametrize("query", ["client_id=spa&client_id=spa", "client_id=%ff", "client_id=%00", ""])
async def test_a_malformed_request_is_an_error_page(browser: Browser, query: str) -> None:
    page = await browser.send("GET", f"/oauth2/authorize?{query}")

    assert (page.status, page.location) == (400, "")


async def test_a_posted_request_of_another_type_is_an_error_page(browser: Browser) -> None:
    browser.headers = {"content-type": "text/plain"}

    assert (await browser.send("POST", "/oauth2/authorize", {"a": "b"})).status == 400


async def test_other_errors_go_to_the_client(pages: PageWorld, browser: Browser) -> None:
    assert (await pages.authorize(browser, "spa", scope="nonsense")).answer["error"] == "invalid_scope"


async def test_a_store_that_cannot_answer_is_a_page_to_try_again(pages: PageWorld) -> None:
    class Down(MemoryStore):
        async def client(self, client_id: str) -> Client | None:  # type: ignore[override] # two names for one type
            raise StoreUnavailable(client_id)

    pages.site = replace(pages.site, server=replace(pages.site.server, store=Down()))
    page = await pages.authorize(pages.browser(), "spa")

    assert (page.status, page.header("Retry-After")) == (503, "2")


async def test_a_browser_whose_sessions_were_all_ended_signs_in_again(pages: PageWorld) -> None:
    browser = await pages.signed_in()
    await pages.world.end_all(Everything.USER, "ada", EndReason.REVOKED_BY_ADMIN)

    assert "sign-in" in (await pages.authorize(browser, "spa")).ids
