"""What other processes do in the SQLite tests: `python sqlite_process.py ACT DATABASE`; lines tell how far they are."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import apsw

sys.path.insert(0, str(Path(__file__).parent.parent))

from everbearer.storage.file_lock import FileLock
from everbearer.storage.sqlite import SQLiteStore
from storage.values import EVENT, new_grant, rotated


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def wait_for_go() -> None:
    tell("ready")
    sys.stdin.readline()


async def migrate(store: SQLiteStore, _: Path) -> None:
    wait_for_go()
    tell(" ".join(await store.migrate()) or "nothing")


async def spend(store: SQLiteStore, _: Path) -> None:
    await store.ping()
    wait_for_go()
    outcomes = await asyncio.gather(*[store.spend(rotated(new_grant()), expected=2) for _ in range(25)])
    tell(" ".join(f"{outcome.name}={number}" for outcome, number in sorted(Counter(outcomes).items(), key=str)))


async def keep(store: SQLiteStore, _: Path) -> None:
    """Store grants for ever, telling of each that is kept, until somebody kills the process."""
    number = 0
    while True:
        await store.create_grant(replace(new_grant(str(number)), created_at=number), EVENT)
        tell(str(number))
        number += 1


async def hold(_: SQLiteStore, database: Path) -> None:
    """Hold the lock between processes."""
    lock = FileLock(database.with_name(database.name + ".lock"))
    assert lock.acquire(5)
    wait_for_go()
    lock.release()
    tell("released")


async def hold_without_asking(_: SQLiteStore, database: Path) -> None:
    """Write without the lock between processes, as a database shell does."""
    connection = apsw.Connection(str(database))
    connection.execute("BEGIN IMMEDIATE")
    wait_for_go()
    connection.execute("COMMIT")
    tell("released")


async def fork(store: SQLiteStore, _: Path) -> None:
    """Use the store in a parent and its child."""
    await store.count_attempt("parent", now=0, window=10)
    status = count_in_a_child(store)
    counted = await store.count_attempt("parent", now=1, window=10)
    tell(f"{status} {counted.attempts}")


def count_in_a_child(store: SQLiteStore) -> int:
    child = os.fork()
    if child == 0:
        # The child has the parent's event loop too, and begins one of its own.
        asyncio.events._set_running_loop(None)
        asyncio.run(store.count_attempt("child", now=0, window=10))
        os._exit(0)
    return os.waitpid(child, 0)[1]


ACTS: Mapping[str, Callable[[SQLiteStore, Path], Awaitable[None]]] = {
    act.__name__: act for act in (migrate, spend, keep, hold, hold_without_asking, fork)
}


async def main(name: str, database: Path) -> None:
    store = SQLiteStore(database)
    await ACTS[name](store, database)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
