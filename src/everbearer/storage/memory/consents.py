"""Remembered consents."""

from __future__ import annotations

from dataclasses import replace

from everbearer.login.models import Consent
from everbearer.oauth.events import Event, consent_withdrawn
from everbearer.oauth.models import Ended, Everything, consent_key
from everbearer.oauth.scope import Scope
from everbearer.storage.memory.ends import end_all
from everbearer.storage.memory.tables import Tables


async def consent(tables: Tables, subject: str, client_id: str) -> Consent:
    """Read one consent and its epoch."""
    found = tables.consents.get((subject, client_id), Consent(subject=subject, client_id=client_id))
    return replace(found, epoch=tables.epochs[Everything.CONSENT, consent_key(subject, client_id)])


async def consents_of(tables: Tables, subject: str) -> list[Consent]:
    """Read a user's consents by client."""
    return [await consent(tables, *key) for key in sorted(tables.consents) if key[0] == subject]


async def give_consent(tables: Tables, subject: str, client_id: str, scope: Scope, event: Event) -> None:
    """Add to a consent."""
    before = await consent(tables, subject, client_id)
    together = tuple(dict.fromkeys((*before.scope, *scope)))
    tables.consents[subject, client_id] = replace(before, scope=together, granted_at=event.at)
    tables.events.append(event)


async def withdraw_consent(tables: Tables, subject: str, client_id: str, ended: Ended) -> None:
    """Delete a consent and end the grants under it."""
    tables.consents.pop((subject, client_id), None)
    tables.events.append(consent_withdrawn(subject, client_id, ended))
    await end_all(tables, Everything.CONSENT, consent_key(subject, client_id), ended)
