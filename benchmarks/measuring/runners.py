"""The same application on several HTTP servers, so that the one to use can be chosen by measurement."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from measuring.contenders.contender import (
    CLIENT_CREDENTIALS,
    DISCOVERY,
    REFRESH,
    basic,
    client_credentials_call,
    discovery_call,
)
from measuring.contenders.everbearer import KINDS, METADATA, TOKEN, Installation, install
from measuring.filling import fill
from measuring.load import Target
from measuring.paths import PEERS, PYTHON, WORK
from measuring.processes import NotStarted, answers, running
from measuring.rounds import Pace, in_turns
from measuring.setup import say

PLAN = ((REFRESH, 16), (REFRESH, 64), (CLIENT_CREDENTIALS, 16), (DISCOVERY, 16))
APPLICATION = "everbearer.server.app:create"


def _uvicorn(port: int, workers: int) -> list[str]:
    how = ["--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log", "--no-server-header"]
    return ["uvicorn", "--factory", APPLICATION, "--port", str(port), "--workers", str(workers), *how]


def _granian(port: int, workers: int, interface: str, *application: str) -> list[str]:
    how = [
        "--loop",
        "uvloop",
        "--http",
        "1",
        "--no-ws",
        "--runtime-mode",
        "st",
        "--no-access-log",
        "--backpressure",
        "512",
    ]
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    return ["granian", "--interface", interface, *where, *how, *application]


def commands(port: int) -> dict[str, list[str]]:
    """Return how each runner is started, by its name."""
    found: dict[str, list[str]] = {}
    for workers in (1, 2):
        found[f"everbearer-{workers}"] = ["everbearer", "serve"]
        found[f"uvicorn-{workers}"] = _uvicorn(port, workers)
        found[f"granian-asgi-{workers}"] = _granian(port, workers, "asgi", "--factory", APPLICATION)
        adapter = ["--working-dir", str(PEERS / "runners"), "rsgi:application"]
        found[f"granian-rsgi-{workers}"] = _granian(port, workers, "rsgi", *adapter)
    return found


def compare_runners(pace: Pace) -> dict[str, Any]:
    """Measure the application on each runner and return what came of it, as it stands in the results file."""
    absent: dict[str, str] = {}
    measured: list[dict[str, Any]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=WORK, prefix="runners-")))
        targets: dict[str, Target] = {}
        for name in commands(0):
            try:
                targets[name] = stack.enter_context(_serving(folder, name, pace))
            except NotStarted as error:
                absent[name] = str(error)
                say(f"{name} is not measured: {error}")
        for load, connections in PLAN:
            samples, failed = in_turns(targets, load, connections=connections, pace=pace)
            absent |= {f"{name}: {load}": reason for name, reason in failed.items()}
            taken = {name: [asdict(sample) for sample in every] for name, every in samples.items()}
            measured.append({"load": load, "connections": connections, "samples": taken})
    return {"measured": measured, "absent": absent, "pace": asdict(pace)}


def duration(pace: Pace) -> float:
    """Return how many seconds measuring will take."""
    return len(commands(0)) * len(PLAN) * pace.rounds * pace.turn


@contextmanager
def _serving(folder: Path, name: str, pace: Pace) -> Iterator[Target]:
    own = folder / name
    own.mkdir()
    say(f"starting {name}")
    installation = install(own, workers=int(name.rpartition("-")[2]))
    _declare(installation)
    now, count = int(time.time()), pace.rounds * sum(connections for load, connections in PLAN if load == REFRESH)
    fill(installation.database, KINDS[REFRESH], count, now=now)
    with running(
        _command(name, installation.port),
        folder=own,
        name=name,
        environ={**installation.environ, "EVERBEARER_CONFIG": str(own / "everbearer.toml")},
        ready=lambda: answers(f"http://127.0.0.1:{installation.port}/readyz"),
    ) as started:
        calls = {
            REFRESH: installation.refresh(KINDS[REFRESH], count=count, of=count, now=now),
            CLIENT_CREDENTIALS: client_credentials_call(TOKEN, basic("machine", installation.client_secret)),
            DISCOVERY: discovery_call(METADATA),
        }
        yield Target(port=installation.port, server=[started.pid], calls=calls)


def _command(name: str, port: int) -> Sequence[str]:
    program, *arguments = commands(port)[name]
    return [str(PYTHON.with_name(program)), *arguments]


def _declare(installation: Installation) -> None:
    """Let `everbearer serve` make what is declared and the keys, as a runner of its own would not."""
    environ: Mapping[str, str] = installation.environ
    with running(
        installation.command("serve"),
        folder=installation.folder,
        name="once",
        environ=environ,
        ready=lambda: answers(f"http://127.0.0.1:{installation.port}/readyz"),
    ):
        pass
