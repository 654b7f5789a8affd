"""The modules of the OpenID Foundation's plan for RP-initiated logout: one test each, named after its module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from everbearer.oauth.encoding import base64url
from everbearer.oauth.messages import Response
from plans.relying_party import DISCOVERY, RelyingParty, has, new_relying_party
from server.app_world import location

SIGNED_OUT = b"You are signed out"


@pytest.fixture
async def rp() -> RelyingParty:
    return await new_relying_party(None)


async def sign_out(rp: RelyingParty, **parameters: str | None) -> Response:
    """Send the browser to the end_session_endpoint and return where it stays."""
    endpoint = urlsplit((await rp.document(DISCOVERY))["end_session_endpoint"]).path
    given = {name: value for name, value in parameters.items() if value is not None}
    return await rp.browser.get(f"{endpoint}?{urlencode(given)}" if given else endpoint)


async def request(rp: RelyingParty, **changes: str | None) -> dict[str, str | None]:
    """Sign in, and return the parameters of a logout request that is good, with changes."""
    hint = str((await rp.tokens()).members["id_token"])
    return {
        "id_token_hint": hint,
        "post_logout_redirect_uri": rp.client.post_logout_redirect_uris[0],
        "state": "a state/ö",
        **changes,
    }


async def is_signed_in(rp: RelyingParty) -> bool:
    """Return whether prompt=none still gives a code."""
    return "code" in rp.answer(await rp.open(rp.request(prompt="none")))


async def back_at(rp: RelyingParty, response: Response) -> Mapping[str, str]:
    """Return what the browser brings back to the client, having looked at where it comes back."""
    assert response.status == 303, response.body
    parts = urlsplit(location(response))
    assert parts._replace(query="").geturl() == rp.client.post_logout_redirect_uris[0]
    return dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}


@pytest.mark.module("oidcc-rp-initiated-logout-discovery-endpoint-verification")
async def test_oidcc_rp_initiated_logout_discovery_endpoint_verification_names_an_https_endpoint(
    rp: RelyingParty,
) -> None:
    document = await rp.document(DISCOVERY)

    assert urlsplit(document["end_session_endpoint"]).scheme == "https"
    assert document["end_session_endpoint"].startswith(rp.config.issuer)


@pytest.mark.module("oidcc-rp-initiated-logout")
async def test_oidcc_rp_initiated_logout_leads_back_with_the_state_and_the_user_is_signed_out(rp: RelyingParty) -> None:
    page = await sign_out(rp, **await request(rp))

    assert await back_at(rp, page) == {"state": "a state/ö"}
    assert await rp.error(prompt="none") == "login_required"


@pytest.mark.module("oidcc-rp-initiated-logout-bad-post-logout-redirect-uri")
async def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri_is_asked_about(rp: RelyingParty) -> None:
    page = await sign_out(rp, **await request(rp, post_logout_redirect_uri="https://www.example.com/elsewhere"))

    assert has(page, "logout-confirm")
    assert await is_signed_in(rp)


@pytest.mark.module("oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri")
async def test_oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri_is_asked_about(
    rp: RelyingParty,
) -> None:
    added = f"{rp.client.post_logout_redirect_uris[0]}?foo=bar"
    asked = await sign_out(rp, **await request(rp, post_logout_redirect_uri=added))
    assert has(asked, "logout-confirm")
    page = await rp.browser.submit(asked)

    assert (page.status, location(page)) == (200, "")
    assert SIGNED_OUT in page.body


@pytest.mark.module("oidcc-rp-initiated-logout-modified-id-token-hint")
async def test_oidcc_rp_initiated_logout_modified_id_token_hint_is_an_error(rp: RelyingParty) -> None:
    good = await request(rp)
    claims = str(good["id_token_hint"]).split(".")[1]
    unsigned = f"{base64url(json.dumps({'alg': 'none', 'typ': 'JWT'}).encode())}.{claims}."
    page = await sign_out(rp, **{**good, "id_token_hint": unsigned})

    assert (page.status, location(page)) == (400, "")
    assert await is_signed_in(rp)


@pytest.mark.module("oidcc-rp-initiated-logout-bad-id-token-hint")
async def test_oidcc_rp_initiated_logout_bad_id_token_hint_is_an_error(rp: RelyingParty) -> None:
    good = await request(rp)
    foreign = str((await (await new_relying_party(None)).tokens()).members["id_token"])
    page = await sign_out(rp, **{**good, "id_token_hint": foreign})

    assert (page.status, location(page)) == (400, "")
    assert await is_signed_in(rp)


@pytest.mark.module("oidcc-rp-initiated-logout-no-id-token-hint")
@pytest.mark.parametrize("names_client", [False, True])
async def test_oidcc_rp_initiated_logout_no_id_token_hint_is_asked_about(
    rp: RelyingParty, *, names_client: bool
) -> None:
    client_id = rp.client_id if names_client else None
    page = await sign_out(rp, **await request(rp, id_token_hint=None, client_id=client_id))

    assert has(page, "logout-confirm")
    assert await is_signed_in(rp)


@pytest.mark.module("oidcc-rp-initiated-logout-no-params", "oidcc-rp-initiated-logout-only-state")
@pytest.mark.parametrize("state", [None, "a state"])
async def test_oidcc_rp_initiated_logout_no_params_or_only_a_state_ends_at_a_page_that_says_so(
    rp: RelyingParty, state: str | None
) -> None:
    await rp.tokens()
    asked = await sign_out(rp, state=state)
    assert has(asked, "logout-confirm")
    page = await rp.browser.submit(asked)

    assert (page.status, location(page)) == (200, "")
    assert SIGNED_OUT in page.body
    assert not await is_signed_in(rp)


@pytest.mark.module("oidcc-rp-initiated-logout-no-post-logout-redirect-uri")
async def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri_ends_at_a_page_that_says_so(
    rp: RelyingParty,
) -> None:
    page = await sign_out(rp, **await request(rp, post_logout_redirect_uri=None))

    assert (page.status, location(page)) == (200, "")
    assert SIGNED_OUT in page.body
    assert not await is_signed_in(rp)


@pytest.mark.module("oidcc-rp-initiated-logout-no-state")
async def test_oidcc_rp_initiated_logout_no_state_leads_back_without_one(rp: RelyingParty) -> None:
    page = await sign_out(rp, **await request(rp, state=None))

    assert await back_at(rp, page) == {}
    assert not await is_signed_in(rp)


async def test_what_else_a_request_may_have_is_no_hindrance(rp: RelyingParty) -> None:
    more = {"client_id": rp.client_id, "logout_hint": "certification@example.com", "ui_locales": "se en", "extra": "x"}
    page = await sign_out(rp, **await request(rp), **more)

    assert await back_at(rp, page) == {"state": "a state/ö"}


async def test_an_expired_hint_of_this_session_is_as_good(rp: RelyingParty) -> None:
    good = await request(rp)
    rp.clock.advance(3600)

    assert await back_at(rp, await sign_out(rp, **good)) == {"state": "a state/ö"}


async def test_a_hint_of_another_session_is_asked_about(rp: RelyingParty) -> None:
    elsewhere = rp.in_another_browser()
    hint = str((await elsewhere.tokens()).members["id_token"])
    page = await sign_out(rp, **await request(rp, id_token_hint=hint))

    assert has(page, "logout-confirm")


async def test_a_posted_request_is_the_same_request(rp: RelyingParty) -> None:
    good = {name: value for name, value in (await request(rp)).items() if value is not None}
    posted = await rp.browser.send("POST", "/oauth2/end_session", good)

    assert await back_at(rp, await rp.browser.get(location(posted))) == {"state": "a state/ö"}
