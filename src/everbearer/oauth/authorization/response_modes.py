"""How an authorization response reaches the client: by query, by fragment or by a form that the browser posts.

OAuth 2.0 Multiple Response Type Encoding Practices §2.1, OAuth 2.0 Form Post Response Mode §2.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from html import escape
from urllib.parse import quote, urlencode, urlsplit

from everbearer.oauth.content_security import inline_source
from everbearer.oauth.messages import NO_STORE, Response, redirect
from everbearer.oauth.redirect_uris import form_action


class ResponseMode(StrEnum):
    """How the members of an authorization response are carried."""

    QUERY = "query"
    FRAGMENT = "fragment"
    FORM_POST = "form_post"


_SCRIPT = "document.forms[0].submit()"
_STYLE = """\
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 15vh auto; padding: 0 1rem }
button { font: inherit; width: 100%; min-height: 3rem; cursor: pointer }
"""
"""For browsers that run no script: only they show anything."""


def carry(members: Mapping[str, str], redirect_uri: str, mode: ResponseMode) -> Response:
    """Return the response that takes the browser, and the members, to the redirect URI."""
    if mode is ResponseMode.FORM_POST:
        return _form_post(members, redirect_uri)
    encoded = urlencode(members, quote_via=quote)
    if mode is ResponseMode.FRAGMENT:
        return redirect(f"{redirect_uri}#{encoded}")
    return redirect(f"{redirect_uri}{'&' if urlsplit(redirect_uri).query else '?'}{encoded}")


def _form_post(members: Mapping[str, str], redirect_uri: str) -> Response:
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in members.items()
    )
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Continue</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><style>{_STYLE}</style>'
        f'<main><form method="post" action="{escape(redirect_uri)}">{fields}'
        "<noscript><h1>One more step</h1><p>Your browser runs no scripts, so it is yours to go on.</p>"
        f'<button id="continue" autofocus>Continue</button></noscript></form></main><script>{_SCRIPT}</script></html>'
    )
    policy = (
        f"default-src 'none'; script-src {inline_source(_SCRIPT)}; style-src {inline_source(_STYLE)}; "
        f"{form_action(redirect_uri)}"
        "frame-ancestors 'none'; base-uri 'none'"
    )
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", policy),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        *NO_STORE,
    )
    return Response(status=200, headers=headers, body=page.encode())
