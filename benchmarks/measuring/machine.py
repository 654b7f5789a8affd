"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from measuring.contenders.contender import cores
from measuring.paths import PYTHON, ROOT, WORK

FLUSHES = 200
PACKAGES = (
    "apsw",
    "asyncpg",
    "authlib",
    "cryptography",
    "django",
    "django-oauth-toolkit",
    "flask",
    "granian",
    "gunicorn",
    "psycopg",
    "uvicorn",
    "uvloop",
)


def describe() -> dict[str, object]:
    """Return what a reader must know of the machine."""
    return {
        "processor": _processor(),
        "cores": cores(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "system": _system(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "commit": _said("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"),
        "postgresql": _said("psql", "--version").removeprefix("psql (PostgreSQL) "),
        "packages": _packages(),
        "flush_ms": flush_ms(WORK),
    }


def flush_ms(folder: Path) -> float:
    """Return how long the disk takes, at the median, to keep 8 KiB for good (fdatasync)."""
    taken: list[float] = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(FLUSHES):
            begun = time.perf_counter()
            file.write(os.urandom(8192))
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - begun)
    return round(1000 * statistics.median(taken), 3)


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _system() -> str:
    try:
        found = platform.freedesktop_os_release()
    except OSError:
        return platform.system()
    return found.get("PRETTY_NAME", platform.system())


def _packages() -> dict[str, str]:
    if not PYTHON.exists():
        return {}
    code = f"from importlib.metadata import version\nfor name in {PACKAGES!r}: print(name, version(name))"
    return dict(line.split(" ", 1) for line in _said(str(PYTHON), "-c", code).splitlines())


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout.strip()
    except OSError:
        return ""
