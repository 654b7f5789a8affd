"""Scope: what a token reaches (RFC 6749 §3.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from everbearer.oauth.errors import InvalidScope

Scope: TypeAlias = tuple[str, ...]
"""Scope values in the order they were asked for, each once."""

OPENID = "openid"
OFFLINE_ACCESS = "offline_access"

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")


def parse_scope(text: str) -> Scope:
    """Return the values of a `scope` parameter.

    A literal `+` counts as a space: it is what is left of one where a URL was encoded twice.

    Raises:
        InvalidScope: a value has characters that RFC 6749 §3.3 does not allow.

    """
    values = tuple(dict.fromkeys(text.replace("+", " ").split()))
    if not all(_SCOPE_TOKEN.fullmatch(value) for value in values):
        raise InvalidScope("scope holds characters that a scope value cannot have")
    return values


def is_scope_value(text: str) -> bool:
    """Return whether a text can be one value of a scope."""
    return _SCOPE_TOKEN.fullmatch(text) is not None


def scope_value_problems(name: str, values: Iterable[str]) -> Iterator[str]:
    """Yield which values of a setting cannot be of a scope, a sentence each."""
    for value in values:
        if not is_scope_value(value):
            yield f"{name}: {value!r} is no scope value, for it has spaces or quotes"


def format_scope(scope: Scope) -> str:
    """Return the scope as it stands on the wire."""
    return " ".join(scope)


def narrow(requested: str | None, granted: Scope) -> Scope:
    """Return the requested scope if it stays within the granted one, all that was granted where none is asked for.

    Raises:
        InvalidScope: the request asks for more than was granted.

    """
    if requested is None:
        return granted
    values = parse_scope(requested)
    if not values:
        return granted
    # "The requested scope MUST NOT include any scope not originally granted by the resource owner" (RFC 6749 §6).
    require_within(values, granted, "was not granted; leave scope out to get all that was")
    return values


def still_allowed(granted: Scope, allowed: Scope) -> Scope:
    """Return what of a grant's scope its client may still have: less is allowed at once, more never by itself.

    Raises:
        InvalidScope: nothing of it.
    """
    scope = tuple(value for value in granted if value in allowed)
    if granted and not scope:
        raise InvalidScope("nothing of what was granted is allowed to this client any more")
    return scope


def require_within(requested: Scope, allowed: Scope, otherwise: str) -> None:
    """Refuse a scope that goes beyond what is allowed, and say in which value.

    Raises:
        InvalidScope: `requested` holds a value that `allowed` does not.

    """
    for value in requested:
        if value not in allowed:
            hint = " (scope values are separated by spaces, not commas)" if "," in value else ""
            raise InvalidScope(f"the scope {value[:80]} {otherwise}{hint}")
