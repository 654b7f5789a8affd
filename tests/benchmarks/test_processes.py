"""Servers are ended with all their children, and what they used is counted."""

from __future__ import annotations

import importlib
import os
import sys
import time
from pathlib import Path

import pytest

processes = importlib.import_module("measuring.processes")
accounting = importlib.import_module("measuring.accounting")

PARENT = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def test_a_server_is_ended_with_its_children(tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"{PARENT}; time.sleep(600)"]
    with processes.running(command, folder=tmp_path, name="parent", ready=lambda: True) as started:
        deadline = time.monotonic() + 120
        while len(accounting.tree([started.pid])) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        family = accounting.tree([started.pid])

        assert len(family) == 2
        assert accounting.memory_mb(family) > 0

    # Whom the kernel is told to kill is gone a moment later.
    while any(is_running(pid) for pid in family) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(is_running(pid) for pid in family)


def test_a_server_that_ends_at_once_is_told_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('the port is taken')"]

    with (
        pytest.raises(processes.NotStarted, match="the port is taken"),
        processes.running(command, folder=tmp_path, name="server", ready=lambda: False),
    ):
        pass


def test_cpu_is_counted() -> None:
    before = accounting.usage([os.getpid()], [])
    while accounting.usage([os.getpid()], []).server - before.server < 30:
        sum(range(10_000))
    used = accounting.usage([os.getpid()], []).since(before)

    assert used.server >= 30
    assert used.machine > 0
