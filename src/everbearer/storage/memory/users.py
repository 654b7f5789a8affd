"""Users."""

from __future__ import annotations

from dataclasses import replace

from everbearer.login.models import User
from everbearer.login.store import UserChange
from everbearer.oauth.events import Event
from everbearer.oauth.models import Ended, Everything
from everbearer.storage.memory.ends import end_all
from everbearer.storage.memory.tables import Tables


async def user(tables: Tables, subject: str) -> User | None:
    """Read one user."""
    found = tables.users.get(subject)
    return found and replace(found, epoch=tables.epochs[Everything.USER, subject])


async def user_by_login(tables: Tables, login: str) -> User | None:
    """Read the user of a login."""
    subject = next((user.subject for user in tables.users.values() if user.login == login), None)
    return None if subject is None else await user(tables, subject)


async def users(tables: Tables, *, after: str = "", limit: int = 100) -> list[User]:
    """Read users by login."""
    following = sorted((user.login, user.subject) for user in tables.users.values() if user.login > after)
    found = [await user(tables, subject) for _, subject in following[:limit]]
    return [each for each in found if each is not None]


async def create_user(tables: Tables, user: User, event: Event) -> bool:
    """Keep a user, unless login or subject is taken."""
    if user.subject in tables.users or await user_by_login(tables, user.login):
        return False
    tables.users[user.subject] = user
    tables.events.append(event)
    return True


async def change_user(tables: Tables, user: User, event: Event, *, was: User, ends: Ended | None = None) -> UserChange:
    """Replace a user who still is as read, unless the login is taken."""
    stored = tables.users.get(user.subject)
    namesake = await user_by_login(tables, user.login)
    if stored is None:
        return UserChange.GONE
    if namesake is not None and namesake.subject != user.subject:
        return UserChange.TAKEN
    if _replaced(stored) != _replaced(was):
        return UserChange.CHANGED_MEANWHILE
    tables.users[user.subject] = replace(user, created_at=stored.created_at)
    tables.events.append(event)
    if ends is not None:
        await end_all(tables, Everything.USER, user.subject, ends)
    return UserChange.CHANGED


async def delete_user(tables: Tables, subject: str, event: Event, ends: Ended) -> bool:
    """Delete a user with sessions and consents."""
    if tables.users.pop(subject, None) is None:
        return False
    tables.sessions = {key: session for key, session in tables.sessions.items() if session.subject != subject}
    tables.consents = {key: consent for key, consent in tables.consents.items() if consent.subject != subject}
    tables.events.append(event)
    await end_all(tables, Everything.USER, subject, ends)
    return True


async def upgrade_password_hash(tables: Tables, subject: str, *, old: str, new: str) -> None:
    """Replace a hash that still is the old one."""
    found = tables.users.get(subject)
    if found is not None and found.password_hash == old:
        tables.users[subject] = replace(found, password_hash=new)


def _replaced(user: User) -> tuple[object, ...]:
    """Return what a change of a user replaces."""
    return user.login, user.password_hash, user.claims, user.disabled_at
