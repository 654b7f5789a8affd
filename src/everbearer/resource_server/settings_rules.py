"""What the settings of a resource server must be, with sentences that say what to change."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.oauth.uris import is_safe_to_fetch

_OURS = ("resource", "authorization_servers", "scopes_supported", "bearer_methods_supported")
"""The members of its metadata that follow from the settings of a resource server."""
ADVICE: Mapping[str, str] = {
    "audience": 'write audience="https://api.example.com", or a tuple of several names',
    "introspection": 'write Introspection(client_id="...", client_secret="...")',
    "fetch": "write StandardFetch() or a function of a Fetch",
    "fetch_async": "write an async function of a Fetch",
    "jwks": "write the JWK Set document, json.dumps(jwks)",
    "api": 'make a ResourceServer(issuer="...", audience="...")',
    "app": "write the application itself; asgi.protect is for those of ASGI, wsgi.protect for those of WSGI",
    "required": 'write requirement("notes:read")',
    "key": "write signing_key_from_pem(text) or load_signing_key(path)",
}
"""What to write where something is of another type than its own."""
LONGEST_LEEWAY = 300
"""Seconds: "usually no more than a few minutes" (RFC 9068 §4)."""


def check_settings(
    *,
    issuer: str,
    audience: tuple[str, ...],
    resource: str,
    algorithms: tuple[str, ...],
    leeway: int,
    lifetimes: tuple[int, ...],
    urls: tuple[str, ...],
) -> None:
    """Return if the settings of a resource server make sense.

    Raises:
        ValueError: they do not.
    """
    for problem in (
        _issuer_problem(issuer),
        "audience must be what this resource server is called in the aud of tokens"
        if not all(audience or [""])
        else "",
        _resource_problem(resource),
        _algorithms_problem(algorithms),
        "" if 0 <= leeway <= LONGEST_LEEWAY else f"leeway must be 0 to {LONGEST_LEEWAY} seconds",
        "" if all(each >= 0 for each in lifetimes) else "lifetimes are numbers of seconds from 0 on",
        *(f"{url} is not an https URL" for url in urls if url and not is_safe_to_fetch(url)),
    ):
        if problem:
            raise ValueError(problem)


def check_metadata(more: Mapping[str, object]) -> None:
    """Return if what is said for the metadata can stand there.

    Raises:
        ValueError: it cannot.
    """
    ours = next((name for name in _OURS if name in more), None)
    if ours is not None:
        raise ValueError(f"more_metadata has {ours}, which the other settings say: take it out")


def is_resource_identifier(name: str) -> bool:
    """Return whether a name can be a resource identifier: a URL of https without a fragment (RFC 9728 §1.2).

    Of this very machine it may be of http. It has no query here, which it should not have.
    """
    return is_safe_to_fetch(name) and "?" not in name


def _issuer_problem(issuer: str) -> str:
    # "a URL that uses the "https" scheme and has no query or fragment components" (RFC 8414 §2).
    if not is_safe_to_fetch(issuer) or urlsplit(issuer).query:
        return f"the issuer must be an https URL without query and fragment, not {issuer!r}"
    return ""


def _resource_problem(resource: str) -> str:
    if resource and not is_resource_identifier(resource):
        return f"the resource must be an https URL without query and fragment, not {resource!r}"
    return ""


def _algorithms_problem(algorithms: tuple[str, ...]) -> str:
    unknown = [alg for alg in algorithms if alg not in ALGORITHMS]
    if unknown or not algorithms:
        return f"algorithms must be of {', '.join(ALGORITHMS)}"
    return ""
