"""The application's own users, notes and consents, in tables that Everbearer knows nothing of."""

import hashlib
import hmac
import os
import secrets
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import everbearer as eb

FOLDER = Path(os.environ.get("DATA", "data"))
SCHEMA = """
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, login TEXT UNIQUE, name TEXT, salt BLOB, password BLOB);
CREATE TABLE IF NOT EXISTS notes (user_id INTEGER REFERENCES users, text TEXT);
CREATE TABLE IF NOT EXISTS consents (user_id INTEGER, client_id TEXT, scope TEXT, PRIMARY KEY (user_id, client_id));
"""


@dataclass(frozen=True)
class User:
    """A row of the users."""

    id: int
    login: str
    name: str


@contextmanager
def database() -> Generator[sqlite3.Connection]:
    """Open the application's database for one transaction."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    connection = sqlite3.connect(FOLDER / "app.db")
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def create() -> None:
    """Make the tables, and a user to try it with."""
    with database() as rows:
        rows.executescript(SCHEMA)
        salt = secrets.token_bytes(16)
        added = rows.execute(
            "INSERT OR IGNORE INTO users VALUES (1, 'ada', 'Ada Lovelace', ?, ?)", (salt, hashed("lovelace", salt))
        )
        if added.rowcount:
            rows.execute("INSERT INTO notes VALUES (1, 'The Engine weaves algebraical patterns.')")


def user(user_id: int | str | None) -> User | None:
    """Return a user by id."""
    with database() as rows:
        found = rows.execute("SELECT id, login, name FROM users WHERE id = ?", (user_id,)).fetchone()
    return User(*found) if found else None


def signed_in(login: str, password: str) -> User | None:
    """Return the user whom a login and a password name."""
    with database() as rows:
        found = rows.execute("SELECT id, login, name, salt, password FROM users WHERE login = ?", (login,)).fetchone()
    # As much work for a login that is nobody's, so that the time does not tell.
    salt, expected = found[3:] if found else (b"", b"")
    is_right = hmac.compare_digest(hashed(password, salt), expected)
    return User(*found[:3]) if found and is_right else None


def hashed(password: str, salt: bytes) -> bytes:
    """Return what is stored of a password."""
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


def notes(user_id: str) -> list[str]:
    """Return a user's notes: what the API gives."""
    with database() as rows:
        return [text for (text,) in rows.execute("SELECT text FROM notes WHERE user_id = ?", (user_id,))]


def has_consented(user: User, asked: eb.AuthorizationRequest) -> bool:
    """Return whether a user has let the client have all that it asks for."""
    with database() as rows:
        found = rows.execute(
            "SELECT scope FROM consents WHERE user_id = ? AND client_id = ?", (user.id, asked.client.client_id)
        ).fetchone()
    return found is not None and set(asked.consent_scope) <= set(found[0].split())


def consent(user: User, asked: eb.AuthorizationRequest) -> None:
    """Remember that a user lets the client have what it asks for."""
    with database() as rows:
        row = (user.id, asked.client.client_id, " ".join(asked.consent_scope))
        rows.execute("INSERT OR REPLACE INTO consents VALUES (?, ?, ?)", row)
