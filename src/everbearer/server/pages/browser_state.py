"""The state of a browser, as clients may watch it (OpenID Connect Session Management 1.0 §3.2): who is signed in in it.

It stands in a cookie that our frame in a page of a client can read, so it tells nothing: "information that can be used
for identifying the user should not be put into the cookie, as it could be read by unrelated JavaScript".
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from everbearer.login.models import Session
from everbearer.oauth.authorization_server import LogoutNotice
from everbearer.oauth.encoding import base64url
from everbearer.oauth.messages import Request, Response
from everbearer.oauth.sessions.session_state import check_session_frame
from everbearer.server.pages.site import Site

_LENGTH = 16


def is_watched(site: Site) -> bool:
    """Return whether clients may watch the state of browsers."""
    return LogoutNotice.SESSION_MANAGEMENT in site.server.logout_notices


def state_of(session: Session | None, browser_id: str, site: Site) -> str:
    """Return the state of a browser; empty where nobody watches.

    It changes with every sign-in, whose secret is new, and with signing out.
    """
    if not is_watched(site):
        return ""
    # Where nobody is signed in it is the browser's own, so that the clients of two browsers cannot compare.
    key = session.secret if session else browser_id.encode()
    return base64url(hmac.digest(key, b"browser state", sha256)[:_LENGTH])


def state_cookie(state: str, site: Site) -> tuple[str, str]:
    """Return the header that keeps a state."""
    # Readable for scripts and in frames of other sites, unlike all our other cookies: that is what it is for. Browsers
    # take `SameSite=None` over https alone.
    reach = "SameSite=None; Secure" if site.secure else "SameSite=Lax"
    return ("Set-Cookie", f"{cookie_name(site)}={state}; Path=/; {reach}; Max-Age={site.lifetimes.absolute}")


def cookie_name(site: Site) -> str:
    """Return the name of the cookie."""
    return "__Host-everbearer_browser_state" if site.secure else "everbearer_browser_state"


async def check_session(request: Request, site: Site) -> Response:  # noqa: ARG001 - a view
    """Answer the frame that clients ask."""
    return check_session_frame(cookie_name(site))
