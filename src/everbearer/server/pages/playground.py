"""The playground of development mode: a small client of our own, to try refreshing, retrying and replaying by hand.

It keeps nothing: the tokens of a chain travel in the page's own form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from everbearer.http.routes import Routes
from everbearer.oauth.encoding import base64url
from everbearer.oauth.endpoints.revocation import revocation_endpoint
from everbearer.oauth.endpoints.token import token_endpoint
from everbearer.oauth.endpoints.userinfo import userinfo_endpoint
from everbearer.oauth.errors import InvalidRequest
from everbearer.oauth.messages import Request, Response, redirect
from everbearer.oauth.parameters import FORM, Parameters, parse, posted_parameters
from everbearer.oauth.randomness import random_bytes, random_id
from everbearer.oauth.tokens.explain import explain_token
from everbearer.server.pages.browser import Browser, browser_of, cookies_of, form_token, keeping, require_own_form
from everbearer.server.pages.rendering import page
from everbearer.server.pages.routes import guarded
from everbearer.server.pages.site import Site

PLAYGROUND = "/playground"
CALLBACK = "/playground/callback"
CLIENT_ID = "demo-spa"
"""The demo client that the playground acts as; `CALLBACK` must be among its redirect URIs."""
SCOPE = "openid profile email offline_access"
MOST_TOKENS = 20
_COOKIE = "everbearer_playground"
_ACTION = "playground"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The tokens a browser got, oldest first."""

    refresh_tokens: tuple[str, ...] = field(default=(), repr=False)
    access_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One request the playground made, and its answer."""

    title: str
    status: int
    body: str = field(repr=False)


def playground_routes(site: Site) -> Routes:
    """Return the paths of the playground; the front page leads to it."""
    return {
        "/": {"GET": guarded(_to_playground, site)},
        PLAYGROUND: {"GET": guarded(show_playground, site), "POST": guarded(act, site)},
        CALLBACK: {"GET": guarded(callback, site)},
    }


async def _to_playground(request: Request, site: Site) -> Response:  # noqa: ARG001 - a view
    return redirect(site.path(PLAYGROUND))


async def show_playground(request: Request, site: Site) -> Response:
    """Show the way in."""
    return await _show(await browser_of(request, site), Chain(), None, site)


async def callback(request: Request, site: Site) -> Response:
    """Redeem the code that the browser comes back with."""
    parameters = parse(request.query)
    browser = await browser_of(request, site)
    state, _, verifier = cookies_of(request).get(_COOKIE, "").partition(".")
    if "code" not in parameters or not state or parameters.get("state") != state:
        refused = Outcome(title="The answer of the authorization endpoint", status=400, body=_pretty(dict(parameters)))
        return await _show(browser, Chain(), refused, site)
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "code": parameters["code"],
        "redirect_uri": site.server.issuer + CALLBACK,
        "code_verifier": verifier,
    }
    response = await token_endpoint(_post(form, request), site.server)
    outcome = Outcome(title="The code, redeemed", status=response.status, body=_pretty(_members(response)))
    return await _show(browser, _longer(Chain(), response), outcome, site)


async def act(request: Request, site: Site) -> Response:
    """Do what a button says, as a client would."""
    form = posted_parameters(request)
    browser = await browser_of(request, site)
    require_own_form(request, form, browser, _ACTION, site)
    if form.get("do") == "start":
        return _start(site)
    chain = Chain(
        refresh_tokens=tuple(form.get("refresh_tokens", "").split())[-MOST_TOKENS:],
        access_token=form.get("access_token", ""),
    )
    title, response = await _call(form, chain, request, site)
    outcome = Outcome(title=title, status=response.status, body=_pretty(_members(response)))
    return await _show(browser, _longer(chain, response), outcome, site)


async def _call(form: Parameters, chain: Chain, request: Request, site: Site) -> tuple[str, Response]:
    doing = form.get("do", "")
    if doing == "userinfo":
        headers = {"authorization": f"Bearer {chain.access_token}"}
        return "Userinfo", await userinfo_endpoint(_get(headers, request), site.server)
    if not chain.refresh_tokens:
        raise InvalidRequest("there is no refresh token to do this with; sign in first")
    newest = chain.refresh_tokens[-1]
    if doing == "revoke":
        return "Revoked", await revocation_endpoint(_post({"token": newest}, request), site.server)
    at = int(doing) if doing.isascii() and doing.isdigit() and len(doing) < len(str(MOST_TOKENS)) + 1 else len(doing)
    token = chain.refresh_tokens[min(at, len(chain.refresh_tokens) - 1)]
    fields = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": token}
    title = "Refreshed" if token == newest else "An earlier refresh token, presented again"
    return title, await token_endpoint(_post(fields, request), site.server)


def _start(site: Site) -> Response:
    state, verifier = random_id(), base64url(random_bytes(32))
    query = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": site.server.issuer + CALLBACK,
        "scope": SCOPE,
        "state": state,
        "code_challenge": base64url(sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    cookie = f"{_COOKIE}={state}.{verifier}; Path={site.path(PLAYGROUND)}; HttpOnly; SameSite=Lax; Max-Age=1800"
    return redirect(f"{site.path('/oauth2/authorize')}?{urlencode(query)}", ("Set-Cookie", cookie))


async def _show(browser: Browser, chain: Chain, outcome: Outcome | None, site: Site) -> Response:
    explained = [(token, await explain_token(token, site.server)) for token in chain.refresh_tokens]
    return page(
        site,
        "playground.html",
        headers=keeping(browser, site),
        action=site.path(PLAYGROUND),
        form_token=form_token(browser, _ACTION, site),
        client_id=CLIENT_ID,
        scope=SCOPE,
        chain=chain,
        explained=list(enumerate(explained)),
        outcome=outcome,
        discovery=site.path("/.well-known/openid-configuration"),
        settings=site.path("/settings"),
    )


def _longer(chain: Chain, response: Response) -> Chain:
    members = _members(response)
    refresh_token = str(members.get("refresh_token", ""))
    known = chain.refresh_tokens
    if refresh_token and refresh_token not in known:
        known = (*known, refresh_token)[-MOST_TOKENS:]
    return Chain(refresh_tokens=known, access_token=str(members.get("access_token", "")) or chain.access_token)


def _post(form: Mapping[str, str], request: Request) -> Request:
    headers = {"content-type": FORM, "user-agent": request.user_agent}
    body = urlencode(form).encode()
    return Request(method="POST", path=PLAYGROUND, headers=headers, body=body, remote_address=request.remote_address)


def _get(headers: Mapping[str, str], request: Request) -> Request:
    return Request(method="GET", path=PLAYGROUND, headers=headers, remote_address=request.remote_address)


def _members(response: Response) -> dict[str, Any]:
    return json.loads(response.body) if response.body else {}


def _pretty(members: Mapping[str, object]) -> str:
    return json.dumps(members, indent=2, ensure_ascii=False)
