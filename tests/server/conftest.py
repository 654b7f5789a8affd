from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.main
import typer.testing

from everbearer.server.config import Config
from everbearer.server.config.file import load_config
from server.loading import Load
from server.shell import Shell


@pytest.fixture(scope="session", autouse=True)
def _commands_read_once() -> Iterator[None]:
    """Have typer read the commands from their functions once: at each command it takes half the time of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.main.get_command), raising=False)
        yield


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "everbearer.toml").write_text('issuer = "https://id.example.com"\n')
    shell = Shell(folder=tmp_path)
    assert shell.run("migrate").code == 0
    return shell


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str, **environ: str) -> Config:
        path = tmp_path / "everbearer.toml"
        path.write_text(text)
        return load_config(path, environ)

    return load
