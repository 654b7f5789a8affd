"""The plot of what users need: nodes, and databases by what asks for them, on logarithmic axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import log10

from everbearer.simulation.capacity import Cost, Machines, databases_for_cpu, databases_for_wal, need
from everbearer.simulation.load import Load
from everbearer.simulation.svg import curve, document, line, text

_WIDTH, _HEIGHT = 900, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 870, 76, 340
_USERS = (1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000, 100_000_000)
"""Fewer need one of each."""
_STEPS = 100
"""Points of a curve for each power of ten."""


def plot_needs(load: Load, cost: Cost, machines: Machines) -> str:
    """Return the plot as SVG."""

    def nodes(users: int) -> int:
        return need(replace(load, users=users), cost, machines).nodes

    def for_cpu(users: int) -> int:
        peak = replace(load, users=users)
        return databases_for_cpu(peak.refreshes(load.busiest) * machines.room, cost, machines)

    def for_wal(users: int) -> int:
        return databases_for_wal(replace(load, users=users), cost, machines)

    kinds: list[tuple[str, str, Callable[[int], int]]] = [
        ("a", f"nodes of {machines.node_cores} cores", nodes),
        ("b", f"databases of {machines.database_cores} cores", for_cpu),
        ("c", f"databases of {machines.wal_mb:g} MB of WAL/s", for_wal),
    ]
    curves = [(kind, words, [(each, count(each)) for each in _users()]) for kind, words, count in kinds]
    top = max(most for _, _, points in curves for _, most in points)
    title = f"What has room for {machines.room:g} times the busiest time's refreshes"
    shapes = [text(_LEFT - 30, 24, title, kind="title"), *_axes(top)]
    for number, (kind, words, points) in enumerate(curves):
        # Where two are one and the same, both are seen.
        shapes.append(curve([(_x(users), _y(count, top) - 2 * number) for users, count in points], kind))
        x = _LEFT + 20 + 230 * number
        shapes += [line(x, 48, x + 24, 48, kind), text(x + 30, 52, words)]
    return document(_WIDTH, _HEIGHT, title, shapes)


def _users() -> list[int]:
    powers = round(log10(_USERS[-1] / _USERS[0]))
    return [round(_USERS[0] * 10 ** (step / _STEPS)) for step in range(powers * _STEPS + 1)]


def _x(users: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * log10(users / _USERS[0]) / log10(_USERS[-1] / _USERS[0])


def _y(count: float, top: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * log10(count) / max(log10(top), 1.0)


def _axes(top: float) -> Iterator[str]:
    yield line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, "axis")
    yield line(_LEFT, _TOP, _LEFT, _BOTTOM, "axis")
    for users in _USERS:
        yield line(_x(users), _TOP, _x(users), _BOTTOM, "grid")
        yield text(_x(users), _BOTTOM + 18, f"{users // 1_000_000}", anchor="middle", kind="small")
    marks = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
    for count in (each for each in marks if each <= max(top, 10)):
        yield line(_LEFT, _y(count, top), _RIGHT, _y(count, top), "grid")
        yield text(_LEFT - 8, _y(count, top) + 4, f"{count:,}", anchor="end", kind="small")
    yield text((_LEFT + _RIGHT) / 2, _BOTTOM + 40, "million users", anchor="middle")
