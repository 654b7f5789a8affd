"""Browser sessions."""

from __future__ import annotations

from dataclasses import replace

from everbearer.login.models import Session
from everbearer.oauth.events import Event
from everbearer.storage.memory.ends import end_of_session
from everbearer.storage.memory.tables import Tables


async def create_session(tables: Tables, session: Session, event: Event) -> None:
    """Keep a session and its event."""
    tables.sessions[session.session_id] = session
    tables.events.append(event)


async def renew_session(tables: Tables, session: Session, event: Event, *, was: Session) -> bool:
    """Replace a live session that still has its secret."""
    found = tables.sessions.get(session.session_id)
    if found is None or (found.subject, found.secret) != (session.subject, was.secret):
        return False
    if end_of_session(tables, found) is not None:
        return False
    tables.sessions[session.session_id] = session
    tables.events.append(event)
    return True


async def session(tables: Tables, session_id: str) -> Session | None:
    """Read one session."""
    found = tables.sessions.get(session_id)
    return found and replace(found, ended=end_of_session(tables, found))


async def touch_session(tables: Tables, session_id: str, used_at: int) -> None:
    """Raise `used_at`."""
    found = tables.sessions.get(session_id)
    if found is not None:
        tables.sessions[session_id] = replace(found, used_at=max(found.used_at, used_at))


async def sessions_of(tables: Tables, subject: str) -> list[Session]:
    """Read a user's live sessions."""
    sessions = [session for session in tables.sessions.values() if session.subject == subject]
    live = [replace(session, ended=None) for session in sessions if end_of_session(tables, session) is None]
    return sorted(live, key=lambda session: (session.used_at, session.session_id), reverse=True)
