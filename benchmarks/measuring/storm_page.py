"""The section of the page that tells of refreshes beside a storm of sign-ins."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from measuring.figures import machine_line, median_of, table
from measuring.storm import ALONE, CONNECTIONS, STORMING

LABELS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
MOST = 2
"""How many times the p99 alone that beside a storm may be."""
_HEAD = ("refreshes", "a second", "p50 ms", "p99 ms", "p99 to p99 alone", "sign-ins a second", "sent away", "cores")


def storm_goals(storm: Mapping[str, Any] | None) -> list[list[str]]:
    """Return what we want beside a storm of sign-ins, and what was measured."""
    what = f"refresh, {CONNECTIONS} at once: Everbearer, {{}}, 2 workers, p99 beside sign-ins with {{}} to p99 alone"
    return [
        [what.format(LABELS[database], name), f"below {MOST}", f"{_of_alone(turns, name):.1f}"]
        for database, turns in (storm["databases"] if storm else {}).items()
        for name in turns
        if name != ALONE
    ]


def storm_sections(storm: Mapping[str, Any]) -> list[str]:
    """Return the section."""
    words = (
        f"Everbearer with two workers, refreshes {CONNECTIONS} at once, alone and while {STORMING} connections sign in "
        "with a password as fast as they are answered, in turns. Limits on sign-in are set out of reach: what bounds "
        "the storm is the hashing, on all cores but one and only when they are idle ([ADR "
        "17](adr/0017-hashing-gives-way.md)). *Cores* is the CPU of server and database. What *foreign* programs use "
        f"makes the storm look worse, for hashing takes what they leave. {machine_line(storm)}"
    )
    sections = ["## A storm of sign-ins\n", words]
    for database, turns in storm["databases"].items():
        rows = [_row(turns, name) for name in turns]
        sections += [f"### {LABELS[database]}, beside a storm\n", table([*_HEAD, "foreign %"], rows)]
    if storm["absent"]:
        sections.append("\n".join(f"- Not measured: {name}: {why}" for name, why in storm["absent"].items()) + "\n")
    return sections


def _row(turns: Mapping[str, Any], name: str) -> list[str]:
    taken = turns[name]
    refreshes = [turn["refreshes"] for turn in taken]
    return [
        name if name == ALONE else f"beside {name}",
        f"{median_of(refreshes, 'rate'):,.0f}",
        f"{median_of(refreshes, 'p50'):.1f}",
        f"{median_of(refreshes, 'p99'):.1f}",
        "" if name == ALONE else f"{_of_alone(turns, name):.1f}",
        "" if name == ALONE else f"{median_of(taken, 'checked'):.0f}",
        "" if name == ALONE else f"{median_of(taken, 'sent_away'):.0f}",
        f"{median_of(taken, 'cores'):.2f}",
        f"{median_of(refreshes, 'foreign_share'):.0f}",
    ]


def _of_alone(turns: Mapping[str, Sequence[Mapping[str, Any]]], name: str) -> float:
    pairs = zip(turns[name], turns[ALONE], strict=True)
    return float(statistics.median(turn["refreshes"]["p99"] / alone["refreshes"]["p99"] for turn, alone in pairs))
