"""Redirect URIs: which are registered, and which web origin they are of (RFC 9700 §4.1.3, RFC 8252 §7.3)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LOOPBACK_HOSTS = ("127.0.0.1", "::1")
_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+")


def well_formed(uri: str) -> bool:
    """Return whether a URI has only characters that RFC 3986 allows before a fragment, and no fragment.

    What parses URIs drops line breaks and tabs without a word; what sends them in a header must not see any.
    """
    return _CHARACTERS.fullmatch(uri) is not None


def registered(uri: str, uris: tuple[str, ...]) -> bool:
    """Return whether a redirect URI is one of a client's: the same text, but for the port of a loopback address.

    "the authorization server MUST utilize simple string comparison [...] The only exception is port numbers in
    localhost redirection URIs of native apps" (RFC 9700 §4.1.3); "The authorization server MUST allow any port to be
    specified at the time of the request for loopback IP redirect URIs" (RFC 8252 §7.3).
    """
    if uri in uris:
        return True
    portless = _without_loopback_port(uri) if well_formed(uri) else None
    return portless is not None and any(portless == _without_loopback_port(known) for known in uris)


def _without_loopback_port(uri: str) -> str | None:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "http" or parts.hostname not in LOOPBACK_HOSTS or "@" in parts.netloc:
        return None
    netloc = parts.netloc.removesuffix(f":{port}") if port is not None else parts.netloc
    return parts._replace(netloc=netloc).geturl()


def origin_of(uri: str) -> str:
    """Return the web origin of a URI, as a browser writes it; empty if it is not of http or https."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, default) else "")


def web_host(uri: str) -> str:
    """Return the host of an https URI; empty for others, whose hosts and schemes are nobody's alone."""
    origin = origin_of(uri)
    return (urlsplit(origin).hostname or "") if origin.startswith("https://") else ""


def form_action(uri: str) -> str:
    """Return the `form-action` of a Content-Security-Policy for a page whose forms lead to a URI; empty for no limit.

    Browsers hold every redirect after a form to it, the client's own ones too: from its callback a broker, or an
    application on several hosts, sends the user on to where we cannot know. A scheme that is an app's ends there.
    """
    return "" if origin_of(uri) else f"form-action 'self' {urlsplit(uri).scheme}:; "
