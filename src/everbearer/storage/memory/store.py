"""The store in memory, forgotten with its process: the model of what every store does, for tests and examples.

No verb suspends, so each is atomic in an event loop, and a caller without one finishes its coroutine by `send(None)`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from types import CoroutineType
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

from everbearer.login.models import SessionLifetimes
from everbearer.oauth.client import Lifetimes
from everbearer.storage.memory import (
    clients,
    consents,
    counters,
    devices,
    ends,
    events,
    grants,
    keys,
    logouts,
    purge,
    registrations,
    sessions,
    users,
)
from everbearer.storage.memory.tables import Tables

P = ParamSpec("P")
T = TypeVar("T")

_Function: TypeAlias = Callable[Concatenate[Tables, P], Awaitable[T]]
_Method: TypeAlias = "Callable[Concatenate[MemoryStore, P], CoroutineType[Any, Any, T]]"


def _verb(function: _Function[P, T]) -> _Method[P, T]:
    async def method(store: MemoryStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await function(store.tables, *args, **kwargs)

    return method  # type: ignore[return-value] # what an `async def` returns has two names in the two type checkers


class MemoryStore:
    """Everything in dictionaries. `AdminStore` and the stores it is made of say what each verb does."""

    def __init__(
        self, *, session_lifetimes: SessionLifetimes | None = None, client_lifetimes: Lifetimes | None = None
    ) -> None:
        self.tables = Tables(
            session_lifetimes=session_lifetimes or SessionLifetimes(), client_lifetimes=client_lifetimes or Lifetimes()
        )

    # A verb that is named as its module stands last: from there on the name is the verb's.

    client = _verb(clients.client)
    put_client = _verb(clients.put_client)
    delete_client = _verb(clients.delete_client)
    allows_origin = _verb(clients.allows_origin)
    note_client_use = _verb(clients.note_client_use)
    clients = _verb(clients.clients)

    initial_access_token = _verb(registrations.initial_access_token)
    initial_access_tokens = _verb(registrations.initial_access_tokens)
    create_initial_access_token = _verb(registrations.create_initial_access_token)
    revoke_initial_access_token = _verb(registrations.revoke_initial_access_token)
    register_client = _verb(registrations.register_client)
    change_client = _verb(registrations.change_client)
    idle_clients = _verb(registrations.idle_clients)
    reap_client = _verb(registrations.reap_client)

    create_grant = _verb(grants.create_grant)
    grant = _verb(grants.grant)
    spend = _verb(grants.spend)
    confirm = _verb(grants.confirm)
    end_grant = _verb(grants.end_grant)
    end_all = _verb(ends.end_all)
    grants = _verb(grants.grants)

    create_device_authorization = _verb(devices.create_device_authorization)
    device_authorization = _verb(devices.device_authorization)
    note_device_poll = _verb(devices.note_device_poll)
    decide_device_authorization = _verb(devices.decide_device_authorization)

    user = _verb(users.user)
    user_by_login = _verb(users.user_by_login)
    create_user = _verb(users.create_user)
    change_user = _verb(users.change_user)
    delete_user = _verb(users.delete_user)
    upgrade_password_hash = _verb(users.upgrade_password_hash)
    users = _verb(users.users)

    create_session = _verb(sessions.create_session)
    renew_session = _verb(sessions.renew_session)
    session = _verb(sessions.session)
    touch_session = _verb(sessions.touch_session)
    sessions_of = _verb(sessions.sessions_of)

    note_client = _verb(logouts.note_client)
    clients_of_session = _verb(logouts.clients_of_session)
    take_logouts = _verb(logouts.take_logouts)
    settle_logout = _verb(logouts.settle_logout)
    retry_logouts = _verb(logouts.retry_logouts)
    logouts = _verb(logouts.logouts)

    consent = _verb(consents.consent)
    consents_of = _verb(consents.consents_of)
    give_consent = _verb(consents.give_consent)
    withdraw_consent = _verb(consents.withdraw_consent)

    remember = _verb(counters.remember)
    remembers = _verb(counters.remembers)
    count_attempt = _verb(counters.count_attempt)
    forget_attempts = _verb(counters.forget_attempts)

    add_key = _verb(keys.add_key)
    retire_key = _verb(keys.retire_key)
    reseal_key = _verb(keys.reseal_key)
    sealed_value = _verb(keys.sealed_value)
    keep_sealed_value = _verb(keys.keep_sealed_value)
    keys = _verb(keys.keys)

    record = _verb(events.record)
    events = _verb(events.events)

    expired_sessions = _verb(purge.expired_sessions)
    purge = _verb(purge.purge)

    async def migrate(self) -> list[str]:
        """Migrate nothing: there is no schema."""
        return []

    async def pending_migrations(self) -> list[str]:
        """Return no migrations."""
        return []

    async def clock(self) -> float:
        """Return the time of this machine."""
        return time.time()

    async def ping(self) -> None:
        """Return: memory is always there."""

    async def close(self) -> None:
        """Let go of nothing: what is in memory stays readable."""

    def hearing_of_keys(self, heard: Callable[[], None]) -> AbstractAsyncContextManager[None]:  # noqa: ARG002 - nobody tells
        """Hear of nothing: there is no other process."""
        return nullcontext()
