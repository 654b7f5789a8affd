"""Applies what the configuration declares to the store: clients and users are created or updated, never deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from everbearer.login.accounts import (
    UnusableLogin,
    WeakPassword,
    create_user,
    set_claims,
    set_password,
    set_password_hash,
)
from everbearer.login.models import User
from everbearer.login.passwords import LONGEST, SHORTEST, RunHeavy, Weakness, password_matches
from everbearer.login.sign_in import normal_login
from everbearer.oauth.client import Client
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.randomness import random_id
from everbearer.server.config import Config, UserSection
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.reading import ConfigError
from everbearer.server.config.secrets import read_secret_file
from everbearer.server.declared.clients import declared_client, keep_secrets
from everbearer.server.declared.hashes import note_declared, was_last_declared
from everbearer.storage.store import AdminStore

ACTOR = "server:config"

_WEAK = {
    Weakness.TOO_SHORT: f"is shorter than {SHORTEST} characters; choose a longer one",
    Weakness.TOO_LONG: f"is longer than {LONGEST} characters; choose a shorter one",
    Weakness.COMMON: "is among the first that anybody guesses; choose another",
    Weakness.IS_LOGIN: "is the login itself; choose another",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What changed: the ids of clients and the logins of users that were created or updated."""

    clients: tuple[str, ...] = ()
    users: tuple[str, ...] = ()


async def apply_declared(config: Config, store: AdminStore, sealer: Sealer, *, run: RunHeavy, now: int) -> Applied:
    """Create and update the declared clients and users.

    Raises:
        ConfigError: a secret or password cannot be read or used, or a login is already another subject's.

    """
    clients = [client for client in config.clients if await _apply_client(client, config, store, sealer, now=now)]
    users = [user for user in config.users if await _apply_user(user, store, run=run, now=now)]
    return Applied(clients=tuple(each.client_id for each in clients), users=tuple(each.login for each in users))


async def _apply_client(section: ClientSection, config: Config, store: AdminStore, sealer: Sealer, *, now: int) -> bool:
    client = declared_client(section, keep_secrets(section, sealer), config)
    existing = await store.client(section.client_id)
    return await put_declared_client(client, existing, store, now=now)


async def put_declared_client(client: Client, existing: Client | None, store: AdminStore, *, now: int) -> bool:
    """Store a client if it is new or differs from what is stored, and return whether it was.

    One that an operator disabled stays disabled.
    """
    if existing is None:
        changed = replace(client, created_at=now)
    else:
        changed = replace(
            client, created_at=existing.created_at, disabled_at=existing.disabled_at, epoch=existing.epoch
        )
    if changed == existing:
        return False
    kind = EventKind.CLIENT_CREATED if existing is None else EventKind.CLIENT_CHANGED
    await store.put_client(changed, Event(kind=kind, at=now, actor=ACTOR, client_id=client.client_id))
    return True


async def _apply_user(section: UserSection, store: AdminStore, *, run: RunHeavy, now: int) -> bool:
    existing = await store.user_by_login(normal_login(section.login))
    if existing is None:
        return await _create(section, store, run=run, now=now)
    if section.subject and section.subject != existing.subject:
        raise ConfigError(
            f"user {section.login}: subject: the user is stored as {existing.subject}, and a subject never changes; "
            "write that one, or leave it out"
        )
    changed_claims = await _apply_claims(existing, section.claims, store, now=now)
    changed_password = await _apply_password(section, existing.subject, store, run=run, now=now)
    return changed_claims or changed_password


async def _create(section: UserSection, store: AdminStore, *, run: RunHeavy, now: int) -> bool:
    password = _password(section)
    try:
        if section.password_hash:
            return await _create_with_hash(section, store, now=now)
        user = await create_user(
            section.login,
            password,
            store=store,
            run=run,
            now=now,
            actor=ACTOR,
            claims=section.claims,
            subject=section.subject,
        )
    except WeakPassword as error:
        raise _weak(section, error) from None
    except UnusableLogin as error:
        raise ConfigError(f"user {section.login}: {error}; write another login or subject") from None
    await note_declared(user.subject, "", store)
    return True


async def _create_with_hash(section: UserSection, store: AdminStore, *, now: int) -> bool:
    user = User(
        subject=section.subject or random_id(),
        login=normal_login(section.login),
        password_hash=section.password_hash,
        claims=section.claims,
        created_at=now,
        updated_at=now,
    )
    event = Event(kind=EventKind.USER_CREATED, at=now, actor=ACTOR, subject=user.subject)
    if not await store.create_user(user, event):
        raise UnusableLogin("the login or subject is taken")
    await note_declared(user.subject, section.password_hash, store)
    return True


async def _apply_claims(user: User, claims: Mapping[str, object], store: AdminStore, *, now: int) -> bool:
    if claims == user.claims:
        return False
    await set_claims(user, claims, store=store, now=now, actor=ACTOR)
    return True


async def _apply_password(section: UserSection, subject: str, store: AdminStore, *, run: RunHeavy, now: int) -> bool:
    user = await store.user(subject)
    password = _password(section)
    if user is None or not (password or section.password_hash):
        return False
    if section.password_hash:
        return await _apply_hash(user, section.password_hash, store, now=now)
    matches = await run(lambda: password_matches(user.password_hash, password))
    try:
        if not matches:
            await set_password(user, password, store=store, run=run, now=now, actor=ACTOR)
    except WeakPassword as error:
        raise _weak(section, error) from None
    await note_declared(subject, "", store)
    return not matches


async def _apply_hash(user: User, password_hash: str, store: AdminStore, *, now: int) -> bool:
    if await was_last_declared(user.subject, password_hash, store):
        return False
    is_new = user.password_hash != password_hash
    if is_new:
        await set_password_hash(user, password_hash, store=store, now=now, actor=ACTOR)
    await note_declared(user.subject, password_hash, store)
    return is_new


def _password(section: UserSection) -> str:
    return read_secret_file(Path(section.password_file)) if section.password_file else section.password


def _weak(section: UserSection, error: WeakPassword) -> ConfigError:
    return ConfigError(f"user {section.login}: password: {weak_password_words(error.weakness)}")


def weak_password_words(weakness: Weakness) -> str:
    """Return why a password is refused and what to choose, as the end of a sentence."""
    return _WEAK[weakness]
