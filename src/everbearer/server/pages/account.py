"""The account page: who is signed in where, and which applications may do what (ASVS 7.5.2, 10.4.9, 10.7.3)."""

from __future__ import annotations

from dataclasses import dataclass

from everbearer.login.accounts import WeakPassword, change_password
from everbearer.login.consent import withdraw_consent
from everbearer.login.models import Consent, Session, User
from everbearer.login.passwords import Weakness
from everbearer.login.sessions import is_live, sign_out, sign_out_others
from everbearer.login.sign_in import Attempt, SignedIn, TooManyAttempts
from everbearer.oauth.authorization.initiate_login import login_initiation
from everbearer.oauth.client import Client
from everbearer.oauth.lifetimes import Expiry, end_of, expiry
from everbearer.oauth.messages import Headers, Request, Response, redirect
from everbearer.oauth.models import DAY, Ended, EndReason, Grant
from everbearer.oauth.parameters import Parameters
from everbearer.oauth.scope import Scope
from everbearer.server.pages.browser import (
    Browser,
    browser_of,
    form_token,
    keeping,
    own_form,
    require_own_form,
    signed_in,
)
from everbearer.server.pages.end_session import SIGN_OUT, clients_of, sign_out_action
from everbearer.server.pages.rendering import page
from everbearer.server.pages.sign_in import SETTINGS
from everbearer.server.pages.site import Site
from everbearer.server.pages.user_agent import browser_name

PASSWORD = "/settings/password"
END_SESSIONS = "/settings/sessions/end"
REVOKE = "/settings/applications/revoke"
WITHDRAW = "/settings/consents/withdraw"

ENDED_SHOWN_FOR = 30 * DAY
MOST_ENDED_SHOWN = 10
MOST_LIVE_READ = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One grant as the account page shows it."""

    grant: Grant
    client: Client
    ended: Ended | None
    expiry: Expiry
    opens_at: str
    """Where a browser is sent that is to be signed in by the client; empty where it says no such place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInAt:
    """One session as the account page shows it."""

    session: Session
    agent: str
    clients: list[Client]
    """Which it has signed in to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """A signed-in user's request for the account page."""

    request: Request
    browser: Browser
    session: Session
    user: User


async def show_account(request: Request, site: Site) -> Response:
    """Show the account page, or lead to sign in."""
    visit = await _visit(request, site)
    return redirect(site.path("/sign-in")) if visit is None else await _account_page(visit, site)


async def lead_to_account(request: Request, site: Site) -> Response:  # noqa: ARG001 - the shape of a view
    """Lead to the one page there is from the addresses that SDKs know, and from those of its forms."""
    return redirect(site.path(SETTINGS))


async def change_own_password(request: Request, site: Site) -> Response:
    """Change the password, given the present one; all grants and sessions end, and this browser signs in anew."""
    visit = await _visit(request, site)
    if visit is None:
        return redirect(site.path("/sign-in"))
    form = _form(visit, site)
    attempt = Attempt(
        login=visit.user.login,
        password=form.get("password", ""),
        address=request.remote_address,
        agent=request.user_agent,
    )
    try:
        outcome = await change_password(
            attempt,
            form.get("new_password", ""),
            store=site.store,
            run=site.run,
            now=site.now(),
            limits=site.limits,
        )
    except WeakPassword as weak:
        return await _account_page(visit, site, status=422, weakness=weak.weakness)
    if isinstance(outcome, SignedIn):
        return signed_in(redirect(f"{site.path(SETTINGS)}?changed=password"), outcome.session, site)
    if isinstance(outcome, TooManyAttempts):
        return await _account_page(visit, site, status=429, wait=outcome.retry_after)
    return await _account_page(visit, site, status=422, wrong=True)


async def end_sessions(request: Request, site: Site) -> Response:
    """Sign out one other browser of the user, or all others."""
    visit = await _visit(request, site)
    if visit is None:
        return redirect(site.path("/sign-in"))
    form = _form(visit, site)
    if form.get("session") is None:
        await sign_out_others(visit.session, store=site.store, now=site.now())
    for session in await site.store.sessions_of(visit.user.subject):
        if session.session_id == form.get("session"):
            await sign_out(session, store=site.store, now=site.now())
    return redirect(f"{site.path(SETTINGS)}?changed=sessions#sessions")


async def revoke_access(request: Request, site: Site) -> Response:
    """End one of the user's own grants."""
    visit = await _visit(request, site)
    if visit is None:
        return redirect(site.path("/sign-in"))
    grant = await site.store.grant(_form(visit, site).get("grant", ""))
    if grant is not None and grant.subject == visit.user.subject:
        actor = f"user:{visit.user.subject}"
        ended = Ended(reason=EndReason.REVOKED_BY_USER, actor=actor, at=site.now())
        await site.store.end_grant(grant.grant_id, ended)
    return redirect(f"{site.path(SETTINGS)}?changed=access#applications")


