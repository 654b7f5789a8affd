"""Pages for what went wrong: an authorization request that cannot go on, and the statuses that browsers meet."""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.errors import InvalidRequest, OAuthError
from everbearer.oauth.messages import Headers, Request, Response
from everbearer.server.pages.rendering import page
from everbearer.server.pages.site import Site

_KEPT = frozenset({"Allow", "Connection", "Retry-After"})
"""What HTTP says of an error besides its status, to a browser as to anybody."""


def error_page(error: OAuthError, site: Site) -> Response:
    """Tell the user that we cannot continue and a developer why (RFC 6749 §4.1.2.1: no redirect)."""
    headers: Headers = (("Retry-After", str(error.retry_after)),) if error.retry_after else ()
    status = error.status if error.status in {429, 503} else 400
    response = page(
        site, "error.html", status=status, headers=headers, error=error.error, description=error.description
    )
    return replace(response, error=error.error)


def problem_page(status: int, site: Site, *, headers: Headers = ()) -> Response:
    """Return the page of a status: 404, 405, 500, 503 or another error."""
    return page(site, "problem.html", status=status, headers=headers, status_code=status)


def cookies_off_page(site: Site) -> Response:
    """Tell that we need cookies, instead of asking to sign in again and again."""
    return page(site, "problem.html", status=400, status_code="cookies")


def foreign_form_page(site: Site) -> Response:
    """Tell that the form was not ours, or too old."""
    return page(site, "problem.html", status=403, status_code="form")


def unreadable_form_page(detail: str, site: Site) -> Response:
    """Tell that the form did not come as our page sends it."""
    response = page(site, "problem.html", status=400, status_code="unreadable", detail=detail)
    return replace(response, error=InvalidRequest.error)


def wants_page(request: Request) -> bool:
    """Return whether a browser asks, and would show its user what it gets."""
    return "text/html" in request.headers.get("accept", "")


def as_page(response: Response, site: Site) -> Response:
    """Return the page of an error that was to be told to a program."""
    if ("Content-Type", "application/json") not in response.headers:
        return response
    kept = tuple((name, value) for name, value in response.headers if name in _KEPT)
    shown = problem_page(response.status, site, headers=kept)
    return replace(shown, error=response.error, trouble=response.trouble)
