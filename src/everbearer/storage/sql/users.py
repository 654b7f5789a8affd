"""Users."""

from __future__ import annotations

from everbearer.login.models import User
from everbearer.login.store import UserChange
from everbearer.oauth.events import Event
from everbearer.oauth.models import Ended, Everything
from everbearer.storage.sql.ends import end_all
from everbearer.storage.sql.events import record
from everbearer.storage.sql.rows import user_columns, user_of
from everbearer.storage.sql.transaction import Transaction

_SELECT = """
SELECT subject, login, password_hash, claims, disabled_at, created_at, updated_at,
    COALESCE((SELECT MAX(epoch) FROM ends WHERE kind = 'user' AND key = users.subject), 0)
FROM users
"""

USER = f"{_SELECT}WHERE subject = :subject"
USER_BY_LOGIN = f"{_SELECT}WHERE login = :login"
USERS = f"{_SELECT}WHERE login > :after ORDER BY login LIMIT :limit"

CREATE_USER = """
INSERT INTO users (subject, login, password_hash, claims, disabled_at, created_at, updated_at)
VALUES (:subject, :login, :password_hash, :claims, :disabled_at, :created_at, :updated_at)
ON CONFLICT DO NOTHING
RETURNING subject
"""

REPLACED = ("login", "password_hash", "claims", "disabled_at")

CHANGE_USER = """
UPDATE users SET login = :login, password_hash = :password_hash, claims = :claims, disabled_at = :disabled_at,
    updated_at = :updated_at
WHERE subject = :subject
AND login = :was_login AND password_hash = :was_password_hash AND claims = :was_claims
AND disabled_at IS NOT DISTINCT FROM :was_disabled_at
AND NOT EXISTS (SELECT 1 FROM users AS namesake WHERE namesake.login = :login AND namesake.subject <> :subject)
RETURNING subject
"""

NAMESAKE = "SELECT subject FROM users WHERE login = :login AND subject <> :subject"

UPGRADE_PASSWORD_HASH = "UPDATE users SET password_hash = :new WHERE subject = :subject AND password_hash = :old"

DELETE_USER = "DELETE FROM users WHERE subject = :subject RETURNING subject"
DELETE_SESSIONS = "DELETE FROM sessions WHERE subject = :subject"
DELETE_CONSENTS = "DELETE FROM consents WHERE subject = :subject"


async def user(transaction: Transaction, subject: str) -> User | None:
    """Read one user."""
    rows = await transaction.run(USER, subject=subject)
    return user_of(rows[0]) if rows else None


async def user_by_login(transaction: Transaction, login: str) -> User | None:
    """Read the user of a login."""
    rows = await transaction.run(USER_BY_LOGIN, login=login)
    return user_of(rows[0]) if rows else None


async def users(transaction: Transaction, *, after: str = "", limit: int = 100) -> list[User]:
    """Read users by login."""
    return [user_of(row) for row in await transaction.run(USERS, after=after, limit=limit)]


async def create_user(transaction: Transaction, user: User, event: Event) -> bool:
    """Insert a user, unless login or subject is taken."""
    if not await transaction.run(CREATE_USER, created_at=user.created_at, **user_columns(user)):
        return False
    await record(transaction, event)
    return True


async def change_user(
    transaction: Transaction, user: User, event: Event, *, was: User, ends: Ended | None = None
) -> UserChange:
    """Replace a user's columns by compare-and-swap, unless the login is taken."""
    before = {f"was_{name}": user_columns(was)[name] for name in REPLACED}
    if not await transaction.run(CHANGE_USER, **user_columns(user), **before):
        return await _hindrance(transaction, user)
    await record(transaction, event)
    if ends is not None:
        await end_all(transaction, Everything.USER, user.subject, ends)
    return UserChange.CHANGED


async def _hindrance(transaction: Transaction, user: User) -> UserChange:
    if not await transaction.run(USER, subject=user.subject):
        return UserChange.GONE
    taken = await transaction.run(NAMESAKE, login=user.login, subject=user.subject)
    return UserChange.TAKEN if taken else UserChange.CHANGED_MEANWHILE


async def delete_user(transaction: Transaction, subject: str, event: Event, ends: Ended) -> bool:
    """Delete a user with sessions and consents."""
    if not await transaction.run(DELETE_USER, subject=subject):
        return False
    await transaction.run(DELETE_SESSIONS, subject=subject)
    await transaction.run(DELETE_CONSENTS, subject=subject)
    await record(transaction, event)
    await end_all(transaction, Everything.USER, subject, ends)
    return True


async def upgrade_password_hash(transaction: Transaction, subject: str, *, old: str, new: str) -> None:
    """Replace a hash by compare-and-swap."""
    await transaction.run(UPGRADE_PASSWORD_HASH, subject=subject, old=old, new=new)
