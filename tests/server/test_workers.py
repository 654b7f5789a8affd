"""Several processes at one socket: one that dies is replaced, and one that cannot start stops the server."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from everbearer.server.running.workers import _hashing_turns
from server_process import ServerProcess, free_port, running_server

ENOUGH = 120


def children(server: ServerProcess) -> set[int]:
    """Return the worker processes, by what Linux tells."""
    listed = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text("ascii").split()
    found = set[int]()
    for pid in map(int, listed):
        # One that has died may be gone meanwhile.
        with suppress(OSError):
            # One that was spawned comes with a process that counts what they share.
            if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(pid)
    return found


def workers_told(port: int) -> str:
    """Return what the metrics say, nothing while no worker has answered in time."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=ENOUGH).text
    return next((line for line in text.splitlines() if line.startswith("everbearer_workers ")), "")


def test_a_worker_that_was_killed_is_replaced(tmp_path: Path) -> None:
    assert Path("/proc/self/task").exists(), "this test needs Linux, which tells the children of a process"
    port = free_port()
    with running_server(tmp_path, f"workers = 2\n[metrics]\nenabled = true\nport = {port}\n") as server:
        before = children(server)
        os.kill(min(before), signal.SIGKILL)
        deadline = time.monotonic() + ENOUGH
        while len(children(server) - before) < 1 or workers_told(port) != "everbearer_workers 2":
            assert time.monotonic() < deadline, server.told()
            time.sleep(0.1)

        assert len(before) == 2
        assert httpx.get(f"{server.issuer}/readyz", timeout=ENOUGH).status_code == 200
    assert "a worker has died and is replaced" in server.told()
    assert server.process.returncode == 0


@pytest.mark.parametrize(("cores", "turns"), [(1, 1), (2, 1), (8, 7)])
def test_one_core_is_left_free_of_hashing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cores: int, turns: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))

    assert len({turn for turn in _hashing_turns(tmp_path) if turn.is_file()}) == turns
