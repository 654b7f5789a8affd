"""Who is to be told of the end of a session: noted as it signs in to clients, and kept until each has been told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from everbearer.oauth.events import Event
from everbearer.oauth.models import Ended, Everything, Grant, consent_key
from everbearer.oauth.sessions.backchannel_logout import Logout
from everbearer.storage.memory.tables import NotedClient, Tables


async def note_client(tables: Tables, session_id: str, client_id: str, *, subject: str, at: int) -> None:
    """Note a client, unless that is done or the session has ended."""
    if (Everything.SESSION, session_id, 1) in tables.ends:
        return
    tables.session_clients.setdefault((session_id, client_id), NotedClient(subject=subject, noted_at=at))


async def clients_of_session(tables: Tables, session_id: str) -> list[str]:
    """Read the clients that were noted."""
    return sorted(client_id for session, client_id in tables.session_clients if session == session_id)


def session_ended(tables: Tables, session_id: str, at: int) -> None:
    """Let the clients of a session be told that it has ended."""
    noted = {key: client for key, client in tables.session_clients.items() if key[0] == session_id}
    for key, client in noted.items():
        _tell(tables, key, client.subject, at)
        del tables.session_clients[key]


def user_ended(tables: Tables, subject: str, epoch: int, at: int) -> None:
    """Let the clients of a user be told that all has ended that was of the epoch before this one."""
    noted = [key for key, client in tables.session_clients.items() if client.subject == subject]
    for key in {*noted, *_outliving(tables, subject, epoch)}:
        _tell(tables, key, subject, at)
    for key in noted:
        del tables.session_clients[key]


def _outliving(tables: Tables, subject: str, epoch: int) -> Iterable[tuple[str, str]]:
    """Find the sessions and clients of grants that outlived their session and end now."""
    for grant in tables.grants.values():
        of_the_epoch = grant.subject == subject and (grant.authentication.user_epoch or 0) + 1 == epoch
        if grant.offline and grant.authentication.session_id and of_the_epoch and not _ended_before(tables, grant):
            yield grant.authentication.session_id, grant.client_id


def _ended_before(tables: Tables, grant: Grant) -> Ended | None:
    consent = consent_key(grant.subject, grant.client_id)
    return (
        grant.ended
        or tables.ends.get((Everything.CLIENT, grant.client_id, (grant.client_epoch or 0) + 1))
        or tables.ends.get((Everything.CONSENT, consent, (grant.consent_epoch or 0) + 1))
    )


def _tell(tables: Tables, key: tuple[str, str], subject: str, at: int) -> None:
    session_id, client_id = key
    client = tables.clients.get(client_id)
    if client is not None and client.backchannel_logout_uri:
        tables.logouts[key] = Logout(
            session_id=session_id, client_id=client_id, subject=subject, ended_at=at, due_at=at
        )


async def take_logouts(tables: Tables, *, now: int, until: int, limit: int) -> list[Logout]:
    """Take what is due, and count the attempt."""
    due = sorted((logout.due_at, key) for key, logout in tables.logouts.items() if logout.due_at is not None)
    taken = [key for due_at, key in due if due_at <= now][:limit]
    for key in taken:
        logout = tables.logouts[key]
        tables.logouts[key] = replace(logout, attempts=logout.attempts + 1, due_at=until)
    return [tables.logouts[key] for key in taken]


async def settle_logout(tables: Tables, taken: Logout, event: Event, *, again: Logout | None) -> bool:
    """Remove or postpone what is still as it was taken."""
    key = taken.session_id, taken.client_id
    stored = tables.logouts.get(key)
    if stored is None or (stored.attempts, stored.due_at) != (taken.attempts, taken.due_at):
        return False
    if again is None:
        del tables.logouts[key]
    else:
        tables.logouts[key] = replace(stored, due_at=again.due_at, problem=again.problem)
    tables.events.append(event)
    return True


async def logouts(
    tables: Tables, *, client_id: str = "", given_up_only: bool = False, limit: int = 100
) -> list[Logout]:
    """Read logouts, newest first."""
    found = [
        logout
        for logout in tables.logouts.values()
        if client_id in {"", logout.client_id} and (logout.due_at is None or not given_up_only)
    ]
    newest = sorted(found, key=lambda each: (each.ended_at, each.session_id, each.client_id), reverse=True)
    return newest[:limit]


async def retry_logouts(tables: Tables, *, client_id: str = "", now: int) -> int:
    """Make due what was given up."""
    given_up = [
        key for key, logout in tables.logouts.items() if logout.due_at is None and client_id in {"", logout.client_id}
    ]
    for key in given_up:
        tables.logouts[key] = replace(tables.logouts[key], attempts=0, due_at=now)
    return len(given_up)
