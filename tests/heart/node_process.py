"""`everbearer serve` as one node of several on PostgreSQL: its clock is wrong by `HEART_CLOCK` seconds.

With `HEART_KILL_AT` it kills itself at a step around its first spend.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any

from everbearer.server.cli import main
from everbearer.storage.postgresql import PostgreSQLStore
from everbearer.storage.postgresql.connection import PostgreSQLConnection
from everbearer.storage.postgresql.spends import SPEND_TOGETHER

BEFORE = "before it is asked for"
SENT = "when it is sent, before it is answered"
AFTER = "after it is kept, before the answer"
STEPS = (BEFORE, SENT, AFTER)

_true_time = time.time


def wrong_time() -> float:
    return _true_time() + int(os.environ["HEART_CLOCK"])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(step: str) -> None:
    """Let the process die at a step."""
    spend, execute = PostgreSQLStore.spend, PostgreSQLConnection.execute

    async def around(store: PostgreSQLStore, *args: Any, **keywords: Any) -> Any:
        if step == BEFORE:
            die()
        outcome = await spend(store, *args, **keywords)
        if step == AFTER:
            die()
        return outcome

    async def sent(connection: PostgreSQLConnection, query: bytes, texts: Any = ()) -> Any:
        if step == SENT and query == SPEND_TOGETHER:
            asyncio.get_running_loop().call_soon(die)
        return await execute(connection, query, texts)

    setattr(PostgreSQLStore, "spend", around)  # noqa: B010 - a plain assignment would not be typed
    setattr(PostgreSQLConnection, "execute", sent)  # noqa: B010 - the same


if __name__ == "__main__":
    time.time = wrong_time
    arm(os.environ.get("HEART_KILL_AT", ""))
    main()
