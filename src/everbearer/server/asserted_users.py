"""Users of this server whom trusted issuers speak for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from everbearer.login.models import User
from everbearer.login.sign_in import normal_login
from everbearer.login.store import AccountStore
from everbearer.oauth.grants.jwt_bearer import UserOf
from everbearer.oauth.models import Authentication
from everbearer.oauth.trusted_issuers import Asserted
from everbearer.server.config.trusted_issuers import TrustedIssuerSection


def asserted_users(sections: Iterable[TrustedIssuerSection], store: AccountStore, now: Callable[[], int]) -> UserOf:
    """Return the function that finds the user whom an assertion is about, as the settings of its issuer say."""
    by_issuer = {section.issuer: section for section in sections}

    async def user_of(asserted: Asserted) -> Authentication | None:
        section = by_issuer[asserted.issuer.issuer]
        named = asserted.subject if section.claim == "sub" else _claim(asserted, section.claim)
        user = await _user(named, section, store) if named else None
        if user is None or user.disabled_at is not None:
            return None
        return Authentication(subject=user.subject, auth_time=_signed_in_at(asserted, now()), user_epoch=user.epoch)

    return user_of


async def _user(named: str, section: TrustedIssuerSection, store: AccountStore) -> User | None:
    if section.subject == "login":
        return await store.user_by_login(normal_login(named))
    return await store.user(named)


def _claim(asserted: Asserted, name: str) -> str:
    value = asserted.claims.get(name)
    # Anybody can write another's address into a profile.
    if name == "email" and asserted.claims.get("email_verified") is not True:
        return ""
    return value if isinstance(value, str) and value.isprintable() else ""


def _signed_in_at(asserted: Asserted, now: int) -> int:
    """Return when the user signed in, as far as the issuer says."""
    for name in ("auth_time", "iat"):
        at = asserted.claims.get(name)
        if isinstance(at, int) and not isinstance(at, bool) and 0 < at <= now:
            return at
    return now
