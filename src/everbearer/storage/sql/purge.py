"""The removal of what is long dead, in batches that others hardly notice.

Rows are looked at window by window, in the order of an index, so that no statement reads more than a few hundred and
each row is looked at once, however many batches it takes. What a read finds dead is removed by primary key if it has
not changed, so that no search keeps writers waiting; and after each window there is a rest.
"""
# ruff: noqa: S608 - statements are put together from constants; values go in as parameters

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from everbearer.login.models import SessionLifetimes
from everbearer.oauth.client import Lifetimes
from everbearer.storage.sql.grants import GRANTS_AND_ENDS
from everbearer.storage.sql.sessions import SESSIONS_AND_ENDS
from everbearer.storage.sql.transaction import Database, Row, Transaction, Value
from everbearer.storage.store import Purged

WINDOW = 500
"""How many rows a statement looks at. It stands in the statement itself, so that it is planned for so few."""
TOGETHER = 100
"""How many rows one transaction removes at most where those of others wait for it."""
REST = 3
"""How many times as long as a window took others have the database to themselves."""
CLOCKS_DIFFER = 24 * 60 * 60
"""Seconds by which something may have ended before it was made, as the clocks of nodes have it."""

_OF_GRANTS = f"""FROM grants
WHERE (created_at, grant_id) > (:created_at, :grant_id) AND created_at <= CAST(:before AS BIGINT) + {CLOCKS_DIFFER}
ORDER BY created_at, grant_id"""
_OF_SESSIONS = "FROM sessions WHERE session_id > :session_id ORDER BY session_id"
_OF_ENDS = "FROM ends WHERE kind = 'session' AND (key, epoch) > (:key, :epoch) ORDER BY key, epoch"
_OF_SESSION_CLIENTS = """FROM session_clients
WHERE (session_id, client_id) > (:session_id, :client_id) ORDER BY session_id, client_id"""

GRANTS_WINDOW = f"SELECT created_at, grant_id {_OF_GRANTS} LIMIT 1 OFFSET {WINDOW - 1}"
SESSIONS_WINDOW = f"SELECT session_id {_OF_SESSIONS} LIMIT 1 OFFSET {WINDOW - 1}"
ENDS_WINDOW = f"SELECT key, epoch {_OF_ENDS} LIMIT 1 OFFSET {WINDOW - 1}"
SESSION_CLIENTS_WINDOW = f"SELECT session_id, client_id {_OF_SESSION_CLIENTS} LIMIT 1 OFFSET {WINDOW - 1}"

_GRANTS_AND_ENDS = GRANTS_AND_ENDS.replace("FROM grants", f"FROM (SELECT * {_OF_GRANTS} LIMIT {WINDOW}) AS grants")
SESSIONS_OF_WINDOW = SESSIONS_AND_ENDS.replace(
    "FROM sessions", f"FROM (SELECT * {_OF_SESSIONS} LIMIT {WINDOW}) AS sessions"
)

# A client that is gone, or in another store, leaves its grants the default lifetimes. With a code an access token may
# have come.
DEAD = """CASE
    WHEN grants.ended_at IS NOT NULL THEN grants.ended_at <= :before
    WHEN COALESCE(user_end.at, client_end.at, consent_end.at, session_end.at) IS NOT NULL THEN
        user_end.at <= :before OR client_end.at <= :before
        OR consent_end.at <= :before OR session_end.at <= :before
    WHEN grants.generation = 0 AND grants.code IS NOT NULL THEN
        COALESCE((SELECT device_authorizations.expires_at FROM device_authorizations
            WHERE device_authorizations.grant_id = grants.grant_id), :before) <= :before
        AND grants.created_at + COALESCE(clients.authorization_code, :authorization_code) <= :before
        AND grants.created_at + COALESCE(clients.access_token, :access_token) <= :before
    WHEN grants.offline = 0 THEN
        grants.rotated_at + COALESCE(clients.access_token, :access_token) <= :before
    ELSE
        grants.created_at + COALESCE(clients.refresh_token, :refresh_token) <= :before
        OR grants.used_at + CASE WHEN clients.client_id IS NULL THEN :refresh_token_idle
            ELSE clients.refresh_token_idle END <= :before
END"""

DEAD_GRANTS = f"""
SELECT grants.grant_id, grants.generation, grants.used_at
{_GRANTS_AND_ENDS}LEFT JOIN clients ON clients.client_id = grants.client_id
WHERE {DEAD}
"""

