"""The suite of `everbearer.testing` notices each thing that a store does wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from storage.broken_stores import BROKEN

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def failed() -> str:
    """Run the suite against every broken store once, and return the names of the tests that failed."""
    without = (f"-pno:{plugin}" for plugin in ("randomly", "cacheprovider", "faker", "anyio"))
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no", *without, "storage/broken_stores.py"]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)  # noqa: S603

    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("store", [name for name in BROKEN if name != "Sound"])
def test_the_suite_notices(failed: str, store: str) -> None:
    assert re.search(rf"^FAILED .*\[(?:.*-)?{store}(?:-.*)?\]", failed, re.MULTILINE)


def test_a_sound_store_passes(failed: str) -> None:
    assert not re.search(r"\[(?:.*-)?Sound(?:-.*)?\]|^ERROR", failed, re.MULTILINE)
