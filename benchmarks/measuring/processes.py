"""Servers as child processes, each with a process group of its own, ended by that group and nothing else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

START_PATIENCE = 90
STOP_PATIENCE = 15


class NotStarted(Exception):
    """A server did not get ready; the message ends with its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A running server: the root of a tree of processes, and its log."""

    process: subprocess.Popen[bytes]
    log: Path
    ready_after: float = 0.0
    """Seconds from start to the first answer."""

    @property
    def pid(self) -> int:
        """Return the root's process id."""
        return self.process.pid


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whom to run a program as, where not as whoever runs this."""

    uid: int
    gid: int


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    folder: Path,
    name: str,
    ready: Callable[[], bool],
    environ: Mapping[str, str] | None = None,
    account: Account | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Iterator[Started]:
    """Run a server until the block is left. `ready` is asked until it says yes.

    Raises:
        NotStarted: the server ended, or did not get ready in time.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        begun = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command],
            env={**os.environ, **(environ or {})},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    try:
        _wait_until(ready, process, log)
        yield Started(process=process, log=log, ready_after=time.monotonic() - begun)
    finally:
        _stop(process, stop_signal)


def _wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if ready():
            return
        time.sleep(0.01)
    raise NotStarted(f"{log.stem} did not get ready: {log.read_text('utf-8', 'replace')[-2000:].strip()}")


def _stop(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    # The leader was not waited for yet, so its number, and that of its group, cannot have become another's.
    if process.poll() is None:
        process.send_signal(how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_PATIENCE)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """Return a loopback port on which nothing listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Return whether a loopback URL answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - a loopback URL of ours
            return int(answer.status) == HTTPStatus.OK
    except (OSError, urllib.error.URLError):
        return False


def listens(port: int) -> bool:
    """Return whether something accepts connections on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
