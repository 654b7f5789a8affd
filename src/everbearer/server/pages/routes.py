"""The paths of the pages, and what becomes of an error in one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from everbearer.oauth.authorization.endpoint import AuthorizationRefused
from everbearer.oauth.errors import OAuthError, StoreUnavailable
from everbearer.oauth.messages import Endpoint, Request, Response
from everbearer.oauth.paths import CHECK_SESSION_IFRAME
from everbearer.server.pages import account
from everbearer.server.pages.app_session import hints_at_app_session, sign_in_by_app_session
from everbearer.server.pages.assets import ASSETS
from everbearer.server.pages.authorize import AUTHORIZE, CONSENT, SIGN_IN, authorize, consent
from everbearer.server.pages.browser import CookiesOff, ForeignForm
from everbearer.server.pages.browser_state import check_session, is_watched
from everbearer.server.pages.device import DEVICE, answer_device, show_device
from everbearer.server.pages.end_session import END_SESSION, SIGN_OUT, confirmed_sign_out, end_session
from everbearer.server.pages.ended import ENDED_PAGES
from everbearer.server.pages.problems import cookies_off_page, error_page, foreign_form_page, problem_page
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
        CONSENT: {"POST": consent},
        END_SESSION: {"GET": end_session, "POST": end_session, "HEAD": _nothing_happens},
        SIGN_OUT: {"POST": confirmed_sign_out},
        DEVICE: {"GET": show_device, "POST": answer_device},
        SETTINGS: {"GET": account.show_account},
        "/settings/identities": {"GET": account.lead_to_account},
        "/settings/sessions": {"GET": account.lead_to_account},
        account.PASSWORD: {"POST": account.change_own_password},
        account.END_SESSIONS: {"POST": account.end_sessions},
        account.REVOKE: {"POST": account.revoke_access},
        account.WITHDRAW: {"POST": account.withdraw},
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
        except CookiesOff:
            return cookies_off_page(site)
        except ForeignForm:
            return foreign_form_page(site)

    return endpoint
