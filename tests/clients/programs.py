"""Programs of other languages that act as clients: they say things as lines of JSON, and are answered in lines."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PATIENCE = 120
"""Seconds that a program may take to end once it has nothing more to ask."""


class Program:
    """A running program and what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def hear(self) -> dict[str, Any]:
        """Return the next thing that the program says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the client gave up:\n{self._complaints()}")
        said: dict[str, Any] = json.loads(line)
        return said

    def tell(self, text: str) -> None:
        """Answer the program in one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()

    def _complaints(self) -> str:
        assert self._process.stderr is not None
        self._process.wait(PATIENCE)
        return self._process.stderr.read()


@contextmanager
def running(command: list[str], environ: Mapping[str, str]) -> Iterator[Program]:
    """Run a program until the block is left."""
    with subprocess.Popen(  # noqa: S603 - our own programs
        command,
        cwd=HERE,
        env={**os.environ, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Program(process)
        finally:
            process.terminate()


def interpreter(name: str) -> str:
    """Return the path of an interpreter; tests that need it fail where it is missing."""
    path = shutil.which(name)
    assert path is not None, f"{name} is not installed; `make test` says what these tests need"
    return path


def node(script: str) -> list[str]:
    """Return the command that runs a script by Node with the packages of this folder."""
    for package in json.loads((HERE / "package.json").read_text(encoding="utf-8"))["devDependencies"]:
        assert (HERE / "node_modules" / package).is_dir(), f"{package} is not installed: run npm ci in tests/clients"
    return [interpreter("node"), str(HERE / script)]
