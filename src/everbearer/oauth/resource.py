"""A protected resource, such as an API, that access tokens can be asked for (RFC 8707). A frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from everbearer.oauth.client import AccessTokenFormat
from everbearer.oauth.scope import Scope
from everbearer.oauth.uris import split_uri

Resources: TypeAlias = tuple[str, ...]
"""Identifiers of resources in the order they were asked for, each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A protected resource. Names of its metadata are those of RFC 9728 §2."""

    resource: str
    """Its identifier, an absolute URI without a fragment: the `aud` of its tokens."""
    resource_name: str = ""
    """What users see."""
    scopes_supported: Scope = ()
    """What of a grant's scope its tokens carry; all where it is empty."""
    any_client: bool = False
    """Every client may ask for it, and it is published in the metadata."""
    access_token_lifetime: int | None = None
    """Seconds; None for as long as the client's live, as of all that is None below."""
    access_token_format: AccessTokenFormat | None = None
    access_token_signing_alg: str | None = None

    def takes(self, scope_value: str) -> bool:
        """Return whether a scope value means anything to it."""
        return not self.scopes_supported or scope_value in self.scopes_supported


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom an access token is for, and what it is because of that."""

    audiences: Resources
    scope: Scope
    lifetimes: tuple[int | None, ...]
    """Seconds, of each audience; None where it has no life of its own for tokens, but that of the client's."""
    access_token_format: AccessTokenFormat
    access_token_signing_alg: str


def is_resource_identifier(uri: str) -> bool:
    """Return whether a resource can be called so.

    "Its value MUST be an absolute URI, as specified by Section 4.3 of [RFC3986]. The URI MUST NOT include a fragment
    component" (RFC 8707 §2).
    """
    parts = split_uri(uri)
    return parts is not None and bool(parts.scheme) and bool(parts.netloc or parts.path) and "#" not in uri


def normal(uri: str) -> str:
    """Return an identifier as it compares: an empty path of a web address is the path `/` (RFC 3986 §6.2.3)."""
    parts = split_uri(uri)
    if parts is None or parts.scheme not in {"http", "https"}:
        return uri
    return parts._replace(netloc=parts.netloc.lower(), path=parts.path or "/").geturl()
