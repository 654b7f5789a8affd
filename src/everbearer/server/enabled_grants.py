"""The grants that the settings enable: those that need nothing, and those that need somebody to trust."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from everbearer.login.store import AccountStore
from everbearer.oauth.client import JWT_BEARER
from everbearer.oauth.grants import GRANTS, GrantFunction
from everbearer.oauth.grants.jwt_bearer import jwt_bearer_grant
from everbearer.server.asserted_users import asserted_users
from everbearer.server.config import Config


def enabled_grants(config: Config, store: AccountStore, *, now: Callable[[], int]) -> Mapping[str, GrantFunction]:
    """Return the grant of each `grant_type` that a client may have."""
    grants = dict(GRANTS)
    if config.trusted_issuers:
        issuers = [section.trusted() for section in config.trusted_issuers]
        grants[JWT_BEARER] = jwt_bearer_grant(issuers, asserted_users(config.trusted_issuers, store, now))
    return grants
