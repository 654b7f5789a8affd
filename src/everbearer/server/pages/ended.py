"""The pages that `error_uri` leads to: why a grant ended and what to do (RFC 6749 §5.2). They ask for nothing."""

from __future__ import annotations

from functools import partial

from everbearer.oauth.messages import Request, Response
from everbearer.oauth.models import EndReason
from everbearer.oauth.tokens.explanations import DESCRIPTIONS
from everbearer.server.pages.rendering import page
from everbearer.server.pages.site import Site


async def show_ended(request: Request, site: Site, *, reason: EndReason) -> Response:  # noqa: ARG001 - a view
    """Explain a reason, to the user and to the application's developer."""
    return page(site, "ended.html", reason=reason.value, description=DESCRIPTIONS[reason])


ENDED_PAGES = {f"/ended/{reason}": partial(show_ended, reason=reason) for reason in EndReason}