REMOVE_GRANT = """
DELETE FROM grants WHERE grant_id = :grant_id AND generation = :generation AND used_at = :used_at RETURNING grant_id
"""

DEAD_SESSIONS = f"""
SELECT sessions.session_id, sessions.used_at
{SESSIONS_OF_WINDOW}WHERE CASE
    WHEN COALESCE(own_end.at, user_end.at) IS NOT NULL THEN own_end.at <= :before OR user_end.at <= :before
    ELSE sessions.created_at + :absolute <= :before OR sessions.used_at + :idle <= :before
END
"""

REMOVE_SESSION = "DELETE FROM sessions WHERE session_id = :session_id AND used_at = :used_at RETURNING session_id"

REMOVE_REMEMBERED = """
DELETE FROM remembered WHERE (purpose, value) IN (
    SELECT purpose, value FROM remembered WHERE until <= :before LIMIT :batch
)
RETURNING until
"""

REMOVE_ATTEMPTS = """
DELETE FROM attempts WHERE bucket IN (SELECT bucket FROM attempts WHERE until <= :before LIMIT :batch) RETURNING until
"""

REMOVE_LOGOUTS = """
DELETE FROM logouts WHERE (session_id, client_id) IN (
    SELECT session_id, client_id FROM logouts WHERE due_at IS NULL AND ended_at <= :before LIMIT :batch
)
RETURNING client_id
"""

REMOVE_DEVICES = """
DELETE FROM device_authorizations WHERE grant_id IN (
    SELECT grant_id FROM device_authorizations WHERE expires_at <= :before LIMIT :batch
)
RETURNING grant_id
"""

# They are few: no batch.
REMOVE_KEYS = "DELETE FROM signing_keys WHERE retired_at <= :before RETURNING kid"

# The end of a session stays as long as a grant could come alive again without it.
ORPHANED_ENDS = f"""
SELECT ends.key, ends.epoch FROM (SELECT * {_OF_ENDS} LIMIT {WINDOW}) AS ends
WHERE at <= :before
AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.session_id = ends.key)
AND NOT EXISTS (
    SELECT 1 FROM grants WHERE grants.session_id = ends.key AND grants.session_id <> '' AND grants.offline = 0
)
"""

# A session that expired and was not ended then has told nobody, and nobody is to be told of it later.
ORPHANED_SESSION_CLIENTS = f"""
SELECT session_clients.session_id, session_clients.client_id
FROM (SELECT * {_OF_SESSION_CLIENTS} LIMIT {WINDOW}) AS session_clients
WHERE noted_at <= :before
AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.session_id = session_clients.session_id)
AND NOT EXISTS (
    SELECT 1 FROM grants
    WHERE grants.session_id = session_clients.session_id AND grants.session_id <> '' AND grants.offline = 0
)
"""

REMOVE_SESSION_CLIENT = """
DELETE FROM session_clients WHERE session_id = :session_id AND client_id = :client_id RETURNING client_id
"""

REMOVE_END = "DELETE FROM ends WHERE kind = 'session' AND key = :key AND epoch = :epoch RETURNING epoch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How the dead of a kind are found and removed."""

    window: str
    """Returns the place of a window's last row, and nothing where fewer rows than a window holds are left."""
    dead: str
    remove: str
    places: tuple[str, ...]
    """The columns of the index whose order the search follows."""
    start: Row
    kept: tuple[str, ...]
    """The columns of `dead`, by which a row is removed that is still as it was found."""


GRANTS = Search(
    window=GRANTS_WINDOW,
    dead=DEAD_GRANTS,
    remove=REMOVE_GRANT,
    places=("created_at", "grant_id"),
    start=(-(2**62), ""),
    kept=("grant_id", "generation", "used_at"),
)
SESSIONS = Search(
    window=SESSIONS_WINDOW,
    dead=DEAD_SESSIONS,
    remove=REMOVE_SESSION,
    places=("session_id",),
    start=("",),
    kept=("session_id", "used_at"),
)
ENDS = Search(
    window=ENDS_WINDOW,
    dead=ORPHANED_ENDS,
    remove=REMOVE_END,
    places=("key", "epoch"),
    start=("", 0),
    kept=("key", "epoch"),
)
SESSION_CLIENTS = Search(
    window=SESSION_CLIENTS_WINDOW,
    dead=ORPHANED_SESSION_CLIENTS,
    remove=REMOVE_SESSION_CLIENT,
    places=("session_id", "client_id"),
    start=("", ""),
    kept=("session_id", "client_id"),
)
OF_SESSIONS = (ENDS, SESSION_CLIENTS)
"""What waits for grants and sessions to be gone that it belongs to."""

