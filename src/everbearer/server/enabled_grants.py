"""The grants that the settings enable: those that need nothing, and those that need somebody to trust."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from everbearer.login.passwords import RunHeavy
from everbearer.login.sign_in import SignInLimits
from everbearer.oauth.client import JWT_BEARER, PASSWORD
from everbearer.oauth.events import Event
from everbearer.oauth.grants import GRANTS, GrantFunction
from everbearer.oauth.grants.jwt_bearer import jwt_bearer_grant
from everbearer.oauth.grants.password import password_grant
from everbearer.server.asserted_users import asserted_users
from everbearer.server.config import Config
from everbearer.server.passwords_as_grants import checked_passwords
from everbearer.storage.store import AdminStore


def enabled_grants(
    config: Config, store: AdminStore, *, run: RunHeavy, now: Callable[[], int], notify: Callable[[Event], None]
) -> Mapping[str, GrantFunction]:
    """Return the grant of each `grant_type` that a client may have."""
    grants = dict(GRANTS)
    if config.trusted_issuers:
        issuers = [section.trusted() for section in config.trusted_issuers]
        grants[JWT_BEARER] = jwt_bearer_grant(issuers, asserted_users(config.trusted_issuers, store, now))
    if config.sign_in.allow_password_grant:
        check = checked_passwords(
            store, run=run, limits=sign_in_limits(config), acr=config.sign_in.acr, now=now, notify=notify
        )
        grants[PASSWORD] = password_grant(check)
    return grants


def sign_in_limits(config: Config) -> SignInLimits:
    """Return how often a password may be tried, at the page and elsewhere together."""
    sign_in = config.sign_in
    return SignInLimits(window=sign_in.window, per_account=sign_in.per_account, per_address=sign_in.per_address)
