"""What `docs/capacity.md` reckons out of what was measured: the blocks between its comments, and its plot."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from everbearer.oauth.models import MINUTE
from everbearer.server.cli.simulate_load import needed
from everbearer.simulation.capacity import SIZES, Cost, Machines, need
from everbearer.simulation.capacity_plot import plot_needs
from everbearer.simulation.load import Load

from measuring.figures import machine_line, table
from measuring.weighing import COMPRESSED, PLAIN

_HEAD = ("users", "mean", "busiest", "nodes", "databases", "for", "grants, GB", "WAL, MB/s", "WAL a day, GB")
_MOST = SIZES[-1]
_HALF_AN_HOUR = 30 * MINUTE


def write_capacity(capacity: Mapping[str, Any], docs: Path) -> list[Path]:
    """Write the blocks anew, and the plot, and return the files; nothing where it could not be measured."""
    page, plot = docs / "capacity.md", docs / "images" / "capacity.svg"
    if not capacity["turns"] or not page.exists():
        return []
    page.write_text(with_blocks(page.read_text("utf-8"), capacity), "utf-8")
    plot.write_text(plot_needs(Load(), cost_of(capacity), Machines()), "utf-8")
    return [page, plot]


def with_blocks(text: str, capacity: Mapping[str, Any]) -> str:
    """Return the page with what is reckoned put between the comments that begin and end each block."""
    blocks = {"measured": _measured(capacity), "needed": _needed(capacity), "otherwise": _otherwise(capacity)}
    for name, block in blocks.items():
        around = re.compile(f"(<!-- {name}: .*? -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        # Backslashes of a block are its own.
        text = around.sub(rf"\g<1>\n{block.replace(chr(92), chr(92) * 2)}\n\g<2>", text)
    return text


def cost_of(capacity: Mapping[str, Any], name: str = PLAIN) -> Cost:
    """Return the cost of a refresh: medians of the turns, with or without `wal_compression`."""
    turns = capacity["turns"][name]
    return Cost(
        node_cpu_ms=_cpu(turns, "server_cpu"),
        database_cpu_ms=_cpu(turns, "database_cpu"),
        grant_bytes=capacity["bytes_per_grant"],
        wal_bytes=round(_median(turn["record_bytes"] / turn["count"] for turn in turns)),
        page_images=round(_median(turn["images"] / turn["count"] for turn in turns), 1),
        image_bytes=round(_median(turn["image_bytes"] / turn["images"] for turn in turns)),
    )


def _median(values: Iterable[float]) -> float:
    return float(statistics.median(values))


def _cpu(turns: Sequence[Mapping[str, Any]], name: str) -> float:
    return round(_median(turn["refreshes"][name] for turn in turns), 2)


def _measured(capacity: Mapping[str, Any]) -> str:
    cost, compressed = cost_of(capacity), cost_of(capacity, COMPRESSED)
    rows = [
        ["processor of the node, ms", f"{cost.node_cpu_ms:.2f}", "`--node-cpu-ms`"],
        ["processor of the database, ms", f"{cost.database_cpu_ms:.2f}", "`--database-cpu-ms`"],
        ["WAL, bytes, without images of pages", f"{cost.wal_bytes:,}", "`--wal-bytes`"],
        ["pages whose first touch since a checkpoint writes an image", f"{cost.page_images:.1f}", "`--page-images`"],
        ["WAL of one image, bytes", f"{cost.image_bytes:,}", "`--image-bytes`"],
        ["WAL of one image with `wal_compression`, bytes", f"{compressed.image_bytes:,}", ""],
        ["processor of the database with `wal_compression`, ms", f"{compressed.database_cpu_ms:.2f}", ""],
        ["room of a grant in table and indexes, bytes", f"{cost.grant_bytes:,}", "`--grant-bytes`"],
    ]
    lived = f"{capacity['grants']:,} grants with full histories, {capacity['hot']:.0%} of their changes within a page"
    return f"{machine_line(capacity)}\nOf {lived}:\n\n{table(['one refresh', 'measured', 'option'], rows)}"


def _needed(capacity: Mapping[str, Any]) -> str:
    cost = cost_of(capacity)
    options = {
        "--node-cpu-ms": cost.node_cpu_ms,
        "--database-cpu-ms": cost.database_cpu_ms,
        "--grant-bytes": cost.grant_bytes,
        "--wal-bytes": cost.wal_bytes,
        "--page-images": cost.page_images,
        "--image-bytes": cost.image_bytes,
    }
    words = [f"{name} {value:g}" for name, value in options.items()]
    command = f"everbearer simulate load {' '.join(words[:3])} \\\n    {' '.join(words[3:])}"
    rows = [needed(need(Load(users=users), cost, Machines())) for users in SIZES]
    return f"```sh\n{command}\n```\n\n{table(_HEAD, rows)}"


def _otherwise(capacity: Mapping[str, Any]) -> str:
    cost, compressed = cost_of(capacity), cost_of(capacity, COMPRESSED)
    load, machines = Load(users=_MOST), Machines()
    rare = replace(machines, checkpoint=_HALF_AN_HOUR)
    cases = [
        ("as above", load, cost, machines),
        ("checkpoints every half hour", load, cost, rare),
        ("`wal_compression`", load, compressed, machines),
        ("both", load, compressed, rare),
        ("both, access tokens of 5 minutes", replace(load, access_token=5 * MINUTE), compressed, rare),
        ("both, access tokens of an hour", replace(load, access_token=60 * MINUTE), compressed, rare),
        ("both, room for 1.25 times the busiest time", load, compressed, replace(rare, room=1.25)),
        ("both, room for 5 times the busiest time", load, compressed, replace(rare, room=5.0)),
        ("both, twice as many signed in at once", replace(load, busiest=0.4), compressed, rare),
    ]
    told = [(words, needed(need(used, costs, on))) for words, used, costs, on in cases]
    rows = [[words, *each[2:6], *each[7:]] for words, each in told]
    return table([f"{_MOST:,} users", *_HEAD[2:6], *_HEAD[7:]], rows)