Rest: TypeAlias = Callable[[float], Awaitable[None]]
Remove: TypeAlias = Callable[[Transaction, str, Sequence[Mapping[str, Value]]], Awaitable[int]]


async def one_by_one(transaction: Transaction, statement: str, rows: Sequence[Mapping[str, Value]]) -> int:
    """Remove rows by a statement for each, and return how many there were."""
    return sum([len(await transaction.run(statement, **row)) for row in rows])


class Purge:
    """The purge of one process: each batch goes on where the one before it ended, and the last begins anew."""

    def __init__(
        self,
        database: Database,
        lifetimes: SessionLifetimes,
        *,
        rest: Rest,
        remove: Remove = one_by_one,
        together: int = TOGETHER,
        client_lifetimes: Lifetimes | None = None,
    ) -> None:
        self._database = database
        self._rest = rest
        self._remove = remove
        self._together = together
        defaults = client_lifetimes or Lifetimes()
        self._lifetimes: dict[str, Value] = {
            "access_token": defaults.longest_access_token,
            "refresh_token": defaults.refresh_token,
            "refresh_token_idle": defaults.refresh_token_idle,
            "authorization_code": defaults.authorization_code,
            "absolute": lifetimes.absolute,
            "idle": lifetimes.idle,
        }
        self._places: dict[Search, Row] = {}
        self._through: set[Search] = set()

    async def batch(self, *, before: int, batch: int) -> Purged:
        """Remove up to so many rows of each kind that died by then."""
        grants = await self._remove_dead(GRANTS, before=before, batch=batch)
        sessions = await self._remove_dead(SESSIONS, before=before, batch=batch)
        orphans = 0
        if {GRANTS, SESSIONS} <= self._through:
            for search in OF_SESSIONS:
                orphans += await self._remove_dead(search, before=before, batch=batch)
        if self._through.issuperset(OF_SESSIONS):
            self._through.clear()
        forgotten = await self._database.write(lambda tx: remove_forgotten(tx, before=before, batch=batch))
        return Purged(grants=grants, sessions=sessions, others=orphans + forgotten)

    async def _remove_dead(self, search: Search, *, before: int, batch: int) -> int:
        removed = 0
        while removed < batch and search not in self._through:
            began = time.monotonic()
            place = dict(zip(search.places, self._places.get(search, search.start), strict=True))
            values = {"before": before, **self._lifetimes, **place}
            end = await self._database.read(lambda tx: tx.run(search.window, **values))  # noqa: B023 - awaited at once
            found = await self._database.read(lambda tx: tx.run(search.dead, **values))  # noqa: B023 - the same
            dead = [dict(zip(search.kept, row, strict=True)) for row in found]
            taken = dead[: batch - removed]
            removed += await self._remove_all(search, taken)
            if len(taken) == len(dead):
                self._go_on(search, end)
            await self._rest((time.monotonic() - began) * REST)
        return removed

    def _go_on(self, search: Search, end: Sequence[Row]) -> None:
        if end:
            self._places[search] = end[0]
        else:
            self._places.pop(search, None)
            self._through.add(search)

    async def _remove_all(self, search: Search, dead: Sequence[Mapping[str, Value]]) -> int:
        removed = 0
        for at in range(0, len(dead), self._together):
            rows = dead[at : at + self._together]
            removed += await self._database.write(lambda tx: self._remove(tx, search.remove, rows))  # noqa: B023 - awaited at once
        return removed


async def remove_forgotten(transaction: Transaction, *, before: int, batch: int) -> int:
    """Remove remembered values, attempts, device codes, signing keys and logouts whose time is over."""
    remembered = await transaction.run(REMOVE_REMEMBERED, before=before, batch=batch)
    attempts = await transaction.run(REMOVE_ATTEMPTS, before=before, batch=batch)
    devices = await transaction.run(REMOVE_DEVICES, before=before, batch=batch)
    keys = await transaction.run(REMOVE_KEYS, before=before)
    logouts = await transaction.run(REMOVE_LOGOUTS, before=before, batch=batch)
    return len(remembered) + len(attempts) + len(devices) + len(keys) + len(logouts)
