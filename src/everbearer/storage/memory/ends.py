"""The ends of everything of a user, client, consent or session, and which of them has come upon a grant or session."""

from __future__ import annotations

from collections.abc import Iterator

from everbearer.login.models import Session
from everbearer.oauth.events import all_ended
from everbearer.oauth.models import Ended, Everything, Grant
from everbearer.oauth.store_rules import end_keys
from everbearer.storage.memory.logouts import session_ended, user_ended
from everbearer.storage.memory.tables import Tables


async def end_all(tables: Tables, everything: Everything, key: str, ended: Ended) -> None:
    """End everything of a key, record it, and let those be told whom it concerns."""
    epoch = tables.epochs[everything, key] = tables.epochs[everything, key] + 1
    tables.ends[everything, key, epoch] = ended
    if everything is Everything.SESSION:
        session_ended(tables, key, ended.at)
    elif everything is Everything.USER:
        user_ended(tables, key, epoch, ended.at)
    session = tables.sessions.get(key) if everything is Everything.SESSION else None
    tables.events.append(all_ended(everything, key, ended, subject=session.subject if session else ""))


def ends_upon(tables: Tables, grant: Grant) -> Iterator[Ended]:
    """Yield the ends that have come upon a grant, of its user, client, consent or session."""
    return (tables.ends[key] for key in end_keys(grant) if key in tables.ends)


def end_of_session(tables: Tables, session: Session) -> Ended | None:
    """Return the end that has come upon a session: its own, or that of its user."""
    return _earliest(
        tables.ends.get((Everything.SESSION, session.session_id, 1)),
        tables.ends.get((Everything.USER, session.subject, session.user_epoch + 1)),
    )


def _earliest(*ends: Ended | None) -> Ended | None:
    return min((end for end in ends if end is not None), key=lambda end: end.at, default=None)
