"""Where things lie."""

from __future__ import annotations

from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
ROOT = BENCHMARKS.parent
WORK = BENCHMARKS / ".work"
"""What is set up here and thrown away; git ignores it."""
RESULTS = BENCHMARKS / "results"
PEERS = BENCHMARKS / "peers"
GENERATOR = WORK / "load"
PYTHON = WORK / "venv" / "bin" / "python"
"""The interpreter that has the peers, and Everbearer with the very versions of `requirements.lock`."""
NODE_MODULES = WORK / "node" / "node_modules"
