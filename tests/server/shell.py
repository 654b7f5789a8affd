"""A folder with a configuration and a real SQLite file, in which commands run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from typer.testing import CliRunner

from everbearer.server.cli import app
from everbearer.storage.sqlite import SQLiteStore

T = TypeVar("T")

SECRET = "Zr8-q1ZbT0vXn4kPq7Lw2aYc5eHd9sJu"
PASSWORD = "a long enough phrase"


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """A folder with a configuration, in which commands run and whose store can be looked into."""

    folder: Path

    def run(self, *arguments: str, stdin: str = "", **environ: str) -> Result:
        env = {"EVERBEARER_SECRET": SECRET, **environ}
        result = CliRunner().invoke(app, list(arguments), input=stdin, env=env)
        return Result(code=result.exit_code, out=result.stdout, err=result.stderr)

    def store(self, work: Callable[[SQLiteStore], Awaitable[T]]) -> T:
        async def opened() -> T:
            store = SQLiteStore(self.folder / "everbearer.db")
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(opened())
