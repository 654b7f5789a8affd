"""Devices at the whole server: what its settings say of them."""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from everbearer.oauth.messages import Response
from everbearer.server.config.devices import DevicesSection
from everbearer.server.tables import build, site_of
from server.app_world import Browser, members, new_endpoint

ASK = {"client_id": "tv", "scope": "openid"}


async def browser_of(settings: DevicesSection) -> Browser:
    _, parts = await new_endpoint()
    return Browser(endpoint=build(replace(parts, config=structs.replace(parts.config, devices=settings))))


async def ask(browser: Browser) -> Response:
    return await browser.send("POST", "/oauth2/device_authorization", ASK)


async def test_a_device_asks_and_its_user_lets_it_in() -> None:
    browser = await browser_of(DevicesSection(polling_interval=7))
    asked = members(await ask(browser))
    page = await browser.sign_in(f"/device?user_code={asked['user_code']}")
    await browser.submit(page, decision="allow")
    form = {"client_id": "tv", "grant_type": "urn:ietf:params:oauth:grant-type:device_code"}
    tokens = await browser.send("POST", "/oauth2/token", {**form, "device_code": asked["device_code"]})

    assert asked["interval"] == 7
    assert members(tokens)["scope"] == "openid"


async def test_an_address_that_asks_too_often_is_told_to_wait() -> None:
    browser = await browser_of(DevicesSection(requests_per_address=2, window=60))
    answers = [await ask(browser) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[2].error == "temporarily_unavailable"
    assert 0 < int(dict(answers[2].headers)["Retry-After"]) <= 60


async def test_the_limits_of_user_codes_are_those_of_the_settings() -> None:
    _, parts = await new_endpoint()
    settings = DevicesSection(codes_per_user=3, codes_per_address=4, window=5)
    limits = site_of(replace(parts, config=structs.replace(parts.config, devices=settings))).user_code_limits

    assert (limits.per_user, limits.per_address, limits.window) == (3, 4, 5)
