"""What the audit trail keeps of an end (`everbearer.oauth.events`)."""

from __future__ import annotations

from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import Ended


def consent_withdrawn(subject: str, client_id: str, ended: Ended) -> Event:
    """Return the event that tells of a withdrawn consent."""
    return Event(
        kind=EventKind.CONSENT_WITHDRAWN,
        at=ended.at,
        actor=ended.actor,
        client_id=client_id,
        subject=subject,
        details={"reason": ended.reason},
    )
