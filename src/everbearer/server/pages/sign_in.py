"""The sign-in page: for an authorization request on its way, for a device, or else for the account page."""

from __future__ import annotations

from everbearer.login.sessions import sign_out
from everbearer.login.sign_in import Attempt, SignedIn, SignInOutcome, TooManyAttempts, sign_in
from everbearer.oauth.authorization.endpoint import validate_authorization_request
from everbearer.oauth.authorization.request import AuthorizationRequest
from everbearer.oauth.errors import AccessDenied
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.messages import Headers, Request, Response, redirect
from everbearer.oauth.parameters import Parameters, parse
from everbearer.server.pages.authorize import AUTHORIZE, FLOW, SIGN_IN, refuse
from everbearer.server.pages.browser import (
    Browser,
    browser_of,
    form_token,
    keeping,
    own_form,
    require_own_form,
    signed_in,
)
from everbearer.server.pages.device import device_page
from everbearer.server.pages.rendering import page
from everbearer.server.pages.site import Site

SETTINGS = "/settings"
_ACTION = "sign-in"
_AUTHGEAR_HINT = "https://authgear.com/login_hint"
"""What the Authgear SDKs put into `login_hint` is for a machine, not for the field."""


async def show_sign_in(request: Request, site: Site) -> Response:
    """Show the form, the login filled in where it is known."""
    browser = await browser_of(request, site)
    asked = await _asked_for(request, site)
    if asked is None and browser.session is not None:
        return redirect(_onward(asked, request, site))
    return _sign_in_page(asked, request, browser, site, login=await _likely_login(asked, browser, site))


async def take_sign_in(request: Request, site: Site) -> Response:
    """Check what was typed; on success go on to where the user was going, with a new cookie (ASVS 7.2.4)."""
    browser = await browser_of(request, site)
    form = own_form(request)
    require_own_form(request, form, browser, _ACTION, site)
    asked = await _asked_for(request, site)
    if asked is not None and form.get("decision") == "cancel":
        return refuse(asked, AccessDenied("the user did not sign in"), browser, site)
    outcome = await sign_in(
        _attempt(form, asked, request),
        store=site.store,
        run=site.run,
        now=site.now(),
        limits=site.limits,
        present=browser.session,
    )
    site.server.notify(_told(outcome, request, site))
    if not isinstance(outcome, SignedIn):
        wait = outcome.retry_after if isinstance(outcome, TooManyAttempts) else 0
        return _sign_in_page(asked, request, browser, site, login=form.get("login", ""), failed=True, wait=wait)
    if browser.session is not None and browser.session.session_id != outcome.session.session_id:
        await sign_out(browser.session, store=site.store, now=site.now())
    return signed_in(redirect(_onward(asked, request, site)), outcome.session, site)


async def _asked_for(request: Request, site: Site) -> AuthorizationRequest | None:
    parameters = parse(request.query)
    return await validate_authorization_request(parameters, site.server) if "client_id" in parameters else None


def _onward(asked: AuthorizationRequest | None, request: Request, site: Site) -> str:
    """Return where the user was going."""
    if asked is not None:
        return f"{site.path(AUTHORIZE)}?{request.query}"
    return device_page(parse(request.query), site) or site.path(SETTINGS)


def _attempt(form: Parameters, asked: AuthorizationRequest | None, request: Request) -> Attempt:
    return Attempt(
        login=form.get("login", ""),
        password=form.get("password", ""),
        flow=asked.resumption.get(FLOW, "") if asked else "",
        address=request.remote_address,
        agent=request.user_agent,
    )


def _told(outcome: SignInOutcome, request: Request, site: Site) -> Event:
    subject, reason = "", "wrong credentials"
    if isinstance(outcome, SignedIn):
        subject, reason = outcome.user.subject, ""
    elif isinstance(outcome, TooManyAttempts):
        reason = "too many attempts"
    return Event(
        kind=EventKind.SIGNED_IN if subject else EventKind.SIGN_IN_FAILED,
        at=site.now(),
        subject=subject,
        address=request.remote_address,
        agent=request.user_agent,
        details={"reason": reason} if reason else {},
    )


async def _likely_login(asked: AuthorizationRequest | None, browser: Browser, site: Site) -> str:
    if asked is None or "select_account" in asked.prompt:
        return ""
    if asked.login_hint and not asked.login_hint.startswith(_AUTHGEAR_HINT):
        return asked.login_hint
    user = await site.store.user(browser.session.subject) if browser.session else None
    return user.login if user else ""


def _sign_in_page(
    asked: AuthorizationRequest | None,
    request: Request,
    browser: Browser,
    site: Site,
    *,
    login: str,
    failed: bool = False,
    wait: int = 0,
) -> Response:
    retry: Headers = (("Retry-After", str(wait)),) if wait else ()
    device = "user_code" in parse(request.query)
    status = 429 if wait else 422 if failed else 200
    return page(
        site,
        "sign_in.html",
        status=status,
        headers=(*keeping(browser, site), *retry),
        form_target=asked.redirect_uri if asked else "",
        image=asked.client.logo_uri if asked else "",
        client=asked.client if asked else None,
        login=login,
        failed=failed,
        wait=wait,
        device=device,
        form_action=site.path(SIGN_IN) + (f"?{request.query}" if asked or device else ""),
        form_token=form_token(browser, _ACTION, site),
    )
