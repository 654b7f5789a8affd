"""What processes used, told by /proc: CPU, memory, and what the rest of the machine did meanwhile."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """CPU milliseconds used since start: by a server, by its database, by the whole machine, and stolen from it."""

    server: float
    database: float
    machine: float
    stolen: float

    def since(self, before: Usage) -> Usage:
        """Return what was used after an earlier reading."""
        return Usage(
            server=self.server - before.server,
            database=self.database - before.database,
            machine=self.machine - before.machine,
            stolen=self.stolen - before.stolen,
        )


def usage(server: Iterable[int], database: Iterable[int]) -> Usage:
    """Return what trees of processes, given by their roots, have used."""
    machine, stolen = _machine_ms()
    return Usage(server=cpu_ms(tree(server)), database=cpu_ms(tree(database)), machine=machine, stolen=stolen)


def tree(roots: Iterable[int]) -> set[int]:
    """Return processes with all their descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def cpu_ms(pids: Iterable[int]) -> float:
    """Return the CPU time of processes: their threads', and that of children that ended."""
    return sum(sum(int(value) for value in fields[11:15]) * _TICK_MS for pid in pids if (fields := _stat(pid)))


def memory_mb(pids: Iterable[int]) -> float:
    """Return the proportional memory (PSS) of processes: pages that several share are divided among them."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+) kB", (_PROC / str(pid) / "smaps_rollup").read_text(), re.MULTILINE)
            total += int(found[1]) if found else 0
    return total / 1024


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, which may hold anything; none if the process has gone."""
    try:
        return (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(") ")[2].split()
    except OSError:
        return []


def _machine_ms() -> tuple[float, float]:
    """Return how long the processors were busy, and how long the host kept them from us."""
    user, nice, system, _idle, _waiting, irq, softirq, steal = (
        int(value) for value in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + softirq) * _TICK_MS, steal * _TICK_MS
