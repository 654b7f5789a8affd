"""The modules of the OpenID Foundation's plan for front-channel logout: one test each, named after its module."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Page

from plans.logging_out import LoggingOut
from world import claims_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.module("oidcc-frontchannel-logout-discovery-endpoint-verification")
async def test_oidcc_frontchannel_logout_discovery_endpoint_verification_announces_it_with_sessions(
    op: LoggingOut,
) -> None:
    document = op.document()

    assert document["frontchannel_logout_supported"] is True
    assert document["frontchannel_logout_session_supported"] is True
    assert urlsplit(document["end_session_endpoint"]).scheme == "https"


@pytest.mark.module("oidcc-frontchannel-rp-initiated-logout")
async def test_oidcc_frontchannel_rp_initiated_logout_loads_the_frame_and_leads_back(op: LoggingOut, tab: Page) -> None:
    client = op.as_client("frontchannel")
    tokens = await client.sign_in(tab)
    back = await client.sign_out(tab, tokens["id_token"])
    (visit,) = op.site.wait_for("/frontchannel_logout")

    assert (visit.method, visit.query) == (
        "GET",
        {"iss": op.server.issuer, "sid": claims_of(tokens["id_token"])["sid"]},
    )
    assert back == {"state": "a state"}
    assert (await client.authorize(tab, prompt="none"))["error"] == "login_required"


async def test_without_javascript_the_browser_goes_on_too(op: LoggingOut, plain_context: BrowserContext) -> None:
    client = op.as_client("frontchannel")
    tab = await plain_context.new_page()
    tokens = await client.sign_in(tab)

    assert await client.sign_out(tab, tokens["id_token"]) == {"state": "a state"}
    assert op.site.wait_for("/frontchannel_logout")


async def test_a_frame_that_never_ends_keeps_nobody(op: LoggingOut, tab: Page) -> None:
    client = op.as_client("frontchannel")
    op.site.statuses["/frontchannel_logout"] = 0
    tokens = await client.sign_in(tab)

    assert await client.sign_out(tab, tokens["id_token"]) == {"state": "a state"}


async def test_a_frame_runs_in_its_own_place_and_leads_the_page_nowhere(op: LoggingOut, tab: Page) -> None:
    client = op.as_client("frontchannel")
    op.site.pages["/frontchannel_logout"] = (
        "<!doctype html><script>localStorage.removeItem('user'); fetch('/cleared', {keepalive: true});"
        "try { top.location = '/taken' } catch {}</script>"
    )
    tokens = await client.sign_in(tab)
    back = await client.sign_out(tab, tokens["id_token"])

    assert back == {"state": "a state"}
    assert op.site.wait_for("/cleared")
    assert "/taken" not in {visit.path for visit in op.site.visits}
