"""The examples are typed as a strict application would be: whoever copies one has no hole to fill."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["embedding", "fastapi", "flask", "litestar", "starlette"])
def test_an_example_is_typed_strictly(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = tmp_path_factory.getbasetemp() / "types"
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}", "app.py"]
    checked = subprocess.run(command, cwd=EXAMPLES / name, capture_output=True, text=True, check=False)  # noqa: S603

    assert checked.returncode == 0, checked.stdout
