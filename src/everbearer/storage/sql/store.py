"""The store in SQL: each verb in one transaction of whichever database it is given."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from types import CoroutineType
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

from everbearer.login.models import SessionLifetimes
from everbearer.oauth.client import Lifetimes
from everbearer.oauth.sessions.backchannel_logout import Logout
from everbearer.storage.sql import (
    clients,
    consents,
    counters,
    devices,
    ends,
    events,
    grants,
    keys,
    logouts,
    migrations,
    registrations,
    sealed_values,
    sessions,
    users,
)
from everbearer.storage.sql.expired_sessions import expired_sessions
from everbearer.storage.sql.purge import Purge
from everbearer.storage.sql.transaction import Database, Transaction
from everbearer.storage.store import ExpiredSessions, Purged

P = ParamSpec("P")
T = TypeVar("T")

_Function: TypeAlias = Callable[Concatenate[Transaction, P], Awaitable[T]]
_Method: TypeAlias = "Callable[Concatenate[SqlStore, P], CoroutineType[Any, Any, T]]"


def _looks_up(function: _Function[P, T]) -> _Method[P, T]:
    async def method(store: SqlStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store.database.look_up(lambda transaction: function(transaction, *args, **kwargs))

    return method  # type: ignore[return-value] # what an `async def` returns has two names in the two type checkers


def _reads(function: _Function[P, T]) -> _Method[P, T]:
    async def method(store: SqlStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store.database.read(lambda transaction: function(transaction, *args, **kwargs))

    return method  # type: ignore[return-value] # what an `async def` returns has two names in the two type checkers


def _writes(function: _Function[P, T]) -> _Method[P, T]:
    async def method(store: SqlStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store.database.write(lambda transaction: function(transaction, *args, **kwargs))

    return method  # type: ignore[return-value] # what an `async def` returns has two names in the two type checkers


class SqlStore:
    """Everything in tables. `AdminStore` and the stores it is made of say what each verb does.

    `client_lifetimes` are the longest of clients that are kept in a store of the application's own: a purge goes by
    them.
    """

    def __init__(
        self,
        database: Database,
        *,
        session_lifetimes: SessionLifetimes | None = None,
        client_lifetimes: Lifetimes | None = None,
    ) -> None:
        self.database = database
        sessions = session_lifetimes or SessionLifetimes()
        self._session_lifetimes = sessions
        self._purge = Purge(database, sessions, rest=self.rest, client_lifetimes=client_lifetimes)

    # A verb that is named as its module stands last: from there on the name is the verb's.

    client = _looks_up(clients.client)
    put_client = _writes(clients.put_client)
    delete_client = _writes(clients.delete_client)
    allows_origin = _looks_up(clients.allows_origin)
    note_client_use = _writes(clients.note_client_use)
    clients = _reads(clients.clients)

    initial_access_token = _looks_up(registrations.initial_access_token)
    initial_access_tokens = _reads(registrations.initial_access_tokens)
    create_initial_access_token = _writes(registrations.create_initial_access_token)
    revoke_initial_access_token = _writes(registrations.revoke_initial_access_token)
    register_client = _writes(registrations.register_client)
    change_client = _writes(registrations.change_client)
    idle_clients = _reads(registrations.idle_clients)
    reap_client = _writes(registrations.reap_client)

    create_grant = _writes(grants.create_grant)
    grant = _looks_up(grants.grant)
    spend = _writes(grants.spend)
    confirm = _writes(grants.confirm)
    end_grant = _writes(grants.end_grant)
    end_all = _writes(ends.end_all)
    grants = _reads(grants.grants)

    create_device_authorization = _writes(devices.create_device_authorization)
    device_authorization = _looks_up(devices.device_authorization)
    note_device_poll = _writes(devices.note_device_poll)
    decide_device_authorization = _writes(devices.decide_device_authorization)

    user = _looks_up(users.user)
    user_by_login = _looks_up(users.user_by_login)
    create_user = _writes(users.create_user)
    change_user = _writes(users.change_user)
    delete_user = _writes(users.delete_user)
    upgrade_password_hash = _writes(users.upgrade_password_hash)
    users = _reads(users.users)

    create_session = _writes(sessions.create_session)
    renew_session = _writes(sessions.renew_session)
    session = _looks_up(sessions.session)
    touch_session = _writes(sessions.touch_session)
    sessions_of = _reads(sessions.sessions_of)

    note_client = _writes(logouts.note_client)
    clients_of_session = _reads(logouts.clients_of_session)
    settle_logout = _writes(logouts.settle_logout)
    retry_logouts = _writes(logouts.retry_logouts)
    _any_logout_due = _reads(logouts.any_due)
    _take_logouts = _writes(logouts.take_logouts)
    logouts = _reads(logouts.logouts)

    consent = _looks_up(consents.consent)
    consents_of = _reads(consents.consents_of)
    give_consent = _writes(consents.give_consent)
    withdraw_consent = _writes(consents.withdraw_consent)

    remember = _writes(counters.remember)
    remembers = _looks_up(counters.remembers)
    count_attempt = _writes(counters.count_attempt)
    forget_attempts = _writes(counters.forget_attempts)

    add_key = _writes(keys.add_key)
    retire_key = _writes(keys.retire_key)
    reseal_key = _writes(keys.reseal_key)
    keys = _reads(keys.keys)
    sealed_value = _reads(sealed_values.sealed_value)
    keep_sealed_value = _writes(sealed_values.keep_sealed_value)

    record = _writes(events.record)
    events = _reads(events.events)

    ping = _writes(migrations.ping)
    pending_migrations = _writes(migrations.pending_migrations)

    def hearing_of_keys(self, heard: Callable[[], None]) -> AbstractAsyncContextManager[None]:  # noqa: ARG002 - nobody tells
        """Hear of nothing: whoever wants to know looks."""
        return nullcontext()

    async def take_logouts(self, *, now: int, until: int, limit: int) -> list[Logout]:
        """Take what is due; where nothing is, as most of the time, no writer has to wait for it."""
        due = await self._any_logout_due(now=now)
        return await self._take_logouts(now=now, until=until, limit=limit) if due else []

    async def clock(self) -> float:
        """Return the time of this machine, which all processes at a file share."""
        return time.time()

    async def migrate(self) -> list[str]:
        """Apply what is pending, each in a transaction of its own."""
        applied: list[str] = []
        while name := await self.database.write(migrations.apply_next):
            applied.append(name)
        return applied

    async def expired_sessions(self, *, at: int, after: str) -> ExpiredSessions:
        """Look at one window."""
        lifetimes = self._session_lifetimes
        return await self.database.read(lambda tx: expired_sessions(tx, at=at, after=after, lifetimes=lifetimes))

    async def purge(self, *, now: int, keep: int, batch: int) -> Purged:
        """Remove a batch of each kind."""
        return await self._purge.batch(before=now - keep, batch=batch)

    async def rest(self, seconds: float) -> None:
        """Let others have the database to themselves."""
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Close the database."""
        await self.database.close()

    def connections(self) -> Mapping[str, int]:
        """Return how many connections to a server are in each state; nothing where there is no server."""
        return {}
