from __future__ import annotations

from pathlib import Path

import pytest

from server.shell import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "everbearer.toml").write_text('issuer = "https://id.example.com"\n')
    shell = Shell(folder=tmp_path)
    assert shell.run("migrate").code == 0
    return shell
