"""What commands print: tables for people, JSON for programs, errors to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn, TypeAlias

import typer

from everbearer.server.config.reading import is_list

USAGE = 2
"""The exit code where the command or the configuration is wrong."""
FAILED = 1
"""The exit code where the command was right and could not be done."""

PlotOption: TypeAlias = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", dir_okay=False, help="Draw it, as SVG, into this file.")
]


def fail(*lines: str, code: int = FAILED) -> NoReturn:
    """Tell what is wrong on standard error and exit."""
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201 - a command line prints
    raise typer.Exit(code)


def warn(line: str) -> None:
    """Tell something on standard error and go on."""
    print(line, file=sys.stderr)  # noqa: T201 - a command line prints


def say(line: str) -> None:
    """Print a line for people."""
    print(line, flush=True)  # noqa: T201 - a command line prints


def say_json(value: object) -> None:
    """Print a value for programs, on one line."""
    print(json.dumps(value, ensure_ascii=False, default=list), flush=True)  # noqa: T201 - a command line prints


def say_table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, otherwise: str) -> None:
    """Print rows in aligned columns, or a sentence where there are none."""
    lines = [list(headings), *([str(cell) for cell in row] for row in rows)]
    if len(lines) == 1:
        say(otherwise)
        return
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def say_columns(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of figures: the first column begins on the left, the others end on the right."""
    lines = [list(headings), *rows]
    widths = [max(len(each[column]) for each in lines) for column in range(len(headings))]
    for name, *cells in lines:
        say(
            "  ".join(
                (name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)))
            )
        )


def say_members(members: Mapping[str, object]) -> None:
    """Print names and values of one thing, aligned; what is empty is left out."""
    shown = {name: value for name, value in members.items() if value not in (None, "", (), [], {})}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        say(f"{name.ljust(width)}  {_text(value)}")


def _text(value: object) -> str:
    if is_list(value):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | dict) else str(value)


def moment(at: int | None) -> str:
    """Return a point in time for people, in UTC; empty for none."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def print_version(wanted: bool) -> None:  # noqa: FBT001 - the shape of an option's callback
    """Print the version and exit, if that is wanted."""
    if wanted:
        say(f"everbearer {version('everbearer')}")
        raise typer.Exit


def write_plot(file: Path, svg: str) -> None:
    """Write what `--plot` asks for, or fail."""
    try:
        file.write_text(svg, "utf-8")
    except OSError as error:
        fail(f"--plot {file}: {error.strerror}", code=FAILED)
