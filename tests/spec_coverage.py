"""Write docs/spec-coverage.md out of the tests' markers: `python tests/spec_coverage.py` from the root.

The markers are read from the text of the tests, so that the page is the same whichever of them ran, and in which order.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from certification_modules import MODULES, PLANS
from refresh_token_tests import REFRESH_TOKEN_TESTS, WAITING
from specifications import NOT_SUPPORTED, SPECIFICATIONS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "spec-coverage.md"

_INTRODUCTION = """# Spec coverage

Each sentence below is the name of a test. What this server leaves out stands at the end, under
[Not supported yet](#not-supported-yet). This page is written by `python tests/spec_coverage.py`; a test fails while it
is stale.
"""


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """One test, as the page shows it, with its markers."""

    sentence: str
    specs: tuple[tuple[str, ...], ...]
    """The arguments of each `spec` marker: a document and sections of it."""
    numbers: tuple[str, ...]
    """The arguments of all its `rt` markers."""
    modules: tuple[str, ...]
    """The arguments of all its `module` markers."""


def claims(folder: Path = ROOT / "tests") -> list[Claim]:
    """Return all tests that carry a marker.

    Raises:
        ValueError: a marker is not made of plain strings, or names a specification, number or module that is not known.
    """
    found = [claim for path in sorted(folder.rglob("test_*.py")) for claim in _claims_of(path)]
    for claim in found:
        unknown = {spec[0] for spec in claim.specs} - SPECIFICATIONS.keys()
        unknown |= set(claim.numbers) - REFRESH_TOKEN_TESTS.keys()
        unknown |= set(claim.modules) - MODULES
        if unknown:
            raise ValueError(f"no such specification, number or module: {unknown} (test: {claim.sentence})")
    return sorted(found)


def page(found: Sequence[Claim]) -> str:
    """Return the page that tells of these tests."""
    parts = [_INTRODUCTION, *_specifications(found), *_refresh_tokens(found), *_plans(found), *_not_supported()]
    return "\n".join(parts) + "\n"


def missing(found: Sequence[Claim]) -> set[str]:
    """Return the numbers of the refresh token list that are neither tested nor said to wait."""
    return REFRESH_TOKEN_TESTS.keys() - WAITING.keys() - {number for claim in found for number in claim.numbers}


def missing_modules(found: Sequence[Claim]) -> set[str]:
    """Return the modules of the certification plans that no test stands for."""
    return set(MODULES) - {name for claim in found for name in claim.modules}


def _claims_of(path: Path) -> Iterator[Claim]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            specs = tuple(dict.fromkeys(_arguments(node, "spec", path)))
            numbers = tuple(number for arguments in _arguments(node, "rt", path) for number in arguments)
            modules = tuple(name for arguments in _arguments(node, "module", path) for name in arguments)
            if specs or numbers or modules:
                yield Claim(_sentence(node.name), specs, numbers, modules)


def _arguments(test: ast.FunctionDef | ast.AsyncFunctionDef, marker: str, path: Path) -> Iterator[tuple[str, ...]]:
    for decorator in test.decorator_list:
        for node in ast.walk(decorator):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"pytest.mark.{marker}":
                values = [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args]
                if not values or not all(isinstance(value, str) for value in values):
                    raise ValueError(f"{path.name}: {ast.unparse(node)} must have plain strings")
                yield tuple(str(value) for value in values)


def _sentence(name: str) -> str:
    words = name.removeprefix("test_").replace("_", " ")
    return words[:1].upper() + words[1:]


def _specifications(found: Sequence[Claim]) -> Iterator[str]:
    sections: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for claim in found:
        for document, *of_it in claim.specs:
            for section in of_it or [""]:
                sections[document][section].add(claim.sentence)
    for document in sorted(sections, key=_natural):
        title = SPECIFICATIONS[document]
        yield f"## {document}{': ' + title if title else ''}\n"
        yield "| § | Tested |\n|---|---|"
        for section in sorted(sections[document], key=_natural):
            yield from (f"| {section} | {sentence} |" for sentence in sorted(sections[document][section]))
        yield ""


def _refresh_tokens(found: Sequence[Claim]) -> Iterator[str]:
    tested: dict[str, set[str]] = defaultdict(set)
    for claim in found:
        for number in claim.numbers:
            tested[number].add(claim.sentence)
    yield "## The refresh token tests\n"
    yield "Our own list of what a refresh token must stand, in numbers that tests carry as `@pytest.mark.rt`.\n"
    yield "| Number | What | Tested by |\n|---|---|---|"
    for number, what in REFRESH_TOKEN_TESTS.items():
        by = "<br>".join(sorted(tested[number])) or f"*waits for {WAITING.get(number, 'a test')}*"
        yield f"| {number} | {what} | {by} |"
    yield ""


def _plans(found: Sequence[Claim]) -> Iterator[str]:
    tested: dict[str, set[str]] = defaultdict(set)
    for claim in found:
        for name in claim.modules:
            tested[name].add(claim.sentence)
    yield "## The certification plans\n"
    yield "The modules of the OpenID Foundation's plans, each with tests of ours that are written from the"
    yield "specifications. This server is not certified.\n"
    yield "| Plan | Module | Tested by |\n|---|---|---|"
    for plan, modules in PLANS.items():
        yield from (f"| {plan} | {name} | {'<br>'.join(sorted(tested[name]))} |" for name in modules)
    yield ""


def _not_supported() -> Iterator[str]:
    yield "## Not supported yet\n"
    yield "| What | Where specified | Refresh token tests that wait for it |\n|---|---|---|"
    for what, where in NOT_SUPPORTED.items():
        numbers = ", ".join(number for number, waits_for in WAITING.items() if waits_for == what)
        yield f"| {what} | {where} | {numbers} |"


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Return a key by which 4.2 comes before 4.14, and numbers before letters."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|[^\d.\s]+", text)]


if __name__ == "__main__":
    PAGE.write_text(page(claims()), encoding="utf-8")
