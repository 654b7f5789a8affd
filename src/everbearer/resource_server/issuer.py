"""What is known of the issuer: its metadata (RFC 8414 §3, OpenID Connect Discovery §4) and its keys (RFC 7517 §5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from everbearer.oauth.crypto.client_keys import ClientKey, UnusableKeys, read_jwks
from everbearer.oauth.messages import Headers
from everbearer.oauth.uris import is_safe_to_fetch
from everbearer.resource_server.errors import unavailable
from everbearer.resource_server.fetching import Fetch, Fetched, Steps
from everbearer.resource_server.kept import Kept

OK = 200
_ACCEPT: Headers = (("Accept", "application/json, application/jwk-set+json"),)


def fetch_metadata(issuer: str) -> Steps[Mapping[str, Any]]:
    """Return the issuer's metadata.

    Raises:
        TemporarilyUnavailable: it stands nowhere where it should.
    """
    problems: list[str] = []
    for url in metadata_urls(issuer):
        fetched = yield Fetch(url=url, headers=_ACCEPT)
        document = json_object(fetched)
        # "The "issuer" value returned MUST be identical to the authorization server's issuer identifier value into
        # which the well-known URI string was inserted [...] If these values are not identical, the data contained in
        # the response MUST NOT be used" (RFC 8414 §3.3).
        if document is not None and document.get("issuer") == issuer:
            return document
        problems.append(f"{url} {problem_of(fetched) if document is None else 'is the metadata of another issuer'}")
    raise unavailable("; ".join(problems))


def metadata_urls(issuer: str) -> tuple[str, str]:
    """Return where an issuer's metadata may stand: by RFC 8414 §3.1 and by OpenID Connect Discovery §4."""
    parts = urlsplit(issuer)
    host, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    # "If the issuer identifier value contains a path component, any terminating "/" MUST be removed before inserting
    # "/.well-known/" and the well-known URI suffix between the host component and the path component" (RFC 8414 §3.1).
    oauth = f"{host}/.well-known/oauth-authorization-server{path}"
    return oauth, f"{host}{path}/.well-known/openid-configuration"


def fetch_keys(uri: str, metadata: Kept[Mapping[str, Any]]) -> Steps[tuple[ClientKey, ...]]:
    """Return the issuer's keys, at a URI or where its metadata says.

    Raises:
        TemporarilyUnavailable: they are not there.
    """
    url = uri or member_url("jwks_uri", (yield from metadata.get()))
    fetched = yield Fetch(url=url, headers=_ACCEPT)
    if fetched.status != OK:
        raise unavailable(f"{url} {problem_of(fetched)}")
    return keys_in(fetched.body.decode(errors="replace"), url)


def keys_in(document: str, name: str) -> tuple[ClientKey, ...]:
    """Return the keys in a JWK Set document.

    Raises:
        TemporarilyUnavailable: there are none that can be used.
    """
    try:
        return read_jwks(document)
    except UnusableKeys as problem:
        raise unavailable(f"{name} {problem}") from None


def member_url(name: str, metadata: Mapping[str, Any]) -> str:
    """Return a URL that the metadata names.

    Raises:
        TemporarilyUnavailable: it names none that is safe to ask.
    """
    url = metadata.get(name)
    if not isinstance(url, str) or not is_safe_to_fetch(url):
        raise unavailable(f"the metadata of {metadata['issuer']} has no {name} that is an https URL")
    return url


def json_object(fetched: Fetched) -> Mapping[str, Any] | None:
    """Return the JSON object that an answer is; None for any other."""
    if fetched.status != OK:
        return None
    try:
        parsed: object = json.loads(fetched.body)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else None


def problem_of(fetched: Fetched) -> str:
    """Return what is wrong with an answer that will not do: the end of a sentence that begins with its URL."""
    if fetched.status == OK:
        return "is not a JSON object"
    return f"answers {fetched.status}" if fetched.status else "does not answer"


def static_keys(document: str) -> Callable[[], Steps[tuple[ClientKey, ...]]]:
    """Return what gives the keys of a document without any fetching.

    Raises:
        ValueError: it is not a JWK Set with keys that can be used.
    """
    try:
        keys = read_jwks(document)
    except UnusableKeys as problem:
        raise ValueError(f"jwks {problem}") from None

    def fetch() -> Steps[tuple[ClientKey, ...]]:
        yield from ()
        return keys

    return fetch
