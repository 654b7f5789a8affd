"""What is wrong with a redirect URI (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §4.1.3)."""

from __future__ import annotations

from urllib.parse import SplitResult

from everbearer.oauth.uris import is_loopback, split_uri

_CODE_IN_A_URI = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "filesystem"})


def redirect_uri_problem(uri: str) -> str:
    """Return what is wrong with a redirect URI, as the end of a sentence; empty where nothing is (RFC 6749 §3.1.2)."""
    parts = split_uri(uri)
    if parts is None:
        return "is not a URI: percent-encode spaces, quotes and characters beyond ASCII"
    if not parts.scheme:
        return "is not absolute: begin with https://, or with http:// on a loopback host"
    if "#" in uri:
        # "The endpoint URI MUST NOT include a fragment component" (RFC 6749 §3.1.2).
        return "has a fragment: leave out the # and what follows"
    return _web_redirect_problem(parts) if parts.scheme in {"http", "https"} else _app_redirect_problem(parts)


def _web_redirect_problem(parts: SplitResult) -> str:
    if not parts.hostname:
        return "has no host: write it as https://app.example.com/callback"
    if "@" in parts.netloc:
        return "has a user name in it: leave out what stands before the @"
    if "*" in parts.netloc or "*" in parts.path:
        return "has a wildcard, but redirect URIs are compared exactly (RFC 9700 §4.1.3): list each one"
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return "would send the code in clear: use https, or http on localhost, 127.0.0.1 or [::1] only"
    return ""


def _app_redirect_problem(parts: SplitResult) -> str:
    if parts.scheme in _CODE_IN_A_URI:
        return f"would run or read something in the browser: the scheme {parts.scheme} is never allowed"
    # `localhost:3000/callback` reads as a scheme and a path; a host and a port were meant.
    if parts.path[:1].isdigit():
        return "has no scheme before its host and port: begin with https://, or with http:// on a loopback host"
    # "The URI scheme ... MUST be based on a domain name under their control" (RFC 8252 §7.1 by way of RFC 7595 §3.8).
    if "." not in parts.scheme:
        return (
            "has a scheme that other apps can claim too: use one made of your domain, such as com.example.app:/callback"
        )
    return ""
