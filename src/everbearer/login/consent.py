"""Consent: what a user lets an application do, asked for and remembered (OpenID Connect Core §3.1.2.4, ASVS 10.7)."""

from __future__ import annotations

from collections.abc import Collection

from everbearer.login.models import Consent
from everbearer.login.store import AccountStore
from everbearer.oauth.client import Client
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import Ended, EndReason
from everbearer.oauth.scope import Scope, format_scope


def needs_consent(
    client: Client, scope: Scope, *, prompt: Collection[str], redirect_uri: str, consent: Consent
) -> bool:
    """Return whether the user must be asked before the client gets this scope."""
    if "consent" in prompt:
        return True
    if client.first_party:
        return False
    return not (client.remember_consent and covers(consent, scope) and identity_assured(client, redirect_uri))


def covers(consent: Consent, scope: Scope) -> bool:
    """Return whether all of the scope has been consented to; to an empty scope as well only by having consented."""
    return consent.granted_at > 0 and set(scope) <= set(consent.scope)


def identity_assured(client: Client, redirect_uri: str) -> bool:
    """Return whether the answer can reach nobody but the client: it has a secret, or a web address of its own.

    Any program on a device can claim a loopback port or a private scheme, so that "the authorization server SHOULD NOT
    process authorization requests automatically without user consent or interaction" (RFC 8252 §8.6).
    """
    return not client.public or redirect_uri.startswith("https://")


async def give_consent(
    subject: str, client_id: str, scope: Scope, *, store: AccountStore, now: int, address: str = "", agent: str = ""
) -> Consent:
    """Remember that the user allows the client this scope, and return the consent with its epoch."""
    event = Event(
        kind=EventKind.CONSENT_GIVEN,
        at=now,
        actor=f"user:{subject}",
        client_id=client_id,
        subject=subject,
        address=address,
        agent=agent,
        details={"scope": format_scope(scope)},
    )
    await store.give_consent(subject, client_id, scope, event)
    return await store.consent(subject, client_id)


async def withdraw_consent(subject: str, client_id: str, *, store: AccountStore, now: int) -> None:
    """Forget a consent and end all grants under it."""
    ended = Ended(reason=EndReason.CONSENT_WITHDRAWN, actor=f"user:{subject}", at=now)
    await store.withdraw_consent(subject, client_id, ended)
