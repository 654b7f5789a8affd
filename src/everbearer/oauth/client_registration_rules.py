"""Policies of how clients register themselves that contradict themselves or a specification (RFC 7591)."""

from __future__ import annotations

from collections.abc import Iterator

from everbearer.oauth.client import REFRESH_TOKEN, AuthMethod, Lifetimes, RotationPolicy, refreshes_nothing
from everbearer.oauth.lifetime_rules import lifetime_problems, rotation_problems
from everbearer.oauth.scope import Scope, scope_value_problems


def offer_problems(
    *, scope: Scope, grant_types: tuple[str, ...], methods: tuple[AuthMethod, ...], most_clients: int | None
) -> Iterator[str]:
    """Yield what is wrong with what clients may register, a sentence each that says what to change."""
    if not grant_types:
        yield "grant_types is empty: name at least one, such as authorization_code"
    if refreshes_nothing(grant_types):
        yield "grant_types: refresh_token needs a grant to refresh, so add authorization_code or that of devices"
    if not methods:
        yield "token_endpoint_auth_methods is empty: name one at least, such as AuthMethod.BASIC"
    if most_clients is not None and most_clients < 0:
        yield f"most_clients is {most_clients}: it must be at least 0, or None for any number"
    yield from scope_value_problems("scope", scope)


def life_problems(*, lifetimes: Lifetimes, rotation: RotationPolicy, grant_types: tuple[str, ...]) -> Iterator[str]:
    """Yield what is wrong with how long what such clients get lasts."""
    yield from lifetime_problems(lifetimes, refreshes=REFRESH_TOKEN in grant_types)
    yield from rotation_problems(rotation)
