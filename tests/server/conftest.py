from __future__ import annotations

from pathlib import Path

import pytest

from everbearer.server.config import Config
from everbearer.server.config.file import load_config
from server.loading import Load
from server.shell import Shell


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
