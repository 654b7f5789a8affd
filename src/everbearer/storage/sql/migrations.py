"""The schema's versions: SQL files beside the stores, each applied once, in the order of their names."""

from __future__ import annotations

import time
from functools import cache
from importlib.resources import files

from everbearer.oauth.errors import StoreUnavailable
from everbearer.storage.sql.transaction import Transaction

BEGIN_HISTORY = "CREATE TABLE IF NOT EXISTS migrations (name TEXT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)"
APPLIED = "SELECT name FROM migrations"
RECORD_MIGRATION = "INSERT INTO migrations (name, applied_at) VALUES (:name, :applied_at)"

# Writes without changing anything, which fails where a disk is full or read-only.
TOUCH = "UPDATE migrations SET applied_at = applied_at RETURNING name"


POSTGRESQL_ALONE = "-- PostgreSQL alone\n"
"""From this line on, a migration is not for SQLite."""


@cache
def migrations(*, postgresql: bool = False) -> dict[str, str]:
    """Return the text of each migration by its name, in order: what both databases run, or all of it."""
    folder = files("everbearer.storage").joinpath("migrations")
    found = {entry.name.removesuffix(".sql"): entry for entry in folder.iterdir() if entry.name.endswith(".sql")}
    texts = {name: found[name].read_text("utf-8") for name in sorted(found)}
    return texts if postgresql else {name: text.partition(POSTGRESQL_ALONE)[0] for name, text in texts.items()}


async def pending_migrations(transaction: Transaction) -> list[str]:
    """Return the names of those not applied."""
    await transaction.run(BEGIN_HISTORY)
    applied = {name for (name,) in await transaction.run(APPLIED)}
    return [name for name in migrations() if name not in applied]


async def apply_next(transaction: Transaction, *, postgresql: bool = False) -> str | None:
    """Apply the first that is not, and return its name."""
    pending = await pending_migrations(transaction)
    if not pending:
        return None
    for statement in statements(migrations(postgresql=postgresql)[pending[0]]):
        await transaction.run(statement)
    await transaction.run(RECORD_MIGRATION, name=pending[0], applied_at=int(time.time()))
    return pending[0]


async def ping(transaction: Transaction) -> None:
    """Write.

    Raises:
        StoreUnavailable: no migration has run.

    """
    if not await transaction.run(TOUCH):
        raise StoreUnavailable("the schema is missing: run the migrations")


def statements(text: str) -> list[str]:
    """Return the statements of a migration, whose comments and literals hold no semicolon at a line's end."""
    lines = [line.partition("--")[0].rstrip() for line in text.splitlines()]
    return [statement.strip() for statement in "\n".join(lines).split(";\n") if statement.strip()]
