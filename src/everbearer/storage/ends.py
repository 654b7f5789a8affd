"""What the audit trail keeps of an end (`everbearer.oauth.events`)."""

from __future__ import annotations

from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import Ended, Everything


def all_ended(everything: Everything, key: str, ended: Ended, *, subject: str = "") -> Event:
    """Return the event that tells of the end of all; `subject` is whose session it was, where it was one."""
    client_id = ""
    if everything is Everything.USER:
        subject = key
    elif everything is Everything.CLIENT:
        client_id = key
    elif everything is Everything.CONSENT:
        subject, _, client_id = key.partition(" ")
    return Event(
        kind=EventKind.ALL_ENDED,
        at=ended.at,
        actor=ended.actor,
        client_id=client_id,
        subject=subject,
        details={"reason": ended.reason, "everything": everything, "key": key},
    )


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
