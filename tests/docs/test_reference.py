"""The reference and the list of the public surface tell what the library is."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from importlib.resources import files
from typing import cast, get_args, get_type_hints

import everbearer
from api_reference import MODULES, PAGE, SURFACE, page, public, surface

RENEW = "write it anew: python tests/api_reference.py"


def test_the_reference_is_not_stale() -> None:
    assert PAGE.read_text("utf-8") == page(), RENEW


def test_the_public_surface_is_as_it_was_said_to_be() -> None:
    """Who changes it on purpose says in CHANGELOG.md what is different for applications, and writes the list anew."""
    said, found = set(SURFACE.read_text("utf-8").splitlines()), set(surface().splitlines())

    assert {"gone": sorted(said - found), "new": sorted(found - said)} == {"gone": [], "new": []}, (
        f"applications see a difference: say so in CHANGELOG.md, and {RENEW}"
    )


def test_every_public_name_says_what_it_is() -> None:
    told = {name: value.__doc__ for name, value in public(everbearer).items() if isinstance(value, type)}

    assert [name for name, text in told.items() if not text] == []


def test_what_is_public_is_in_all_and_nothing_else_is() -> None:
    code = "import everbearer; print(*sorted(n for n in vars(everbearer) if not n.startswith('_')))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout  # noqa: S603
    packages = {"http", "login", "oauth", "storage"}

    assert set(printed.split()) - packages == set(everbearer.__all__)


def test_the_names_are_sorted_so_that_merges_are_easy() -> None:
    def order(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)

    assert sorted(everbearer.__all__, key=order) == everbearer.__all__


def test_the_library_is_typed() -> None:
    assert files(everbearer).joinpath("py.typed").is_file()


def test_nothing_in_the_reference_is_of_one_process_or_machine() -> None:
    assert not re.search(r" at 0x|<function|/(?:home|tmp|usr)/", PAGE.read_text("utf-8") + SURFACE.read_text("utf-8"))


def test_every_type_that_a_public_name_mentions_is_public() -> None:
    public_names = [public(everbearer), *map(public, MODULES.values())]
    exported = {id(value) for names in public_names for value in names.values()}
    mentioned = [found for names in public_names for value in names.values() for found in mentioned_by(value)]

    assert len(mentioned) > 200
    assert sorted({f"{found.__module__}.{found.__name__}" for found in mentioned if id(found) not in exported}) == []


def mentioned_by(value: object) -> Iterator[type]:
    """Return the classes of ours in the annotations of what is public, and of its public members."""
    # Of our stores many verbs are for our server alone.
    of_a_store = isinstance(value, type) and value.__module__.startswith("everbearer.storage.")
    members = [vars(value)["__init__"]] if of_a_store else vars(value).values() if isinstance(value, type) else ()
    functions = [each.fget if isinstance(each, property) else each for each in (value, *members)]
    for each in functions:
        if inspect.isfunction(each) and (not each.__name__.startswith("_") or each.__name__ == "__init__"):
            with suppress(NameError):  # Flask hides from whoever runs it what its own types are made of
                yield from ours(*get_type_hints(each).values())
    if is_dataclass(value) and isinstance(value, type):
        told = get_type_hints(value)
        yield from ours(*(told[each.name] for each in fields(value) if each.init and not each.name.startswith("_")))


def ours(*annotations: object) -> Iterator[type]:
    """Return the classes of ours in annotations, however deep."""
    for each in annotations:
        inside: list[object] = list(get_args(each)) if not isinstance(each, list) else cast("list[object]", each)
        yield from ours(*inside)
        if isinstance(each, type) and each.__module__.startswith("everbearer."):
            yield each
