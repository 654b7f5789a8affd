"""The paths of the pages, and what becomes of an error in one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from everbearer.oauth.authorization.endpoint import AuthorizationRefused
from everbearer.oauth.errors import OAuthError, StoreUnavailable
from everbearer.oauth.messages import Endpoint, Request, Response, redirect
from everbearer.oauth.paths import CHECK_SESSION_IFRAME
from everbearer.server.pages import account
from everbearer.server.pages.app_session import hints_at_app_session, sign_in_by_app_session
from everbearer.server.pages.assets import ASSETS
from everbearer.server.pages.authorize import AUTHORIZE, CONSENT, SIGN_IN, authorize, consent
from everbearer.server.pages.browser import CookiesOff, ForeignForm, UnreadableForm
from everbearer.server.pages.browser_state import check_session, is_watched
from everbearer.server.pages.device import DEVICE, answer_device, show_device
from everbearer.server.pages.end_session import END_SESSION, SIGN_OUT, confirmed_sign_out, end_session
from everbearer.server.pages.ended import ENDED_PAGES
from everbearer.server.pages.problems import (
    cookies_off_page,
    error_page,
    foreign_form_page,
    problem_page,
    unreadable_form_page,
)
from everbearer.server.pages.sign_in import SETTINGS, show_sign_in, take_sign_in
from everbearer.server.pages.site import Site

View: TypeAlias = Callable[[Request, Site], Awaitable[Response]]

STORE_RETRY_AFTER = 2


def page_routes(site: Site) -> Mapping[str, Mapping[str, Endpoint]]:
    """Return what answers at each path, by method."""
    authorization: dict[str, View] = {"GET": _authorize, "POST": authorize, "HEAD": _nothing_happens}
    views: dict[str, dict[str, View]] = {
        AUTHORIZE: authorization,
        # Many applications were written from a sample that has a slash before the question mark.
        f"{AUTHORIZE}/": authorization,
        SIGN_IN: {"GET": show_sign_in, "POST": take_sign_in},
        CONSENT: {"GET": _leading_to(AUTHORIZE), "POST": consent},
        END_SESSION: {"GET": end_session, "POST": end_session, "HEAD": _nothing_happens},
        SIGN_OUT: {"GET": _leading_to(END_SESSION), "POST": confirmed_sign_out},
        DEVICE: {"GET": show_device, "POST": answer_device},
        SETTINGS: {"GET": account.show_account},
        "/settings/identities": {"GET": account.lead_to_account},
        "/settings/sessions": {"GET": account.lead_to_account},
        account.PASSWORD: {"GET": account.lead_to_account, "POST": account.change_own_password},
        account.END_SESSIONS: {"GET": account.lead_to_account, "POST": account.end_sessions},
        account.REVOKE: {"GET": account.lead_to_account, "POST": account.revoke_access},
        account.WITHDRAW: {"GET": account.lead_to_account, "POST": account.withdraw},
        **{path: {"GET": view} for path, view in ENDED_PAGES.items()},
        **({CHECK_SESSION_IFRAME: {"GET": check_session}} if is_watched(site) else {}),
    }
    routes: dict[str, Mapping[str, Endpoint]] = {
        path: {method: guarded(view, site) for method, view in methods.items()} for path, methods in views.items()
    }
    return routes | {asset.path: {"GET": asset.answer} for asset in ASSETS}


async def _nothing_happens(request: Request, site: Site) -> Response:  # noqa: ARG001 - a view
    # "the server MUST NOT send content in the response" (RFC 9110 §9.3.2), and who looks at a link's head, such as a
    # preview of it, must neither get a code nor be signed out.
    return Response()


def _leading_to(path: str) -> View:
    """Return a view for who comes back to the address that a form was sent to: it leads to where the form is."""

    async def lead(request: Request, site: Site) -> Response:
        return redirect(site.path(path) + (f"?{request.query}" if request.query else ""))

    return lead


async def _authorize(request: Request, site: Site) -> Response:
    return await (sign_in_by_app_session if hints_at_app_session(request) else authorize)(request, site)


def guarded(view: View, site: Site) -> Endpoint:
    """Return the endpoint of a view: every error it gives up with becomes a page or a redirect."""

    async def endpoint(request: Request) -> Response:
        try:
            return await view(request, site)
        except AuthorizationRefused as refused:
            return refused.response or error_page(refused.error, site)
        except OAuthError as error:
            return error_page(error, site)
        except StoreUnavailable as trouble:
            page = problem_page(503, site, headers=(("Retry-After", str(STORE_RETRY_AFTER)),))
            return replace(page, trouble=trouble.reason)
        except (CookiesOff, ForeignForm, UnreadableForm) as refusal:
            return _form_refused(refusal, site)

    return endpoint


def _form_refused(refusal: CookiesOff | ForeignForm | UnreadableForm, site: Site) -> Response:
    match refusal:
        case CookiesOff():
            return cookies_off_page(site)
        case ForeignForm():
            return foreign_form_page(site)
        case UnreadableForm():
            return unreadable_form_page(str(refusal), site)
