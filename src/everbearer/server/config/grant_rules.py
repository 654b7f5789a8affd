"""What must hold between the grants of a client and what the server offers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import get_args

from everbearer.oauth.client import JWT_BEARER
from everbearer.server.config import Config
from everbearer.server.config.clients import ClientSection, GrantType
from everbearer.server.config.lifetimes import LifetimesSection
from everbearer.server.config.words import nearest

GRANT_TYPES: tuple[str, ...] = get_args(GrantType)
"""All that a client of the server may have."""


def grant_life_problems(lifetimes: LifetimesSection) -> Iterator[str]:
    """Yield what is wrong with the grants whose access tokens have a life of their own."""
    for name in lifetimes.access_token_by_grant:
        if name not in GRANT_TYPES:
            yield f"lifetimes.access_token_by_grant: {name} is no grant_type; {nearest(name, GRANT_TYPES)}"


def grant_setting_problems(client: ClientSection, config: Config) -> Iterator[str]:
    """Yield what is wrong with the grants that a client says it uses."""
    if client.lifetimes.access_token_by_grant != config.lifetimes.access_token_by_grant:
        yield from grant_life_problems(client.lifetimes)
    yield from unoffered_grants(client.grant_types or (), config)


def unoffered_grants(grant_types: Collection[str], config: Config) -> Iterator[str]:
    """Yield what is missing for grants that the server offers only if it is told to."""
    if JWT_BEARER in grant_types and not config.trusted_issuers:
        yield f"grant_types: {JWT_BEARER} needs somebody to trust; write a table under [[trusted_issuers]]"
