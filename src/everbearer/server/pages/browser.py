"""What a browser keeps for us: two cookies, and in each form a token that proves it came from our own page."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from everbearer.login.models import Session
from everbearer.login.sessions import cookie_value, open_session
from everbearer.oauth.errors import InvalidRequest
from everbearer.oauth.messages import Headers, Request, Response
from everbearer.oauth.parameters import Parameters, posted_parameters
from everbearer.oauth.randomness import random_id
from everbearer.server.pages.browser_state import cookie_name, state_cookie, state_of
from everbearer.server.pages.site import Site

_CSRF_PURPOSE = "form"


class CookiesOff(Exception):
    """A form came from a browser that did not send our cookie along."""


class ForeignForm(Exception):
    """A form did not come from our page in this browser, or from one shown before another sign-in."""


class UnreadableForm(Exception):
    """A form did not come as our pages send it; the message says in what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """The browser that a request came from."""

    browser_id: str = field(repr=False)
    is_new: bool
    session: Session | None
    state: str = field(default="", repr=False)
    """What clients may watch; empty where nobody does."""
    knows_state: bool = True
    """Whether it has kept that."""


async def browser_of(request: Request, site: Site) -> Browser:
    """Return who asks, with the live session if there is one."""
    cookies = cookies_of(request)
    browser_id = cookies.get(_name("browser", site), "")
    session = await open_session(
        cookies.get(_name("session", site), ""),
        store=site.store,
        sealer=site.server.sealer,
        lifetimes=site.lifetimes,
        now=site.now(),
    )
    known, browser_id = browser_id, browser_id or random_id()
    state, kept = state_of(session, browser_id, site), cookies.get(cookie_name(site), "")
    if state and kept and not known:
        # From a frame in a page of another site this cookie comes alone (SameSite=None): that says nothing of who is
        # signed in, and must change nothing.
        state = kept
    return Browser(browser_id=browser_id, is_new=not known, session=session, state=state, knows_state=kept == state)


def form_token(browser: Browser, action: str, site: Site) -> str:
    """Return what a form must bring back to do `action`, which names the session where it acts for a user."""
    return site.server.sealer.keyed_hash(_CSRF_PURPOSE, f"{browser.browser_id}\n{action}".encode())


def keeping(browser: Browser, site: Site) -> Headers:
    """Return the cookie that a page with a form needs, where the browser does not have it yet."""
    return (_set_cookie(_name("browser", site), browser.browser_id, site),) if browser.is_new else ()


def own_form(request: Request) -> Parameters:
    """Return what was typed into one of our own forms. `require_own_form` tells whether it came from there.

    Raises:
        UnreadableForm: it is no form, is malformed or has a field twice.
    """
    try:
        return posted_parameters(request)
    except InvalidRequest as error:
        raise UnreadableForm(error.description) from None


def require_own_form(request: Request, form: Parameters, browser: Browser, action: str, site: Site) -> None:
    """Return if the form came from our own page in this very browser.

    Raises:
        CookiesOff: the browser keeps no cookies.
        ForeignForm: it came from elsewhere.

    """
    if not _same_origin(request, site):
        raise ForeignForm
    if browser.is_new:
        raise CookiesOff
    data = f"{browser.browser_id}\n{action}".encode()
    token = form.get("form_token", "")
    if not token.isascii() or not site.server.sealer.keyed_hash_matches(_CSRF_PURPOSE, data, token):
        raise ForeignForm


def signed_in(response: Response, session: Session, site: Site) -> Response:
    """Return the response with the cookie of a new session."""
    value = cookie_value(session, site.server.sealer)
    cookie = _set_cookie(_name("session", site), value, site, max_age=site.lifetimes.absolute)
    state = state_of(session, "", site)
    return response.with_headers(cookie, *([state_cookie(state, site)] if state else []))


def signed_out(response: Response, browser: Browser, site: Site) -> Response:
    """Return the response with the session's cookie taken away."""
    cookie = _set_cookie(_name("session", site), "", site, max_age=0)
    return watched(response.with_headers(cookie), as_signed_out(browser, site), site)


def as_signed_out(browser: Browser, site: Site) -> Browser:
    """Return the browser without its session."""
    state = state_of(None, browser.browser_id, site)
    return replace(browser, session=None, state=state, knows_state=browser.knows_state and state == browser.state)


def watched(response: Response, browser: Browser, site: Site) -> Response:
    """Return the response with what clients may watch, where the browser does not have it yet."""
    if browser.knows_state:
        return response
    return response.with_headers(state_cookie(browser.state, site), *keeping(browser, site))


def _same_origin(request: Request, site: Site) -> bool:
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or origin == site.origin or origin.partition("://")[2] == request.headers.get("host")


def cookies_of(request: Request) -> dict[str, str]:
    """Return the cookies of a request; of two of one name the first, which is of the longer path (RFC 6265 §5.4)."""
    cookies: dict[str, str] = {}
    for pair in request.headers.get("cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        cookies.setdefault(name, value)
    return cookies


def _name(name: str, site: Site) -> str:
    # A cookie of this prefix cannot be set by a sibling host or over plain http (RFC 6265bis §4.1.3.2).
    return f"__Host-everbearer_{name}" if site.secure else f"everbearer_{name}"


def _set_cookie(name: str, value: str, site: Site, *, max_age: int | None = None) -> tuple[str, str]:
    lasting = "" if max_age is None else f"; Max-Age={max_age}"
    secure = "; Secure" if site.secure else ""
    return ("Set-Cookie", f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{lasting}{secure}")
