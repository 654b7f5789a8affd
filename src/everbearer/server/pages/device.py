"""The page for user codes (RFC 8628 §3.3): type what a device shows, sign in, and say whether it is let in."""

from __future__ import annotations

from urllib.parse import urlencode

from everbearer.login.consent import give_consent
from everbearer.login.models import Session
from everbearer.login.user_code_limits import count_user_code
from everbearer.oauth.authorization.device_authorization import (
    AskingDevice,
    complete_device_authorization,
    find_device_authorization,
    refuse_device_authorization,
)
from everbearer.oauth.authorization.user_codes import read_user_code, shown_user_code
from everbearer.oauth.messages import Headers, Request, Response, redirect
from everbearer.oauth.models import DeviceDecision
from everbearer.oauth.parameters import Parameters, parse
from everbearer.oauth.scope import OFFLINE_ACCESS
from everbearer.server.pages.authorize import SIGN_IN
from everbearer.server.pages.browser import Browser, browser_of, form_token, keeping, own_form, require_own_form
from everbearer.server.pages.rendering import page
from everbearer.server.pages.site import Site

DEVICE = "/device"


def device_page(parameters: Parameters, site: Site) -> str:
    """Return where to go on with the user code in a query, and nothing where there is none."""
    typed = parameters.get("user_code", "")
    return f"{site.path(DEVICE)}?{urlencode({'user_code': typed})}" if typed else ""


async def show_device(request: Request, site: Site) -> Response:
    """Ask for the code; with one, ask whether the device behind it is the user's, once somebody is signed in."""
    typed = parse(request.query).get("user_code", "")
    if not typed:
        return _code_page(site)
    if read_user_code(typed) is None:
        return _code_page(site, typed=typed, wrong=True)
    browser = await browser_of(request, site)
    session = browser.session
    # Nobody who is not signed in learns whether a code is good: accounts are harder to come by than addresses.
    if session is None:
        return _to_sign_in(typed, site)
    wait = await count_user_code(
        session.subject, request.remote_address, store=site.store, now=site.now(), limits=site.user_code_limits
    )
    asking = None if wait else await find_device_authorization(typed, site.server)
    if asking is None:
        return _code_page(site, typed=typed, wrong=not wait, wait=wait)
    return await _question(asking, browser, session, site)


async def answer_device(request: Request, site: Site) -> Response:
    """Take the user's answer; everything is checked anew, for time has passed."""
    form = own_form(request)
    typed = form.get("user_code", "")
    browser = await browser_of(request, site)
    session = browser.session
    if session is None:
        return _to_sign_in(typed, site)
    require_own_form(request, form, browser, _action(session, typed), site)
    asking = await find_device_authorization(typed, site.server)
    if asking is None:
        return _code_page(site, typed=typed, wrong=True)
    decision = DeviceDecision.ALLOWED if form.get("decision") == "allow" else DeviceDecision.DENIED
    if not await _decided(decision, asking, session, request, site):
        return _code_page(site, typed=typed, wrong=True)
    return page(site, "device_done.html", allowed=decision is DeviceDecision.ALLOWED, client=asking.client)


async def _decided(
    decision: DeviceDecision, asking: AskingDevice, session: Session, request: Request, site: Site
) -> bool:
    address, agent = request.remote_address, request.user_agent
    if decision is DeviceDecision.DENIED:
        return await refuse_device_authorization(asking, session.subject, site.server, address=address, agent=agent)
    given = await give_consent(
        session.subject,
        asking.client.client_id,
        asking.consent_scope,
        store=site.store,
        now=site.now(),
        address=address,
        agent=agent,
    )
    return await complete_device_authorization(
        asking,
        site.authentication(session),
        site.server,
        consent_epoch=given.epoch,
        address=address,
        agent=agent,
    )


def _to_sign_in(typed: str, site: Site) -> Response:
    return redirect(f"{site.path(SIGN_IN)}?{urlencode({'user_code': typed})}")


def _action(session: Session, user_code: str) -> str:
    # The answer counts for this session and for the device that was shown.
    return f"device {session.session_id} {user_code}"


def _code_page(site: Site, *, typed: str = "", wrong: bool = False, wait: int = 0) -> Response:
    retry: Headers = (("Retry-After", str(wait)),) if wait else ()
    return page(
        site,
        "device.html",
        status=429 if wait else 422 if wrong else 200,
        headers=retry,
        typed=typed,
        wrong=wrong,
        wait=wait,
        form_action=site.path(DEVICE),
    )


async def _question(asking: AskingDevice, browser: Browser, session: Session, site: Site) -> Response:
    user = await site.store.user(session.subject)
    device = asking.authorization
    user_code = shown_user_code(device.user_code)
    return page(
        site,
        "device_consent.html",
        headers=keeping(browser, site),
        image=asking.client.logo_uri,
        client=asking.client,
        device=device,
        user_code=user_code,
        login=user.login if user else "",
        scopes=[(value, site.server.scopes.get(value, "")) for value in device.scope if value != OFFLINE_ACCESS],
        resources=[(uri, site.resource_name(uri)) for uri in device.resources],
        offline=OFFLINE_ACCESS in device.scope,
        form_action=site.path(DEVICE),
        form_token=form_token(browser, _action(session, user_code), site),
    )
