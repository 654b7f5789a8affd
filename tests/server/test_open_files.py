"""A server whose limit of open files is reached lets people wait, and does not spin."""

from __future__ import annotations

import resource
import time
from contextlib import suppress
from pathlib import Path

import httpx

from server_process import running_server

ENOUGH = 120
"""Seconds after which something is stuck."""


def lowest_free(pid: int) -> int:
    """Return the number that the next file would have that a process opens."""
    opened = {int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir()}
    return next(number for number in range(len(opened) + 1) if number not in opened)


def test_who_connects_when_no_file_can_be_opened_is_answered_when_one_can(tmp_path: Path) -> None:
    with running_server(tmp_path, "") as server:
        pid = server.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        deadline = time.monotonic() + ENOUGH
        while "limit of open files" not in server.told():
            assert time.monotonic() < deadline
            # Anew each time: a connection from before may have been closed only now.
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free(pid), before[1]))
            with suppress(httpx.TimeoutException):
                httpx.get(f"{server.issuer}/readyz", timeout=0.2)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)

        assert httpx.get(f"{server.issuer}/readyz", timeout=ENOUGH).status_code == 200
        assert server.told().count("limit of open files") < 30