async def withdraw(request: Request, site: Site) -> Response:
    """Forget a consent of the user, ending all grants under it."""
    visit = await _visit(request, site)
    if visit is None:
        return redirect(site.path("/sign-in"))
    client_id = _form(visit, site).get("client", "")
    await withdraw_consent(visit.user.subject, client_id, store=site.store, now=site.now())
    return redirect(f"{site.path(SETTINGS)}?changed=consent#consents")


async def _visit(request: Request, site: Site) -> _Visit | None:
    browser = await browser_of(request, site)
    user = await site.store.user(browser.session.subject) if browser.session else None
    if browser.session is None or user is None:
        return None
    return _Visit(request=request, browser=browser, session=browser.session, user=user)


def _action(visit: _Visit) -> str:
    return f"account {visit.session.session_id}"


def _form(visit: _Visit, site: Site) -> Parameters:
    form = own_form(visit.request)
    require_own_form(visit.request, form, visit.browser, _action(visit), site)
    return form


async def _account_page(
    visit: _Visit,
    site: Site,
    *,
    status: int = 200,
    wrong: bool = False,
    weakness: Weakness | None = None,
    wait: int = 0,
) -> Response:
    accesses = await _accesses(visit.user, site)
    retry: Headers = (("Retry-After", str(wait)),) if wait else ()
    return page(
        site,
        "account.html",
        status=status,
        headers=(*keeping(visit.browser, site), *retry),
        user=visit.user,
        changed=visit.request.query.removeprefix("changed=") if status == 200 else "",  # noqa: PLR2004 - OK
        wrong=wrong,
        weakness=weakness.value if weakness else "",
        wait=wait,
        sessions=await _sessions(visit, site),
        current=visit.session.session_id,
        online=[access for access in accesses if access.ended is None and not access.grant.offline],
        offline=[access for access in accesses if access.ended is None and access.grant.offline],
        ended=_newest_first(accesses)[:MOST_ENDED_SHOWN],
        consents=await _consents(visit.user, site),
        words=site.words(),
        form_token=form_token(visit.browser, _action(visit), site),
        sign_out_token=form_token(visit.browser, sign_out_action(visit.session), site),
        actions={
            "sign_out": site.path(SIGN_OUT),
            "password": site.path(PASSWORD),
            "sessions": site.path(END_SESSIONS),
            "revoke": site.path(REVOKE),
            "withdraw": site.path(WITHDRAW),
        },
    )


async def _sessions(visit: _Visit, site: Site) -> list[SignedInAt]:
    sessions = await site.store.sessions_of(visit.user.subject)
    live = [session for session in sessions if is_live(session, site.lifetimes, site.now())]
    current_first = sorted(live, key=lambda session: session.session_id != visit.session.session_id)
    return [
        SignedInAt(session=session, agent=browser_name(session.agent), clients=await clients_of(session, site))
        for session in current_first
    ]


async def _accesses(user: User, site: Site) -> list[Access]:
    """Return the live grants and, of those worth telling of, the ones that ended lately."""
    accesses: list[Access] = []
    clients: dict[str, Client] = {}
    # Many may have ended since the oldest that lives began.
    live = await site.store.grants(subject=user.subject, live_only=True, limit=MOST_LIVE_READ)
    lately = await site.store.grants(subject=user.subject)
    for grant in {grant.grant_id: grant for grant in (*live, *lately)}.values():
        if grant.client_id not in clients:
            clients[grant.client_id] = await _client(grant.client_id, site)
        client = clients[grant.client_id]
        ended = end_of(grant, client, site.now())
        if _worth_telling(grant, ended, site.now()):
            opens_at = _opens_at(client, grant.scope, user, site)
            accesses.append(
                Access(grant=grant, client=client, ended=ended, expiry=expiry(grant, client), opens_at=opens_at)
            )
    return accesses


def _worth_telling(grant: Grant, ended: Ended | None, now: int) -> bool:
    if grant.generation == 0 and grant.code is not None:
        return False  # No application holds anything yet.
    if ended is None:
        return True
    return grant.offline and now - ended.at <= ENDED_SHOWN_FOR


def _newest_first(accesses: list[Access]) -> list[tuple[Access, Ended]]:
    ended = [(access, access.ended) for access in accesses if access.ended is not None]
    return sorted(ended, key=lambda pair: pair[1].at, reverse=True)


async def _consents(user: User, site: Site) -> list[tuple[Consent, Client, str]]:
    consents = await site.store.consents_of(user.subject)
    clients = [await _client(consent.client_id, site) for consent in consents]
    return [
        (consent, client, _opens_at(client, consent.scope, user, site))
        for consent, client in zip(consents, clients, strict=True)
    ]


def _opens_at(client: Client, scope: Scope, user: User, site: Site) -> str:
    # The login tells who the user is: only those hear it who may know that anyway.
    may_know = client.first_party or {"profile", "email"} & set(scope)
    return login_initiation(client, site.server.issuer, login_hint=user.login if may_know else "")


async def _client(client_id: str, site: Site) -> Client:
    return await site.store.client(client_id) or Client(client_id=client_id)
