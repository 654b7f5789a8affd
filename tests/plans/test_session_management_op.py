"""The modules of the OpenID Foundation's plan for session management: one test each, named after its module."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Page

from plans.logging_out import LoggingOut

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKS = """<!doctype html><title>asks</title><iframe id="op" src="{frame}"></iframe>
<script>
  const loaded = new Promise((resolve) => document.getElementById("op").addEventListener("load", resolve));
  async function ask(message) {{
    await loaded;
    const answered = new Promise((resolve) => addEventListener("message", resolve, {{ once: true }}));
    document.getElementById("op").contentWindow.postMessage(message, "{issuer}");
    const event = await answered;
    return [event.data, event.origin];
  }}
</script>"""


async def ask(op: LoggingOut, tab: Page, session_state: str, *, client_id: str = "client", origin: str = "") -> str:
    """Let a page of the relying party ask the frame, and return its answer."""
    op.site.pages["/asks"] = ASKS.format(frame=op.document()["check_session_iframe"], issuer=op.server.issuer)
    await tab.goto(f"{origin or op.site.origin}/asks")
    answer, of = await tab.evaluate("(message) => ask(message)", f"{client_id} {session_state}".strip())
    assert of == op.server.issuer
    return str(answer)


@pytest.mark.module("oidcc-session-management-discovery-endpoint-verification")
async def test_oidcc_session_management_discovery_endpoint_verification_names_both_endpoints(op: LoggingOut) -> None:
    document = op.document()

    assert urlsplit(document["check_session_iframe"]).scheme == "https"
    assert urlsplit(document["end_session_endpoint"]).scheme == "https"


@pytest.mark.module("oidcc-session-management-rp-initiated-logout")
async def test_oidcc_session_management_rp_initiated_logout_turns_unchanged_into_changed(
    op: LoggingOut, tab: Page
) -> None:
    tokens = await op.sign_in(tab)
    before = await ask(op, tab, tokens["session_state"])
    back = await op.sign_out(tab, tokens["id_token"])
    after = await ask(op, tab, tokens["session_state"])

    assert (before, after) == ("unchanged", "changed")
    assert back == {"state": "a state"}


async def test_the_state_of_an_error_is_unchanged_until_somebody_signs_in(op: LoggingOut, tab: Page) -> None:
    refused = await op.authorize(tab, prompt="none")
    assert refused["error"] == "login_required"
    before = await ask(op, tab, refused["session_state"])
    tokens = await op.sign_in(tab)

    assert before == "unchanged"
    assert await ask(op, tab, refused["session_state"]) == "changed"
    assert await ask(op, tab, tokens["session_state"]) == "unchanged"


@pytest.mark.spec("OpenID Connect Session Management", "3.2")
async def test_who_signs_in_again_changes_it(op: LoggingOut, tab: Page) -> None:
    first = await op.sign_in(tab)
    second = await op.sign_in(tab, prompt="login")

    assert await ask(op, tab, first["session_state"]) == "changed"
    assert await ask(op, tab, second["session_state"]) == "unchanged"


@pytest.mark.spec("OpenID Connect Session Management", "3.2")
@pytest.mark.parametrize("message", ["", "nonsense", "a.b", "a.b.c"])
async def test_what_is_malformed_is_an_error(op: LoggingOut, tab: Page, message: str) -> None:
    await op.sign_in(tab)

    assert await ask(op, tab, message) == "error"


@pytest.mark.spec("OpenID Connect Session Management", "3.2", "6")
async def test_only_the_client_and_origin_that_it_was_issued_to_may_ask(op: LoggingOut, tab: Page) -> None:
    state = (await op.sign_in(tab))["session_state"]
    elsewhere = op.site.origin.replace("localhost", "127.0.0.1")

    assert await ask(op, tab, state, client_id="another") == "error"
    assert await ask(op, tab, state, origin=elsewhere) == "error"


@pytest.mark.spec("OpenID Connect Session Management", "5.1")
async def test_where_the_browser_keeps_cookies_from_frames_it_is_an_error_and_no_client_asks_for_ever(
    op: LoggingOut, private_context: BrowserContext
) -> None:
    tab = await private_context.new_page()
    tokens = await op.sign_in(tab)

    assert await ask(op, tab, tokens["session_state"]) == "error"
