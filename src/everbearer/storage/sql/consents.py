"""Remembered consents."""

from __future__ import annotations

from everbearer.login.models import Consent
from everbearer.oauth.events import Event, consent_withdrawn
from everbearer.oauth.models import Ended, Everything, consent_key
from everbearer.oauth.scope import Scope, format_scope
from everbearer.storage.sql.ends import end_all
from everbearer.storage.sql.events import record
from everbearer.storage.sql.rows import consent_of
from everbearer.storage.sql.transaction import Transaction

# A row comes back even where there is no consent, for its epoch counts all the same.
CONSENT = """
SELECT keys.subject, keys.client_id, COALESCE(consents.scope, ''), COALESCE(consents.granted_at, 0),
    COALESCE((SELECT MAX(epoch) FROM ends WHERE kind = 'consent' AND key = :consent_key), 0)
FROM (SELECT CAST(:subject AS TEXT) AS subject, CAST(:client_id AS TEXT) AS client_id) AS keys
LEFT JOIN consents ON consents.subject = keys.subject AND consents.client_id = keys.client_id
"""

CONSENTS_OF = """
SELECT subject, client_id, scope, granted_at, COALESCE((
    SELECT MAX(epoch) FROM ends WHERE kind = 'consent' AND key = consents.subject || ' ' || consents.client_id
), 0)
FROM consents WHERE subject = :subject ORDER BY client_id
"""

# Compare and swap: a consent given at the same time elsewhere is not lost.
GIVE_CONSENT = """
INSERT INTO consents (subject, client_id, scope, granted_at)
VALUES (:subject, :client_id, :scope, :granted_at)
ON CONFLICT (subject, client_id) DO UPDATE SET scope = :scope, granted_at = :granted_at
WHERE consents.scope = :before
RETURNING scope
"""

FORGET_CONSENT = "DELETE FROM consents WHERE subject = :subject AND client_id = :client_id"


async def consent(transaction: Transaction, subject: str, client_id: str) -> Consent:
    """Read one consent and its epoch."""
    key = consent_key(subject, client_id)
    rows = await transaction.run(CONSENT, subject=subject, client_id=client_id, consent_key=key)
    return consent_of(rows[0])


async def consents_of(transaction: Transaction, subject: str) -> list[Consent]:
    """Read a user's consents by client."""
    return [consent_of(row) for row in await transaction.run(CONSENTS_OF, subject=subject)]


async def give_consent(transaction: Transaction, subject: str, client_id: str, scope: Scope, event: Event) -> None:
    """Add to a consent."""
    given = False
    while not given:
        before = (await consent(transaction, subject, client_id)).scope
        together = format_scope(tuple(dict.fromkeys((*before, *scope))))
        rows = await transaction.run(
            GIVE_CONSENT,
            subject=subject,
            client_id=client_id,
            scope=together,
            granted_at=event.at,
            before=format_scope(before),
        )
        given = bool(rows)
    await record(transaction, event)


async def withdraw_consent(transaction: Transaction, subject: str, client_id: str, ended: Ended) -> None:
    """Delete a consent and end the grants under it."""
    await transaction.run(FORGET_CONSENT, subject=subject, client_id=client_id)
    await record(transaction, consent_withdrawn(subject, client_id, ended))
    await end_all(transaction, Everything.CONSENT, consent_key(subject, client_id), ended)
