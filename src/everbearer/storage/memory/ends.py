"""The ends of everything of a user, client, consent or session, and which of them has come upon a grant or session."""

from __future__ import annotations

from everbearer.login.models import Session
from everbearer.oauth.models import Ended, Everything, Grant, consent_key
from everbearer.storage.ends import all_ended
from everbearer.storage.memory.tables import Tables


async def end_all(tables: Tables, everything: Everything, key: str, ended: Ended) -> None:
    """End everything of a key and record it."""
    tables.epochs[everything, key] += 1
    tables.ends[everything, key, tables.epochs[everything, key]] = ended
    session = tables.sessions.get(key) if everything is Everything.SESSION else None
    tables.events.append(all_ended(everything, key, ended, subject=session.subject if session else ""))


def end_of_grant(tables: Tables, grant: Grant) -> Ended | None:
    """Return the end that has come upon a grant: its own, or that of its user, client, consent or session."""
    user_epoch, session_id = grant.authentication.user_epoch or 0, grant.authentication.session_id
    consent = consent_key(grant.subject, grant.client_id)
    return grant.ended or _earliest(
        tables.ends.get((Everything.USER, grant.subject, user_epoch + 1)),
        tables.ends.get((Everything.CLIENT, grant.client_id, (grant.client_epoch or 0) + 1)),
        tables.ends.get((Everything.CONSENT, consent, (grant.consent_epoch or 0) + 1)),
        tables.ends.get((Everything.SESSION, session_id, 1)) if session_id and not grant.offline else None,
    )


def end_of_session(tables: Tables, session: Session) -> Ended | None:
    """Return the end that has come upon a session: its own, or that of its user."""
    return _earliest(
        tables.ends.get((Everything.SESSION, session.session_id, 1)),
        tables.ends.get((Everything.USER, session.subject, session.user_epoch + 1)),
    )


def _earliest(*ends: Ended | None) -> Ended | None:
    return min((end for end in ends if end is not None), key=lambda end: end.at, default=None)
