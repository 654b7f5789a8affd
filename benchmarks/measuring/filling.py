"""Fills a database with live grants, quickly, and knows their refresh tokens: each is a function of its number.

The rows are those of `everbearer.storage.sql.rows`, so that they are what a server would have written.
"""

from __future__ import annotations

import random
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import apsw
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.models import HISTORY_LENGTH, Authentication, Grant, Happening, HistoryEntry
from everbearer.oauth.scope import parse_scope
from everbearer.oauth.tokens.refresh_tokens import seal_refresh_token
from everbearer.storage.sql.rows import grant_columns

from measuring.postgresql import run_sql

SPREAD = 10 * 24 * 60 * 60
"""The grants were made in the seconds before now, evenly."""
CHUNK = 500_000
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Grants that are alike: number n of a kind is always the same grant."""

    name: str
    client_id: str
    scope: str = "offline_access orders.read"
    subject: str = ""
    """The user they are all of; each of a user of its own where it is empty."""
    generation: int = 1
    history: int = 1
    """How many entries each has; a grant that is refreshed now and then has all it can hold."""
    age: int = 0
    """How long ago, in seconds, the newest was made."""


def grant(kind: Kind, number: int, now: int) -> Grant:
    """Return a grant as it is stored."""
    at = now - kind.age - number % SPREAD
    subject = kind.subject or f"user-{number}"
    # The newest entries count up to the generation.
    happened = range(max(1, kind.generation - kind.history + 1), kind.generation + 1)
    return Grant(
        grant_id=_text(kind, "id", number),
        client_id=kind.client_id,
        subject=subject,
        scope=parse_scope(kind.scope),
        secret=_digest(kind, "secret", number),
        offline=True,
        authentication=Authentication(subject=subject, auth_time=at, amr=("pwd",), user_epoch=0),
        created_at=at,
        rotated_at=at,
        used_at=at,
        generation=kind.generation,
        client_epoch=0,
        consent_epoch=0,
        history=tuple(
            HistoryEntry(
                at=now - kind.age,
                happening=Happening.ROTATED if generation > 1 else Happening.ISSUED,
                generation=generation,
                address="203.0.113.77",
                agent=AGENT,
            )
            for generation in happened
        )[-HISTORY_LENGTH:],
    )


def tokens(kind: Kind, secret: str, *, count: int, of: int, now: int, seed: int = 0) -> list[str]:
    """Return the refresh tokens of some grants, drawn from the first `of`."""
    sealer = Sealer([secret.encode()])
    numbers = random.Random(seed).sample(range(of), count)  # noqa: S311 - which ones does not matter
    return [seal_refresh_token(grant(kind, number, now), sealer) for number in numbers]


def fill(database: str, kind: Kind, count: int, *, now: int | None = None, start: int = 0) -> float:
    """Add grants `start` to `start + count` to a migrated database, a path or a URL; return the seconds it took."""
    begun = time.monotonic()
    now = int(time.time()) if now is None else now
    if database.startswith("postgresql://"):
        _fill_postgresql(database, kind, range(start, start + count), now)
    else:
        _fill_sqlite(Path(database), kind, range(start, start + count), now)
    return time.monotonic() - begun


def _fill_sqlite(path: Path, kind: Kind, numbers: range, now: int) -> None:
    template = grant_columns(grant(kind, 0, now))
    names = list(template)
    statement = f"INSERT INTO grants ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - our names
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(60_000)
        connection.execute("PRAGMA cache_size = -1000000")
        indexes = _indexes(connection) if len(numbers) >= CHUNK else []
        with connection:
            for name, _ in indexes:
                connection.execute(f'DROP INDEX "{name}"')
        for at in range(0, len(numbers), CHUNK):
            with connection:
                connection.executemany(statement, _rows(kind, template, names, numbers[at : at + CHUNK], now))
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _indexes(connection: apsw.Connection) -> list[tuple[str, str]]:
    query = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'grants' AND sql IS NOT NULL"
    return [(str(name), str(sql)) for name, sql in connection.execute(query).fetchall()]


def _rows(
    kind: Kind, template: dict[str, str | int | None], names: list[str], numbers: range, now: int
) -> Iterator[list[str | int | None]]:
    """Make rows by changing what differs: the rest, JSON among it, is the same for all of a kind."""
    places = {name: names.index(name) for name in ("grant_id", "secret", "subject")}
    times = [names.index(name) for name in ("auth_time", "created_at", "rotated_at", "used_at")]
    for number in numbers:
        row = list(template.values())
        row[places["grant_id"]] = _text(kind, "id", number)
        row[places["secret"]] = _text(kind, "secret", number)
        row[places["subject"]] = kind.subject or f"user-{number}"
        for place in times:
            row[place] = now - kind.age - number % SPREAD
        yield row


def _fill_postgresql(url: str, kind: Kind, numbers: range, now: int) -> None:
    columns: dict[str, str | int | None] = grant_columns(grant(kind, 0, now))
    values = {name: _literal(value) for name, value in columns.items()}
    values["grant_id"], values["secret"] = (_digest_sql(kind, what) for what in ("id", "secret"))
    values["subject"] = _literal(kind.subject) if kind.subject else "'user-' || n"
    for name in ("auth_time", "created_at", "rotated_at", "used_at"):
        values[name] = f"{now - kind.age} - n % {SPREAD}"
    large = len(numbers) >= CHUNK
    query = (
        "SELECT indexname || '|' || indexdef FROM pg_indexes WHERE tablename = 'grants' AND indexname <> 'grants_pkey'"
    )
    indexes = [line.partition("|") for line in run_sql(url, query).splitlines()] if large else []
    run_sql(url, "".join(f"DROP INDEX {name};" for name, _, _ in indexes) or "SELECT 1")
    for at in range(0, len(numbers), CHUNK):
        part = numbers[at : at + CHUNK]
        run_sql(
            url,
            f"INSERT INTO grants ({', '.join(values)}) SELECT {', '.join(values.values())} "  # noqa: S608 - our own values
            f"FROM generate_series({part.start}::bigint, {part.stop - 1}) AS n",
        )
    run_sql(url, "".join(f"{definition};" for _, _, definition in indexes) or "SELECT 1")
    run_sql(url, "VACUUM ANALYZE grants")
    run_sql(url, "CHECKPOINT")


def _literal(value: str | int | None) -> str:
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def _digest(kind: Kind, what: str, number: int) -> bytes:
    return sha256(f"{kind.name} {what} {number}".encode()).digest()[:16]


def _text(kind: Kind, what: str, number: int) -> str:
    return urlsafe_b64encode(_digest(kind, what, number))[:22].decode()


def _digest_sql(kind: Kind, what: str) -> str:
    digest = f"substring(sha256(convert_to({_literal(f'{kind.name} {what} ')} || n, 'UTF8')) for 16)"
    return f"rtrim(translate(encode({digest}, 'base64'), '+/', '-_'), '=')"


def aged(kind: Kind, seconds: int) -> Kind:
    """Return the same kind, made longer ago: dead, if it is long enough."""
    return replace(kind, name=f"{kind.name} aged {seconds}", age=seconds)
