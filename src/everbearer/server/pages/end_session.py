"""Signing out, by the user or at a client's request (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from collections.abc import Sequence

from everbearer.login.models import Session
from everbearer.login.sessions import sign_out
from everbearer.oauth.client import Client
from everbearer.oauth.messages import Request, Response, redirect
from everbearer.oauth.parameters import Parameters, format_parameters, parse, posted_parameters
from everbearer.oauth.sessions.end_session import (
    EndSessionRequest,
    signed_out_redirect,
    signed_out_uri,
    validate_end_session_request,
)
from everbearer.oauth.sessions.frontchannel_logout import frontchannel_logout_frame
from everbearer.server.pages.browser import (
    Browser,
    browser_of,
    form_token,
    keeping,
    own_form,
    require_own_form,
    signed_out,
)
from everbearer.server.pages.rendering import page
from everbearer.server.pages.site import Site

END_SESSION = "/oauth2/end_session"
SIGN_OUT = "/sign-out"
POST_LOGOUT_REDIRECT_URI = "post_logout_redirect_uri"
_GO_ON = """
const onward = () => location.replace(document.getElementById("continue").href);
addEventListener("load", () => setTimeout(onward, 1000));
setTimeout(onward, 5000);
"""
"""On, a second after all frames have loaded; those that do not end keep nobody. A browser without scripts is told so by
the page's `meta`, which some that run them would follow as well, and not all to where it says."""


async def end_session(request: Request, site: Site) -> Response:
    """Sign out at once where the request proves that it knows this session, else ask the user (ASVS 10.6.2).

    One that names a place which is not its client's is suspect, whatever it proves.
    """
    if request.method == "POST":
        # Posted from another site it came without our cookies (SameSite=Lax); the GET it becomes has them.
        return redirect(f"{site.path(END_SESSION)}?{format_parameters(posted_parameters(request))}")
    parameters = parse(request.query)
    asked = await validate_end_session_request(parameters, site.server)
    browser = await browser_of(request, site)
    if browser.session is None:
        return _nobody_signed_in(asked, site)
    session = browser.session
    if not asked.unregistered_uri and asked.belongs_to(session.session_id, session.subject, site.server):
        return await _sign_out(asked, parameters, browser, browser.session, site)
    return await _confirmation_page(asked, request, browser, browser.session, site)


async def confirmed_sign_out(request: Request, site: Site) -> Response:
    """Sign out whoever said so on our own page."""
    parameters = parse(request.query)
    asked = await validate_end_session_request(parameters, site.server)
    browser = await browser_of(request, site)
    form = own_form(request)
    if browser.session is None:
        return _nobody_signed_in(asked, site)
    require_own_form(request, form, browser, sign_out_action(browser.session), site)
    return await _sign_out(asked, parameters, browser, browser.session, site)


async def clients_of(session: Session, site: Site) -> list[Client]:
    """Return the applications that a session has signed in to, but for those that are gone."""
    ids = await site.store.clients_of_session(session.session_id)
    clients = [await site.store.client(client_id) for client_id in ids]
    return [client for client in clients if client is not None]


def sign_out_action(session: Session) -> str:
    """Return the action that a form token for signing out is bound to."""
    return f"sign-out {session.session_id}"


async def _sign_out(
    asked: EndSessionRequest, parameters: Parameters, browser: Browser, session: Session, site: Site
) -> Response:
    frames = await _frames(session, site)
    known = "" if asked.post_logout_redirect_uri else await _known_uri(parameters, site)
    await sign_out(session, store=site.store, now=site.now())
    if asked.post_logout_redirect_uri and not frames:
        return signed_out(signed_out_redirect(asked), browser, site)
    onward = signed_out_uri(asked) if asked.post_logout_redirect_uri else ""
    return signed_out(_signed_out_page(known, site, onward=onward, frames=frames), browser, site)


async def _frames(session: Session, site: Site) -> list[str]:
    """Return what the browser is to load so that those learn of it whom the session has signed in to."""
    clients = await clients_of(session, site)
    frames = [frontchannel_logout_frame(client, session.session_id, site.server) for client in clients]
    return [frame for frame in frames if frame]


def _nobody_signed_in(asked: EndSessionRequest, site: Site) -> Response:
    # The cookie is left alone: a form posted by another site comes without it, and must not take it away.
    if asked.hint is not None and asked.post_logout_redirect_uri:
        return signed_out_redirect(asked)
    return _signed_out_page(asked.post_logout_redirect_uri, site)


def _signed_out_page(back: str, site: Site, *, onward: str = "", frames: Sequence[str] = ()) -> Response:
    return page(site, "signed_out.html", back=back, onward=onward, frames=frames, script=_GO_ON if onward else "")


async def _known_uri(parameters: Parameters, site: Site) -> str:
    # Some SDKs name no client. Where the place is some client's, the user may go there by a link.
    uri = parameters.get(POST_LOGOUT_REDIRECT_URI)
    if uri is None:
        return ""
    known = any(uri in client.post_logout_redirect_uris for client in await site.store.clients())
    return uri if known else ""


async def _confirmation_page(
    asked: EndSessionRequest, request: Request, browser: Browser, session: Session, site: Site
) -> Response:
    return page(
        site,
        "sign_out.html",
        headers=keeping(browser, site),
        form_target=asked.post_logout_redirect_uri,
        client=asked.client,
        signed_in_to=await clients_of(session, site),
        unregistered_uri=asked.unregistered_uri,
        form_action=site.path(SIGN_OUT) + (f"?{request.query}" if request.query else ""),
        form_token=form_token(browser, sign_out_action(session), site),
    )
