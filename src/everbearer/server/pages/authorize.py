"""The authorization endpoint as browsers meet it: sign in, consent, back to the client (OpenID Connect Core §3.1.2)."""

from __future__ import annotations

from everbearer.login.consent import give_consent, needs_consent
from everbearer.login.models import Consent, Session
from everbearer.login.sessions import answers_flow, needs_sign_in
from everbearer.oauth.authorization.endpoint import (
    complete_authorization,
    refuse_authorization,
    unmet,
    validate_authorization_request,
)
from everbearer.oauth.authorization.request import AuthorizationRequest
from everbearer.oauth.errors import AccessDenied, ConsentRequired, LoginRequired, OAuthError
from everbearer.oauth.messages import Request, Response, redirect
from everbearer.oauth.parameters import format_parameters, parse, posted_parameters
from everbearer.oauth.randomness import random_id
from everbearer.oauth.response_types import NONE
from everbearer.oauth.scope import OFFLINE_ACCESS
from everbearer.server.pages.browser import (
    Browser,
    browser_of,
    form_token,
    keeping,
    own_form,
    require_own_form,
    watched,
)
from everbearer.server.pages.rendering import page
from everbearer.server.pages.site import Site

AUTHORIZE = "/oauth2/authorize"
CONSENT = "/consent"
SIGN_IN = "/sign-in"
FLOW = "flow"
"""The parameter that ties a sign-in to the authorization request that asked for it."""
_SHARES_NO_SIGN_IN = "x_suppress_idp_session_cookie"
"""How Authgear's SDKs say that their application takes part in no single sign-on: its users sign in every time. Their
logout leaves our session alone, so who logs out there would otherwise be signed in again without a question."""


async def authorize(request: Request, site: Site) -> Response:
    """Answer an authorization request, once the user is signed in and has consented."""
    if request.method == "POST":
        # Posted from another site it came without our cookies (SameSite=Lax); the GET it becomes has them.
        return redirect(f"{site.path(AUTHORIZE)}?{format_parameters(posted_parameters(request))}")
    parameters = parse(request.query)
    asked = await validate_authorization_request(parameters, site.server)
    browser = await browser_of(request, site)
    session = browser.session
    if session is None or _must_sign_in(asked, session, site):
        return _to_sign_in(asked, browser, site)
    # Before anybody is asked to consent to what cannot be.
    refused = unmet(asked, site.authentication(session), site.server)
    if refused is not None:
        return refuse(asked, refused, browser, site)
    consent = await site.store.consent(session.subject, asked.client.client_id)
    if _must_consent(asked, consent):
        if "none" in asked.prompt:
            error = ConsentRequired("the user has not consented to this, and prompt=none forbids to ask")
            return refuse(asked, error, browser, site)
        return await _consent_page(asked, browser, session, site)
    response = await complete(asked, session, browser.state, request, site, consent_epoch=consent.epoch)
    return watched(response, browser, site)


async def consent(request: Request, site: Site) -> Response:
    """Take the user's answer to the consent page; everything is checked anew, for time has passed."""
    asked = await validate_authorization_request(parse(request.query), site.server)
    browser = await browser_of(request, site)
    session = browser.session
    if session is None or _must_sign_in(asked, session, site):
        return _to_sign_in(asked, browser, site)
    form = own_form(request)
    require_own_form(request, form, browser, _consent_action(session, request.query), site)
    if form.get("decision") != "allow":
        return refuse(asked, AccessDenied("the user denied the request"), browser, site)
    given = await give_consent(
        session.subject,
        asked.client.client_id,
        asked.consent_scope,
        store=site.store,
        now=site.now(),
        address=request.remote_address,
        agent=request.user_agent,
    )
    response = await complete(asked, session, browser.state, request, site, consent_epoch=given.epoch)
    return watched(response, browser, site)


async def complete(
    asked: AuthorizationRequest,
    session: Session,
    browser_state: str,
    request: Request,
    site: Site,
    *,
    consent_epoch: int | None = None,
) -> Response:
    """Take the browser back to the client, which is told one day that the session has ended."""
    if asked.response_type == NONE:
        # There is no grant to note the client with.
        client_id, subject = asked.client.client_id, session.subject
        await site.store.note_client(session.session_id, client_id, subject=subject, at=site.now())
    return await complete_authorization(
        asked,
        site.authentication(session),
        site.server,
        consent_epoch=consent_epoch,
        address=request.remote_address,
        agent=request.user_agent,
        browser_state=browser_state,
    )


def refuse(asked: AuthorizationRequest, error: OAuthError, browser: Browser, site: Site) -> Response:
    """Take an error to the client, and with it what the client may watch of the browser."""
    response = refuse_authorization(asked, error, site.server, browser_state=browser.state)
    return watched(response, browser, site)


def _must_sign_in(asked: AuthorizationRequest, session: Session, site: Site) -> bool:
    alone = asked.parameters.get(_SHARES_NO_SIGN_IN) == "true"
    return needs_sign_in(
        session,
        prompt=asked.prompt | {"login"} if alone else asked.prompt,
        max_age=asked.max_age,
        another_user=not all(named.is_user(session.subject, site.server) for named in asked.named),
        flow=asked.resumption.get(FLOW, ""),
        now=site.now(),
    )


def _to_sign_in(asked: AuthorizationRequest, browser: Browser, site: Site) -> Response:
    session = browser.session
    if "none" in asked.prompt:
        error = LoginRequired("the user must sign in, and prompt=none forbids to ask")
        return refuse(asked, error, browser, site)
    flow = asked.resumption.get(FLOW, "")
    if session is not None and answers_flow(session, flow, site.now()):
        # Asked to sign in for this very request, the user did, as another than the one hinted at. Asking again
        # would be a loop.
        error = LoginRequired("the user who signed in is not the one that the request names")
        return refuse(asked, error, browser, site)
    return redirect(f"{site.path(SIGN_IN)}?{format_parameters(asked.resumption, flow=random_id())}")


def _must_consent(asked: AuthorizationRequest, consent: Consent) -> bool:
    return needs_consent(
        asked.client, asked.consent_scope, prompt=asked.prompt, redirect_uri=asked.redirect_uri, consent=consent
    )


def _consent_action(session: Session, query: str) -> str:
    # What was shown is what is allowed: the answer counts for this session and these very parameters.
    return f"consent {session.session_id} {query}"


async def _consent_page(asked: AuthorizationRequest, browser: Browser, session: Session, site: Site) -> Response:
    query = format_parameters(asked.resumption)
    user = await site.store.user(session.subject)
    shown = [value for value in asked.consent_scope if value != OFFLINE_ACCESS and value not in asked.resources]
    return page(
        site,
        "consent.html",
        headers=keeping(browser, site),
        form_target=asked.redirect_uri,
        image=asked.client.logo_uri,
        client=asked.client,
        redirect_uri=asked.redirect_uri,
        login=user.login if user else "",
        scopes=[(value, site.server.scopes.get(value, "")) for value in shown],
        resources=[(uri, site.resource_name(uri)) for uri in asked.resources],
        offline=OFFLINE_ACCESS in asked.scope,
        form_action=f"{site.path(CONSENT)}?{query}",
        form_token=form_token(browser, _consent_action(session, query), site),
    )
