"""`everbearer copy`: everything from one database to another."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from everbearer.oauth.errors import StoreUnavailable
from everbearer.server.cli.desk import JsonOption
from everbearer.server.cli.output import USAGE, fail, say, say_json
from everbearer.server.config.reading import ConfigError
from everbearer.server.opening import on_postgresql, open_database, shown
from everbearer.storage.copying import CannotCopy
from everbearer.storage.sqlite.copying import copy_to_sqlite


def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="An SQLite file, or postgresql://user@host/database.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The same; there must be nothing in it yet.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Copy everything from one database to another, and compare them row by row. Stop all servers of both before."""
    source, target = source.removeprefix("sqlite:///"), target.removeprefix("sqlite:///")
    if not on_postgresql(source) and not Path(source).is_file():
        fail(f"{source}: there is no such file", code=USAGE)
    try:
        copied = asyncio.run(_copy(source, target))
    except ConfigError as error:
        fail(*error.problems, code=USAGE)
    except (CannotCopy, OSError) as error:
        fail(f"nothing was copied to {shown(target)}: {error}")
    except StoreUnavailable as error:
        fail(f"nothing was copied to {shown(target)}: a database is not available: {error}")
    if as_json:
        say_json(copied)
    else:
        say(f"Copied and compared {', '.join(f'{number} {name}' for name, number in copied.items())}.")


async def _copy(source: str, target: str) -> dict[str, int]:
    from_store = open_database(source)
    try:
        if not on_postgresql(target):
            return await copy_to_sqlite(from_store, Path(target))
        # psycopg comes with an extra.
        from everbearer.storage.postgresql import PostgreSQLStore  # noqa: PLC0415
        from everbearer.storage.postgresql.copying import copy_to_postgresql  # noqa: PLC0415

        to_store = open_database(target)
        try:
            if not isinstance(to_store, PostgreSQLStore):
                raise TypeError("a URL of PostgreSQL opens a store on it")
            return await copy_to_postgresql(from_store, to_store)
        finally:
            await to_store.close()
    finally:
        await from_store.close()
