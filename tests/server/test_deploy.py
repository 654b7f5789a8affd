"""The files to deploy with: what they name exists, and what they promise (no root, pinned packages) they keep."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import typer.main

from everbearer.server.cli import app

ROOT = Path(__file__).parents[2]
UNIT = (ROOT / "deploy/everbearer.service").read_text("utf-8")
DOCKERFILE = re.sub(r" *\\\n +", " ", (ROOT / "deploy/Dockerfile").read_text("utf-8"))
STEPS = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
PINNED = re.compile(r"^([a-z0-9-]+)(?:\[[a-z]+\])?==(\S+)", re.MULTILINE)


def settings_of(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def steps(word: str) -> list[str]:
    return [rest for first, rest in STEPS if first == word]


def packages(name: str) -> dict[str, str]:
    return dict(PINNED.findall((ROOT / name).read_text("utf-8")))


def test_the_unit_runs_a_command_that_exists() -> None:
    (command,) = settings_of(UNIT)["ExecStart"]
    program, verb, option, _ = command.split()
    group = typer.main.get_command(app)

    assert program == "/opt/everbearer/bin/everbearer"
    assert option in {name for each in group.commands[verb].params for name in each.opts}  # type: ignore[attr-defined] # a group


def test_the_unit_tells_the_first_process_alone_to_stop() -> None:
    settings = settings_of(UNIT)

    assert settings["KillMode"] == ["mixed"]
    assert int(settings["TimeoutStopSec"][0]) >= 30


def test_the_unit_runs_without_root_and_with_nothing_to_gain() -> None:
    settings = settings_of(UNIT)

    assert settings["User"] == ["everbearer"]
    assert settings["CapabilityBoundingSet"] == settings["AmbientCapabilities"] == [""]
    assert settings["NoNewPrivileges"] == ["yes"]
    assert settings["ProtectSystem"] == ["strict"]
    assert settings["UMask"] == ["0077"]


def test_the_unit_lets_the_hashing_of_passwords_give_way() -> None:
    # What is forbidden before is allowed after, in the order of the lines.
    assert settings_of(UNIT)["SystemCallFilter"][-1] == "sched_setscheduler"


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    assert program is not None, "systemd-analyze is missing: apt-get install systemd"
    unit = tmp_path / "everbearer.service"
    # The user and the program are not there on a machine that only tests.
    unit.write_text(
        re.sub(r"(?m)^(User|Group)=.*$", r"\1=root", UNIT).replace("/opt/everbearer/bin/everbearer", "/bin/true")
    )

    done = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, check=False)  # noqa: S603 - systemd's own

    assert (done.returncode, [line for line in done.stderr.splitlines() if str(unit) in line]) == (0, [])


def test_the_image_runs_without_root() -> None:
    assert [words[0] for words in STEPS][-1] == "CMD"
    assert steps("USER") == ["10001"]
    assert STEPS.index(["USER", "10001"]) > max(at for at, (word, _) in enumerate(STEPS) if word in {"FROM", "RUN"})


def test_the_image_is_made_of_named_versions() -> None:
    assert [re.fullmatch(r"python:3\.\d+-slim-\w+( AS build)?", image) is not None for image in steps("FROM")] == [
        True
    ] * 2
    installs = re.findall(r"pip install [^&]*", DOCKERFILE)
    assert len(installs) == 3
    assert all("--require-hashes" in install or "--no-deps" in install for install in installs)
    assert steps("ADD") == []


def test_the_image_is_made_of_files_that_are_there_and_are_let_in() -> None:
    allowed = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    copied = [name for copy in steps("COPY") if "--from" not in copy for name in copy.split()[:-1]]

    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert [name for name in copied if not any(Path(name).match(pattern) for pattern in allowed)] == []


def test_no_secret_is_in_the_image() -> None:
    assert re.findall(r"(?i)\b(?:env|arg)\b[^\n]*secret", re.sub(r"(?m)^#.*$", "", DOCKERFILE)) == []


def test_what_is_deployed_is_what_is_tested() -> None:
    tested, deployed = packages("requirements.lock"), packages("deploy/requirements.lock")

    assert {"apsw", "uvloop", "cryptography"} <= deployed.keys()
    assert deployed.items() <= tested.items()


def test_what_is_deployed_has_no_tools_for_tests() -> None:
    assert packages("deploy/requirements.lock").keys() & {"pytest", "mypy", "ruff", "playwright", "hypothesis"} == set()
