"""App session tokens: how Authgear's SDKs open our own pages signed in, from an application that has a refresh token.

The application trades its refresh token, which is not spent by it, for a token that lives for a few minutes and works
once. It opens the authorization endpoint with that token in the `login_hint`, and the browser comes out signed in.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from everbearer.login.models import Session
from everbearer.login.sessions import SECRET_LENGTH
from everbearer.oauth.authorization.endpoint import validate_authorization_request
from everbearer.oauth.authorization.request import AuthorizationRequest
from everbearer.oauth.client import Client
from everbearer.oauth.encoding import base64url, from_base64url
from everbearer.oauth.errors import LoginRequired, StoreUnavailable
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.lifetimes import end_of
from everbearer.oauth.messages import Request, Response, json_response
from everbearer.oauth.models import Grant
from everbearer.oauth.parameters import parse
from everbearer.oauth.randomness import random_bytes, random_id
from everbearer.oauth.response_types import NONE
from everbearer.oauth.tokens.refresh_tokens import Presented, open_refresh_token
from everbearer.oauth.tokens.rotation import Move, judge, policy_for
from everbearer.server.config import FULL_ACCESS
from everbearer.server.pages.authorize import complete, refuse
from everbearer.server.pages.browser import browser_of, signed_in, watched
from everbearer.server.pages.browser_state import state_of
from everbearer.server.pages.site import Site

APP_SESSION_TOKEN = "/oauth2/app_session_token"
LIFETIME = 5 * 60
LOGIN_HINT = "https://authgear.com/login_hint"
PREFIX = "eas_"
_PURPOSE = "app session token"


async def app_session_token(request: Request, site: Site) -> Response:
    """Answer an app session token for a refresh token, in the manner of that API family."""
    try:
        grant = await _grant_of(_refresh_token(request), site)
    except StoreUnavailable as trouble:
        failure = _failure("ServiceUnavailable", "the server cannot answer now; try again soon", 503)
        return replace(failure, trouble=trouble.reason)
    if grant is None:
        return _failure("InvalidGrant", "the refresh token is not valid for this", 403)
    expires_at = site.now() + LIFETIME
    # With the grant's secret, for the server's alone must forge nothing.
    members = json.dumps([grant.grant_id, base64url(grant.secret), expires_at, random_id()])
    token = PREFIX + base64url(site.server.sealer.seal(_PURPOSE, members.encode()))
    expire_at = datetime.fromtimestamp(expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json_response({"result": {"app_session_token": token, "expire_at": expire_at}})


def hints_at_app_session(request: Request) -> bool:
    """Return whether an authorization request brings an app session token."""
    return bool(_token_in(parse(request.query).get("login_hint", "")))


async def sign_in_by_app_session(request: Request, site: Site) -> Response:
    """Sign the browser in by the token in the `login_hint`, and let it go on."""
    asked = await validate_authorization_request(parse(request.query), site.server)
    browser = await browser_of(request, site)
    grant = await _redeem(_token_in(asked.login_hint), asked, site)
    if grant is None:
        error = LoginRequired("the app session token is not valid: unknown, expired or used before")
        return refuse(asked, error, browser, site)
    present = browser.session
    if present is not None and present.subject == grant.subject:
        response = await complete(asked, present, browser.state, request, site)
        return watched(response, browser, site)
    session = _session(grant, request, site.now())
    event = Event(
        kind=EventKind.SIGNED_IN,
        at=site.now(),
        actor=f"client:{grant.client_id}",
        grant_id=grant.grant_id,
        client_id=grant.client_id,
        subject=grant.subject,
        address=request.remote_address,
        agent=request.user_agent,
    )
    await site.store.create_session(session, event)
    response = await complete(asked, session, state_of(session, "", site), request, site)
    return signed_in(response, session, site)


def _refresh_token(request: Request) -> str:
    try:
        members: object = json.loads(request.body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(members, Mapping):
        return ""
    token = cast("Mapping[str, object]", members).get("refresh_token")
    return token if isinstance(token, str) else ""


async def _grant_of(refresh_token: str, site: Site) -> Grant | None:
    presented = open_refresh_token(refresh_token, site.server.sealer)
    grant = await site.store.grant(presented.grant_id) if presented else None
    if presented is None or grant is None or not presented.belongs_to(grant):
        return None
    client = await site.store.client(grant.client_id)
    good = client is not None and client.disabled_at is None and _good(presented, grant, client, site.now())
    return grant if good else None


def _good(presented: Presented, grant: Grant, client: Client, now: int) -> bool:
    # With that scope an application may do what its user may, these pages included.
    if not client.first_party or FULL_ACCESS not in grant.scope or end_of(grant, client, now) is not None:
        return False
    # A tab may hold the token before the newest, as at the token endpoint. Nothing is spent and nobody accused here.
    move = judge(grant, presented.generation, policy_for(client), now=now).move
    return move not in (Move.END, Move.REFUSE)


def _failure(reason: str, message: str, status: int) -> Response:
    error: dict[str, object] = {"name": reason, "reason": reason, "message": message, "code": status, "info": {}}
    return json_response({"error": error}, status=status)


def _token_in(login_hint: str) -> str:
    if not login_hint.startswith(f"{LOGIN_HINT}?"):
        return ""
    hint = parse_qs(urlsplit(login_hint).query)
    return hint.get("app_session_token", [""])[0] if hint.get("type") == ["app_session_token"] else ""


async def _redeem(token: str, asked: AuthorizationRequest, site: Site) -> Grant | None:
    sealed = from_base64url(token.removeprefix(PREFIX)) if token.startswith(PREFIX) else None
    plain = site.server.sealer.unseal(_PURPOSE, sealed) if sealed else None
    # Only to come back signed in: a code would hand the application a grant that the user never saw.
    if plain is None or asked.response_type != NONE:
        return None
    grant_id, secret, expires_at, number = cast("list[Any]", json.loads(plain))
    grant = await site.store.grant(grant_id)
    if grant is None or not hmac.compare_digest(base64url(grant.secret), secret):
        return None
    if grant.client_id != asked.client.client_id or site.now() >= expires_at:
        return None
    if end_of(grant, asked.client, site.now()) is not None:
        return None
    first = await site.store.remember(_PURPOSE, number, until=expires_at)
    return grant if first else None


def _session(grant: Grant, request: Request, now: int) -> Session:
    signed_in_by = grant.authentication
    return Session(
        session_id=random_id(),
        secret=random_bytes(SECRET_LENGTH),
        subject=grant.subject,
        # The application's sign-in, carried over: what has ended since then has ended this too.
        user_epoch=signed_in_by.user_epoch or 0,
        auth_time=signed_in_by.auth_time,
        amr=signed_in_by.amr,
        created_at=now,
        used_at=now,
        address=request.remote_address,
        agent=request.user_agent,
    )
