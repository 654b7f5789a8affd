"""The removal of what is long dead."""

from __future__ import annotations

from everbearer.login.models import Session
from everbearer.oauth.models import Everything, Grant
from everbearer.oauth.store_rules import with_end
from everbearer.storage.memory.ends import end_of_session, ends_upon
from everbearer.storage.memory.tables import Tables
from everbearer.storage.store import ExpiredSessions, Purged


async def purge(tables: Tables, *, now: int, keep: int, batch: int) -> Purged:
    """Remove a batch of each kind."""
    before = now - keep
    grants = [key for key, grant in tables.grants.items() if died_at(tables, grant) <= before][:batch]
    sessions = [key for key, session in tables.sessions.items() if _session_died_at(tables, session) <= before][:batch]
    tables.grants = {key: grant for key, grant in tables.grants.items() if key not in grants}
    tables.sessions = {key: session for key, session in tables.sessions.items() if key not in sessions}
    orphans = _remove_orphans(tables, before=before, batch=batch)
    others = orphans + _remove_forgotten(tables, before=before, batch=batch)
    return Purged(grants=len(grants), sessions=len(sessions), others=others)


def _remove_orphans(tables: Tables, *, before: int, batch: int) -> int:
    """Remove the ends of sessions, and the clients of sessions, that no session and no grant needs any more."""
    of_grants = {grant.authentication.session_id for grant in tables.grants.values() if not grant.offline}
    needed = set(tables.sessions) | (of_grants - {""})
    ends = [
        (everything, key, epoch)
        for (everything, key, epoch), ended in tables.ends.items()
        if everything is Everything.SESSION and key not in needed and ended.at <= before
    ][:batch]
    clients = [
        key for key, client in tables.session_clients.items() if key[0] not in needed and client.noted_at <= before
    ][:batch]
    tables.ends = {key: ended for key, ended in tables.ends.items() if key not in ends}
    tables.session_clients = {key: client for key, client in tables.session_clients.items() if key not in clients}
    return len(ends) + len(clients)


def _remove_forgotten(tables: Tables, *, before: int, batch: int) -> int:
    """Remove remembered values, attempts, device codes, signing keys and logouts whose time is over."""
    remembered = [key for key, until in tables.remembered.items() if until <= before][:batch]
    attempts = [key for key, counted in tables.attempts.items() if counted.until <= before][:batch]
    devices = [key for key, device in tables.devices.items() if device.expires_at <= before][:batch]
    keys = [kid for kid, key in tables.keys.items() if key.retired_at is not None and key.retired_at <= before]
    tables.remembered = {key: until for key, until in tables.remembered.items() if key not in remembered}
    tables.attempts = {key: attempt for key, attempt in tables.attempts.items() if key not in attempts}
    given_up = [key for key, each in tables.logouts.items() if each.due_at is None and each.ended_at <= before][:batch]
    tables.devices = {key: device for key, device in tables.devices.items() if key not in devices}
    tables.keys = {kid: key for kid, key in tables.keys.items() if kid not in keys}
    tables.logouts = {key: logout for key, logout in tables.logouts.items() if key not in given_up}
    return len(remembered) + len(attempts) + len(devices) + len(keys) + len(given_up)


def died_at(tables: Tables, grant: Grant) -> int:
    """Return when a grant ended, or ends by itself."""
    ended = with_end(grant, ends_upon(tables, grant)).ended
    client = tables.clients.get(grant.client_id)
    lifetimes = client.lifetimes if client else tables.client_lifetimes
    if ended is not None:
        return ended.at
    if grant.generation == 0 and grant.code is not None:
        device = tables.devices.get(grant.grant_id)
        # With a code an access token may have come.
        usable = grant.created_at + max(lifetimes.authorization_code, lifetimes.longest_access_token)
        return max(usable, device.expires_at) if device else usable
    if not grant.offline:
        return grant.rotated_at + lifetimes.longest_access_token
    absolute = grant.created_at + lifetimes.refresh_token
    idle = lifetimes.refresh_token_idle
    return absolute if idle is None else min(absolute, grant.used_at + idle)


async def expired_sessions(tables: Tables, *, at: int, after: str) -> ExpiredSessions:
    """Look at all that are left."""
    noted = {session_id for session_id, _ in tables.session_clients}
    found = [
        key
        for key, session in tables.sessions.items()
        if key > after and key in noted and end_of_session(tables, session) is None
        if _session_died_at(tables, session) <= at
    ]
    return ExpiredSessions(session_ids=tuple(sorted(found)), last="")


def _session_died_at(tables: Tables, session: Session) -> int:
    ended = end_of_session(tables, session)
    lifetimes = tables.session_lifetimes
    return ended.at if ended else min(session.created_at + lifetimes.absolute, session.used_at + lifetimes.idle)
