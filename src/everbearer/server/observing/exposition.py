"""From the snapshots of processes to the text that Prometheus reads (exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version

from everbearer.server.observing.metrics import FAMILIES, Family, Labels, Series, Snapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def merge(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Return the snapshot of all processes together."""
    every = list(snapshots)
    return {
        family.name: _merged(family, [row for each in every for row in each.get(family.name, ())])
        for family in FAMILIES
    }


def without_gauges(snapshot: Snapshot) -> Snapshot:
    """Return what stays true of a process that is gone: what it has counted."""
    return {family.name: snapshot.get(family.name, []) for family in FAMILIES if family.kind != "gauge"}


def text_of(snapshot: Snapshot) -> str:
    """Return a snapshot as Prometheus reads it."""
    return "\n".join([*_information(), *(line for family in FAMILIES for line in _lines(family, snapshot)), ""])


def _merged(family: Family, rows: Iterable[Series]) -> list[Series]:
    join: Callable[[Iterable[float]], float] = max if family.together == "highest" else sum
    merged: dict[Labels, list[float]] = {}
    for labels, numbers in rows:
        before = merged.get(tuple(labels))
        merged[tuple(labels)] = (
            numbers if before is None else [join(pair) for pair in zip(before, numbers, strict=True)]
        )
    return sorted(merged.items())


def _information() -> Iterator[str]:
    yield "# HELP everbearer_build_info The version that runs."
    yield "# TYPE everbearer_build_info gauge"
    yield f'everbearer_build_info{{version="{version("everbearer")}"}} 1'


def _lines(family: Family, snapshot: Snapshot) -> Iterator[str]:
    yield f"# HELP {family.name} {family.words}"
    yield f"# TYPE {family.name} {family.kind}"
    for labels, numbers in snapshot.get(family.name, ()):
        named = list(zip(family.labels, labels, strict=True))
        if family.kind == "histogram":
            yield from _buckets(family, named, numbers)
        else:
            yield f"{family.name}{_braced(named)} {_number(numbers[0])}"


def _buckets(family: Family, named: list[tuple[str, str]], numbers: Sequence[float]) -> Iterator[str]:
    count = 0.0
    for bound, within in zip([*map(_number, family.bounds), "+Inf"], numbers, strict=False):
        count += within
        yield f"{family.name}_bucket{_braced([*named, ('le', bound)])} {_number(count)}"
    yield f"{family.name}_sum{_braced(named)} {_number(numbers[-1])}"
    yield f"{family.name}_count{_braced(named)} {_number(count)}"


def _braced(named: Sequence[tuple[str, str]]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in named)
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
