"""A command at a pseudo-terminal: what it asks is read, what a person types is sent, and what is shown is kept."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ENOUGH = 120
"""Seconds after which something is stuck."""


@dataclass(kw_only=True)
class Terminal:
    """The person's side of the terminal that a command runs at."""

    process: subprocess.Popen[bytes]
    side: int
    shown: str = field(default="")
    """All that was shown so far, what was typed included where the terminal echoes it."""
    _read: int = 0

    def expect(self, words: str) -> None:
        """Wait until the words are shown, after what was expected before."""
        deadline = time.monotonic() + ENOUGH
        while (at := self.shown.find(words, self._read)) < 0:
            assert time.monotonic() < deadline, f"{words!r} was not shown, but {self.shown!r}"
            assert self._more(deadline), f"{words!r} was not shown before the end, but {self.shown!r}"
        self._read = at + len(words)

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self.side, f"{text}\n".encode())

    def end(self) -> int:
        """Wait for the end of the command and return its exit code."""
        deadline = time.monotonic() + ENOUGH
        while self._more(deadline):
            pass
        return self.process.wait(ENOUGH)

    def _more(self, deadline: float) -> bool:
        ready, _, _ = select.select([self.side], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"nothing more was shown after {self.shown!r}"
        try:
            data = os.read(self.side, 4096)
        except OSError:  # Linux's way to say that nobody has the other side open any more.
            return False
        self.shown += data.decode().replace("\r\n", "\n")
        return bool(data)


@contextmanager
def at_terminal(folder: Path, *arguments: str, environ: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a command of ours in a folder, at a terminal of its own."""
    side, other = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "everbearer", *arguments],
        cwd=folder,
        env={**os.environ, **environ, "TERM": "dumb"},
        stdin=other,
        stdout=other,
        stderr=other,
        # Without a session of its own the password would be asked for at the terminal of whoever runs the tests.
        start_new_session=True,
    )
    os.close(other)
    try:
        yield Terminal(process=process, side=side)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(side)
