"""The documentation: its links lead somewhere, the commands it names exist, and its snippets can be read."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from everbearer.server.cli import app
from everbearer.server.config.file import check_types
from everbearer.server.config.reading import Reading, prepare
from everbearer.server.config.words import config_type

ROOT = Path(__file__).parents[2]
_LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],  # noqa: S607 - whichever git there is
    cwd=ROOT,
    capture_output=True,
    check=True,
    text=True,
).stdout
PAGES = sorted(name for name in _LISTED.splitlines() if (ROOT / name).is_file())
EVERBEARER = typer.main.get_command(app)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_INLINE_COMMAND = re.compile(r"`(everbearer [^`]*)`")


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def fences(page: str, *languages: str) -> Iterator[str]:
    return (code for language, code in _FENCE.findall(text_of(page)) if language in languages)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as forges make them."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: str) -> list[str]:
    broken: list[str] = []
    for link in _LINK.findall(_FENCE.sub("", text_of(page))):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def commands(page: str) -> Iterator[list[str]]:
    """Yield the words of every `everbearer` command that a page names."""
    shell = "\n".join(fences(page, "sh")).replace("\\\n", " ")
    lines = [
        line[line.index("everbearer ") :] for line in shell.splitlines() if re.search(r"(^|/|-m )everbearer ", line)
    ]
    for command in [*lines, *_INLINE_COMMAND.findall(_FENCE.sub("", text_of(page)))]:
        yield shlex.split(command.replace("…", ""), comments=True)[1:]


def problem(words: list[str]) -> str:
    """Return what is wrong with a command; empty where nothing is."""
    command: Any = EVERBEARER
    rest = list(words)
    while rest and not rest[0].startswith("-") and hasattr(command, "commands"):
        name = rest.pop(0)
        if name not in command.commands:
            return f"there is no command {name}"
        command = command.commands[name]
    options = {option for each in command.params for option in each.opts} | {"--help"}
    unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in options]
    return f"there is no option {unknown[0]}" if unknown else ""


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    assert broken_links(page) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_names_exists(page: str) -> None:
    problems = {" ".join(words): problem(words) for words in commands(page)}

    assert {words: found for words, found in problems.items() if found} == {}


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_a_page_compiles(page: str) -> None:
    trees = [ast.parse(code) for code in fences(page, "python")]

    assert all(tree.body for tree in trees)


@pytest.mark.parametrize("page", PAGES)
def test_the_settings_that_a_page_shows_are_taken(page: str) -> None:
    reading = Reading(source=page, folder=ROOT)
    for code in fences(page, "toml"):
        check_types(prepare(tomllib.loads(code), config_type(), reading, ""), reading, lambda key: key)

    assert reading.problems == []


@pytest.mark.parametrize("page", PAGES)
def test_the_shell_and_the_json_of_a_page_can_be_read(page: str) -> None:
    shells = [subprocess.run(["bash", "-n"], input=code, text=True, check=False) for code in fences(page, "sh")]  # noqa: S607 - whichever bash there is
    for code in fences(page, "json"):
        json.loads(code)

    assert [shell.returncode for shell in shells if shell.returncode] == []


def test_the_decisions_are_all_listed() -> None:
    decisions = {path.name for path in (ROOT / "docs/adr").glob("*.md")}

    assert {Path(link).name for link in _LINK.findall(text_of("docs/index.md")) if link.startswith("adr/")} == decisions


@pytest.mark.parametrize("name", ["README.md", "docs/how-refresh-works.md", "docs/operations.md"])
def test_pages_that_show_commands_are_seen_to(name: str) -> None:
    assert list(commands(name))
