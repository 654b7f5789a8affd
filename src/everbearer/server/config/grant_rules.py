"""What must hold between the grants of a client and what the server offers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import get_args

from everbearer.oauth.client import JWT_BEARER, PASSWORD
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
    if PASSWORD in grant_types and not config.sign_in.allow_password_grant:
        yield (
            "grant_types: password is not offered, for RFC 9700 §2.4 forbids it; take it out, or write "
            "allow_password_grant = true under [sign_in] while you migrate"
        )


def password_weakenings(config: Config) -> Iterator[str]:
    """Yield what it costs that applications may send users' passwords themselves; nothing where they may not."""
    if config.sign_in.allow_password_grant:
        by = ", ".join(client.client_id for client in config.clients if PASSWORD in (client.grant_types or ()))
        yield (
            f"sign_in.allow_password_grant = true ({by or 'no client that is declared here'}): the application sees "
            "users' passwords and teaches them to type them anywhere, and no second factor can ever be asked for (RFC "
            "9700 §2.4: it MUST NOT be used); move to the authorization code grant and take it out"
        )
