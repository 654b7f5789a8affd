"""`everbearer serve`, in a process that kills itself at a named step around one verb of the store.

`HEART_KILL_VERB` names the verb and `HEART_KILL_AT` the step: what the kernel's killer may do at any time.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from everbearer.server.cli import main
from everbearer.storage.sql import grants
from everbearer.storage.sql import store as sql_store
from everbearer.storage.sql.store import SqlStore
from everbearer.storage.sqlite import SQLiteStore
from everbearer.storage.sqlite.connection import SQLiteConnection

BEFORE = "before it is asked for"
INSIDE = "inside its transaction"
COMMITTING = "as its transaction is committed"
AFTER = "after it is kept, before the answer"
STEPS = (BEFORE, INSIDE, COMMITTING, AFTER)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(verb: str, step: str) -> None:
    """Let the process die at a step of the verb."""
    ran: list[str] = []
    function = _inside(getattr(grants, verb), step, ran)
    setattr(grants, verb, function)
    # SQLite has a way of its own for spends, at whose end the function of the module is called; see `SpendVerb`.
    store, method = (SQLiteStore, SQLiteStore.spend) if verb == "spend" else (SqlStore, sql_store._writes(function))
    setattr(store, verb, _around(method, step))
    if step == COMMITTING:
        _watch_commits(ran)


def _inside(function: Any, step: str, ran: list[str]) -> Any:
    async def inside(transaction: Any, *args: Any, **keywords: Any) -> Any:
        outcome = await function(transaction, *args, **keywords)
        ran.append(step)
        if step == INSIDE:
            die()
        return outcome

    return inside


def _around(method: Any, step: str) -> Any:
    async def around(store: SqlStore, *args: Any, **keywords: Any) -> Any:
        if step == BEFORE:
            die()
        outcome = await method(store, *args, **keywords)
        if step == AFTER:
            die()
        return outcome

    return around


def _watch_commits(ran: list[str]) -> None:
    opened = SQLiteConnection._open

    def committing() -> bool:
        if ran:
            die()
        return False

    def watched(connection: SQLiteConnection, path: Path) -> Any:
        database = opened(connection, path)
        database.set_commit_hook(committing)
        return database

    setattr(SQLiteConnection, "_open", watched)  # noqa: B010 - a plain assignment would not be typed


if __name__ == "__main__":
    arm(os.environ["HEART_KILL_VERB"], os.environ["HEART_KILL_AT"])
    main()
