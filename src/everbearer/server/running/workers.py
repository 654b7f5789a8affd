"""Several processes that answer at one socket, and the one that sees to them.

The first are forks of it, which share what it has loaded: that takes longest of all in a start. It then has no thread
but this one. Later it may have, that of the metrics, so one that takes the place of another begins from nothing.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext, ForkProcess, SpawnContext, SpawnProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from types import FrameType
from typing import Self

from everbearer.server.running.serving import FAILED, GRACE, LINGER, Job, load, serve_as_worker

LOOK_EVERY = 0.1
"""Seconds between two looks at whether the server has been told to stop."""
TOO_SOON = 5
"""Seconds. A process that gives up younger than that would give up again; the whole server stops."""
SLACK = 5
"""Seconds beyond what its requests may take after which a process that was told to stop is killed."""

log = logging.getLogger("everbearer")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worker:
    process: ForkProcess | SpawnProcess
    leash: Connection
    """Brings the worker its job, and is closed with this process, which tells the worker of its end."""
    started_at: float
    """By the monotonic clock: when it was given its job, or began to wait for one."""


class Workers:
    """A number of processes, started as this is entered, and kept alive by `run` until the server is told to stop.

    Until then they wait for their job.
    """

    def __init__(self, listening: socket.socket, count: int) -> None:
        self._listening = listening
        self._count = count
        self._told = Event()
        self._waiting: list[_Worker] = []

    def __enter__(self) -> Self:
        load()
        # What is shared stays so: looking for garbage would write to it.
        gc.freeze()
        for _ in range(self._count):
            self._waiting.append(_start(get_context("fork"), self._listening, [each.leash for each in self._waiting]))
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._waiting:
            # Without a job it has nothing to finish.
            worker.leash.close()
            worker.process.join(SLACK)
            worker.process.kill()

    def run(self, job: Job) -> int:
        """Let the processes answer, and return the exit code once all have ended."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._tell)
        with TemporaryDirectory(prefix="everbearer-") as folder:
            turns = _hashing_turns(Path(folder))
            return self._run([replace(job, hashing_turn=turns[at % len(turns)]) for at in range(self._count)])

    def _run(self, jobs: Sequence[Job]) -> int:
        workers = [_begun(worker, job) for worker, job in zip(self._waiting, jobs, strict=True)]
        self._waiting = []
        failed = False
        while not (self._told.is_set() or failed):
            connection.wait([worker.process.sentinel for worker in workers], timeout=LOOK_EVERY)
            for at, worker in enumerate(workers):
                if self._told.is_set() or worker.process.is_alive():
                    continue
                if _gave_up(worker):
                    failed = True
                else:
                    workers[at] = self._replaced(worker, jobs[at])
        # Nobody may connect to a socket at which nobody answers.
        self._listening.close()
        return FAILED if _stop(workers, jobs[0].config.server.drain_delay) or failed else 0

    def _tell(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the shape of a signal handler
        self._told.set()

    def _replaced(self, worker: _Worker, job: Job) -> _Worker:
        log.error("a worker has died and is replaced", extra={"fields": {"exit_code": worker.process.exitcode}})
        worker.leash.close()
        return _begun(_start(get_context("spawn"), self._listening), job)


def _start(
    context: ForkContext | SpawnContext, listening: socket.socket, leashes: Sequence[Connection] = ()
) -> _Worker:
    """Start a process; `leashes` are those of the others."""
    ours, theirs = context.Pipe()
    # A fork has all that its parent has. While it held a leash, nobody would learn of the parent's end.
    held = [*leashes, ours] if context.get_start_method() == "fork" else []
    process = context.Process(target=serve_as_worker, args=(listening, theirs, held))
    process.start()
    theirs.close()
    return _Worker(process=process, leash=ours, started_at=time.monotonic())


def _begun(worker: _Worker, job: Job) -> _Worker:
    # One that has died is seen to be dead soon enough.
    with suppress(OSError):
        worker.leash.send(job)
    return replace(worker, started_at=time.monotonic())


def _stop(workers: Sequence[_Worker], drain_delay: int) -> bool:
    """Stop all processes; return whether one did not end well."""
    for worker in workers:
        worker.process.terminate()
    end = time.monotonic() + drain_delay + LINGER + GRACE + SLACK
    for worker in workers:
        worker.process.join(max(0.0, end - time.monotonic()))
        if worker.process.is_alive():
            log.error("a worker did not stop and is killed")
            worker.process.kill()
            worker.process.join()
    # One that was told before it could listen to that has died of it.
    return any(worker.process.exitcode not in (0, -signal.SIGTERM) for worker in workers)


def _hashing_turns(folder: Path) -> list[Path]:
    """Return the files by whose locks processes take turns at hashing: always one core is left for everything else."""
    turns = [folder / f"hashing-{number}" for number in range(max(1, len(os.sched_getaffinity(0)) - 1))]
    for turn in turns:
        turn.touch(mode=0o600)
    return turns


def _gave_up(worker: _Worker) -> bool:
    # Below 0 it was killed, which says nothing about the next one.
    gave_up = (worker.process.exitcode or 0) >= 0 and time.monotonic() - worker.started_at < TOO_SOON
    if gave_up:
        log.error("a worker could not start", extra={"fields": {"exit_code": worker.process.exitcode}})
    return gave_up
