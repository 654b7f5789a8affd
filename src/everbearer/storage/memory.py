"""The store in memory, forgotten with its process: the model of what every store does, for tests and examples.

No verb suspends, so each is atomic in an event loop, and a caller without one finishes its coroutine by `send(None)`.
"""
# ruff: noqa: D102 - the protocols of the three store.py say what each verb does

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace

from everbearer.login.models import Consent, Session, SessionLifetimes, User
from everbearer.login.store import Counted, UserChange
from everbearer.oauth.client import Client, Lifetimes
from everbearer.oauth.events import Event
from everbearer.oauth.models import Ended, Everything, Grant, consent_key
from everbearer.oauth.scope import Scope
from everbearer.oauth.store import Spend
from everbearer.storage.ends import all_ended, consent_withdrawn, grant_ended
from everbearer.storage.origins import web_origins
from everbearer.storage.store import Purged, StoredKey


class MemoryStore:
    """Everything in dictionaries."""

    def __init__(self, *, session_lifetimes: SessionLifetimes = SessionLifetimes()) -> None:  # noqa: B008 - frozen
        self._session_lifetimes = session_lifetimes
        self._clients: dict[str, Client] = {}
        self._grants: dict[str, Grant] = {}
        self._ends: dict[tuple[Everything, str, int], Ended] = {}
        self._epochs: Counter[tuple[Everything, str]] = Counter()
        self._users: dict[str, User] = {}
        self._sessions: dict[str, Session] = {}
        self._consents: dict[tuple[str, str], Consent] = {}
        self._attempts: dict[str, Counted] = {}
        self._remembered: dict[tuple[str, str], int] = {}
        self._events: list[Event] = []
        self._keys: dict[str, StoredKey] = {}
        self._predecessors: dict[str, str | None] = {}
        self._sealed_values: dict[str, bytes] = {}

    # Verbs of the protocol

    async def client(self, client_id: str) -> Client | None:
        client = self._clients.get(client_id)
        return client and replace(client, epoch=self._epochs[Everything.CLIENT, client_id])

    async def create_grant(self, grant: Grant, event: Event) -> None:
        authentication = grant.authentication
        self._grants[grant.grant_id] = replace(
            grant,
            authentication=replace(
                authentication, user_epoch=self._epoch(authentication.user_epoch, Everything.USER, grant.subject)
            ),
            client_epoch=self._epoch(grant.client_epoch, Everything.CLIENT, grant.client_id),
            consent_epoch=self._epoch(
                grant.consent_epoch, Everything.CONSENT, consent_key(grant.subject, grant.client_id)
            ),
            ended=None,
        )
        self._events.append(event)

    async def grant(self, grant_id: str) -> Grant | None:
        grant = self._grants.get(grant_id)
        return grant and replace(grant, ended=self._end_of(grant))

    async def spend(self, grant: Grant, *, expected: int) -> Spend:
        stored = await self.grant(grant.grant_id)
        if stored is None or stored.ended is not None:
            return Spend.ENDED
        if stored.generation != expected:
            return Spend.SUPERSEDED
        retries = stored.retries + (grant.retries > stored.retries)
        later = grant.late_generation > stored.late_generation
        self._grants[grant.grant_id] = replace(
            stored,
            generation=grant.generation,
            rotated_at=grant.rotated_at,
            used_at=max(stored.used_at, grant.used_at),
            confirmed=max(stored.confirmed, grant.confirmed),
            retries=retries if grant.generation == expected else 0,
            late_generation=grant.late_generation if later else stored.late_generation,
            late_streak=grant.late_streak if later else stored.late_streak,
            idempotency_key=grant.idempotency_key,
            code=grant.code,
            history=grant.history,
        )
        return Spend.SPENT

    async def confirm(self, grant_id: str, generation: int) -> None:
        grant = self._grants.get(grant_id)
        if grant is not None and grant.generation == generation:
            self._grants[grant_id] = replace(grant, confirmed=max(grant.confirmed, generation))

    async def end_grant(self, grant_id: str, ended: Ended) -> bool:
        grant = await self.grant(grant_id)
        if grant is None or grant.ended is not None:
            return False
        self._grants[grant_id] = replace(grant, ended=ended)
        self._events.append(grant_ended(grant_id, grant.client_id, grant.subject, ended))
        return True

    async def end_all(self, everything: Everything, key: str, ended: Ended) -> None:
        self._epochs[everything, key] += 1
        self._ends[everything, key, self._epochs[everything, key]] = ended
        session = self._sessions.get(key) if everything is Everything.SESSION else None
        self._events.append(all_ended(everything, key, ended, subject=session.subject if session else ""))

    async def remember(self, purpose: str, value: str, *, until: int) -> bool:
        if await self.remembers(purpose, value):
            return False
        self._remembered[purpose, value] = until
        return True

    async def remembers(self, purpose: str, value: str) -> bool:
        return (purpose, value) in self._remembered

    async def allows_origin(self, origin: str) -> bool:
        return any(origin in web_origins(client) for client in self._clients.values())

    async def record(self, event: Event) -> None:
        self._events.append(event)

    # Verbs of signing in

    async def user(self, subject: str) -> User | None:
        user = self._users.get(subject)
        return user and replace(user, epoch=self._epochs[Everything.USER, subject])

    async def user_by_login(self, login: str) -> User | None:
        subject = next((user.subject for user in self._users.values() if user.login == login), None)
        return None if subject is None else await self.user(subject)

    async def create_user(self, user: User, event: Event) -> bool:
        if user.subject in self._users or await self.user_by_login(user.login):
            return False
        self._users[user.subject] = user
        self._events.append(event)
        return True

    async def change_user(self, user: User, event: Event, *, was: User, ends: Ended | None = None) -> UserChange:
        stored = self._users.get(user.subject)
        namesake = await self.user_by_login(user.login)
        if stored is None:
            return UserChange.GONE
        if namesake is not None and namesake.subject != user.subject:
            return UserChange.TAKEN
        if _replaced(stored) != _replaced(was):
            return UserChange.CHANGED_MEANWHILE
        self._users[user.subject] = replace(user, created_at=stored.created_at)
        self._events.append(event)
        if ends is not None:
            await self.end_all(Everything.USER, user.subject, ends)
        return UserChange.CHANGED

    async def delete_user(self, subject: str, event: Event, ends: Ended) -> bool:
        if self._users.pop(subject, None) is None:
            return False
        self._sessions = {key: session for key, session in self._sessions.items() if session.subject != subject}
        self._consents = {key: consent for key, consent in self._consents.items() if consent.subject != subject}
        self._events.append(event)
        await self.end_all(Everything.USER, subject, ends)
        return True

    async def upgrade_password_hash(self, subject: str, *, old: str, new: str) -> None:
        user = self._users.get(subject)
        if user is not None and user.password_hash == old:
            self._users[subject] = replace(user, password_hash=new)

    async def create_session(self, session: Session, event: Event) -> None:
        self._sessions[session.session_id] = session
        self._events.append(event)

    async def session(self, session_id: str) -> Session | None:
        session = self._sessions.get(session_id)
        return session and replace(session, ended=self._end_of_session(session))

    async def touch_session(self, session_id: str, used_at: int) -> None:
        session = self._sessions.get(session_id)
        if session is not None:
            self._sessions[session_id] = replace(session, used_at=max(session.used_at, used_at))

    async def sessions_of(self, subject: str) -> list[Session]:
        sessions = [session for session in self._sessions.values() if session.subject == subject]
        live = [replace(session, ended=None) for session in sessions if self._end_of_session(session) is None]
        return sorted(live, key=lambda session: (session.used_at, session.session_id), reverse=True)

    async def consent(self, subject: str, client_id: str) -> Consent:
        consent = self._consents.get((subject, client_id), Consent(subject=subject, client_id=client_id))
        return replace(consent, epoch=self._epochs[Everything.CONSENT, consent_key(subject, client_id)])

    async def give_consent(self, subject: str, client_id: str, scope: Scope, event: Event) -> None:
        before = await self.consent(subject, client_id)
        together = tuple(dict.fromkeys((*before.scope, *scope)))
        self._consents[subject, client_id] = replace(before, scope=together, granted_at=event.at)
        self._events.append(event)

    async def withdraw_consent(self, subject: str, client_id: str, ended: Ended) -> None:
        self._consents.pop((subject, client_id), None)
        self._events.append(consent_withdrawn(subject, client_id, ended))
        await self.end_all(Everything.CONSENT, consent_key(subject, client_id), ended)

    async def consents_of(self, subject: str) -> list[Consent]:
        return [await self.consent(*key) for key in sorted(self._consents) if key[0] == subject]

    async def count_attempt(self, bucket: str, *, now: int, window: int) -> Counted:
        before = self._attempts.get(bucket)
        if before is None or before.until <= now:
            self._attempts[bucket] = Counted(attempts=1, until=now + window)
        else:
            self._attempts[bucket] = replace(before, attempts=before.attempts + 1)
        return self._attempts[bucket]

    async def forget_attempts(self, bucket: str) -> None:
        self._attempts.pop(bucket, None)

    # Verbs of operators

    async def migrate(self) -> list[str]:
        return []

    async def pending_migrations(self) -> list[str]:
        return []

    async def clock(self) -> float:
        return time.time()

    async def ping(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def put_client(self, client: Client, event: Event, *, ends: Ended | None = None) -> None:
        self._clients[client.client_id] = client
        self._events.append(event)
        if ends is not None:
            await self.end_all(Everything.CLIENT, client.client_id, ends)

    async def delete_client(self, client_id: str, event: Event, ends: Ended) -> bool:
        if self._clients.pop(client_id, None) is None:
            return False
        self._consents = {key: consent for key, consent in self._consents.items() if consent.client_id != client_id}
        self._events.append(event)
        await self.end_all(Everything.CLIENT, client_id, ends)
        return True

    async def clients(self) -> list[Client]:
        found = [await self.client(client_id) for client_id in sorted(self._clients)]
        return [client for client in found if client is not None]

    async def users(self, *, after: str = "", limit: int = 100) -> list[User]:
        following = sorted((user.login, user.subject) for user in self._users.values() if user.login > after)
        found = [await self.user(subject) for _, subject in following[:limit]]
        return [user for user in found if user is not None]

    async def grants(
        self, *, subject: str = "", client_id: str = "", session_id: str = "", live_only: bool = False, limit: int = 100
    ) -> list[Grant]:
        found = [
            replace(grant, ended=self._end_of(grant))
            for grant in self._grants.values()
            if subject in {"", grant.subject}
            and client_id in {"", grant.client_id}
            and session_id in {"", grant.authentication.session_id}
        ]
        wanted = [grant for grant in found if grant.ended is None or not live_only]
        return sorted(wanted, key=lambda grant: (grant.created_at, grant.grant_id), reverse=True)[:limit]

    async def events(
        self, *, grant_id: str = "", subject: str = "", client_id: str = "", limit: int = 100
    ) -> list[Event]:
        return [
            event
            for event in reversed(self._events)
            if grant_id in {"", event.grant_id}
            and subject in {"", event.subject}
            and client_id in {"", event.client_id}
        ][:limit]

    async def keys(self) -> list[StoredKey]:
        return sorted(self._keys.values(), key=lambda key: (key.created_at, key.kid))

    async def add_key(self, key: StoredKey, event: Event, *, newest: str | None) -> bool:
        kids = [stored.kid for stored in await self.keys() if stored.alg == key.alg]
        if key.kid in self._keys or (kids[-1] if kids else None) != newest:
            return False
        if newest in [self._predecessors[kid] for kid in kids]:
            return False
        self._keys[key.kid] = key
        self._predecessors[key.kid] = newest
        self._events.append(event)
        return True

    async def retire_key(self, kid: str, retired_at: int, event: Event) -> bool:
        key = self._keys.get(kid)
        if key is None:
            return False
        self._keys[kid] = replace(key, retired_at=retired_at)
        self._events.append(event)
        return True

    async def reseal_key(self, kid: str, *, old: bytes, new: bytes) -> bool:
        key = self._keys.get(kid)
        if key is None or key.sealed != old:
            return False
        self._keys[kid] = replace(key, sealed=new)
        return True

    def hearing_of_keys(self, heard: Callable[[], None]) -> AbstractAsyncContextManager[None]:  # noqa: ARG002 - nobody tells
        """Hear of nothing: there is no other process."""
        return nullcontext()

    async def sealed_value(self, name: str) -> bytes | None:
        return self._sealed_values.get(name)

    async def keep_sealed_value(self, name: str, sealed: bytes, *, was: bytes | None) -> bool:
        if self._sealed_values.get(name) != was:
            return False
        self._sealed_values[name] = sealed
        return True

    async def purge(self, *, now: int, keep: int, batch: int) -> Purged:
        before = now - keep
        grants = [key for key, grant in self._grants.items() if self._died_at(grant) <= before][:batch]
        sessions = [key for key, session in self._sessions.items() if self._session_died_at(session) <= before][:batch]
        remembered = [key for key, until in self._remembered.items() if until <= before][:batch]
        attempts = [key for key, counted in self._attempts.items() if counted.until <= before][:batch]
        keys = [kid for kid, key in self._keys.items() if key.retired_at is not None and key.retired_at <= before]
        self._grants = {key: grant for key, grant in self._grants.items() if key not in grants}
        self._sessions = {key: session for key, session in self._sessions.items() if key not in sessions}
        self._remembered = {key: until for key, until in self._remembered.items() if key not in remembered}
        self._attempts = {key: attempt for key, attempt in self._attempts.items() if key not in attempts}
        self._keys = {kid: key for kid, key in self._keys.items() if kid not in keys}
        ends = list(self._orphans(before))[:batch]
        for end in ends:
            del self._ends[end]
        others = len(remembered) + len(attempts) + len(keys) + len(ends)
        return Purged(grants=len(grants), sessions=len(sessions), others=others)

    # Epochs and ends

    def _epoch(self, given: int | None, everything: Everything, key: str) -> int:
        return self._epochs[everything, key] if given is None else given

    def _end_of(self, grant: Grant) -> Ended | None:
        user_epoch, session_id = grant.authentication.user_epoch or 0, grant.authentication.session_id
        ends = [
            self._ends.get((Everything.USER, grant.subject, user_epoch + 1)),
            self._ends.get((Everything.CLIENT, grant.client_id, (grant.client_epoch or 0) + 1)),
            self._ends.get(
                (Everything.CONSENT, consent_key(grant.subject, grant.client_id), (grant.consent_epoch or 0) + 1)
            ),
            self._ends.get((Everything.SESSION, session_id, 1)) if session_id and not grant.offline else None,
        ]
        return grant.ended or _earliest(*ends)

    def _end_of_session(self, session: Session) -> Ended | None:
        return _earliest(
            self._ends.get((Everything.SESSION, session.session_id, 1)),
            self._ends.get((Everything.USER, session.subject, session.user_epoch + 1)),
        )

    def _died_at(self, grant: Grant) -> int:
        ended = self._end_of(grant)
        client = self._clients.get(grant.client_id)
        lifetimes = client.lifetimes if client else Lifetimes()
        if ended is not None:
            return ended.at
        if grant.generation == 0 and grant.code is not None:
            return grant.created_at + lifetimes.authorization_code
        if not grant.offline:
            return grant.rotated_at + lifetimes.access_token
        absolute = grant.created_at + lifetimes.refresh_token
        idle = lifetimes.refresh_token_idle
        return absolute if idle is None else min(absolute, grant.used_at + idle)

    def _session_died_at(self, session: Session) -> int:
        ended = self._end_of_session(session)
        lifetimes = self._session_lifetimes
        return ended.at if ended else min(session.created_at + lifetimes.absolute, session.used_at + lifetimes.idle)

    def _orphans(self, before: int) -> Iterator[tuple[Everything, str, int]]:
        """Find the ends of sessions that neither a session nor a grant needs any more."""
        needed = set(self._sessions) | {
            grant.authentication.session_id for grant in self._grants.values() if not grant.offline
        }
        for (everything, key, epoch), ended in self._ends.items():
            if everything is Everything.SESSION and key not in needed and ended.at <= before:
                yield everything, key, epoch


def _replaced(user: User) -> tuple[object, ...]:
    """Return what a change of a user replaces."""
    return user.login, user.password_hash, user.claims, user.disabled_at


def _earliest(*ends: Ended | None) -> Ended | None:
    return min((end for end in ends if end is not None), key=lambda end: end.at, default=None)
