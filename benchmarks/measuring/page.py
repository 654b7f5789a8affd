"""docs/performance.md and its plot, written from the results alone."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from measuring.capacity_page import write_capacity
from measuring.figures import FIGURES, Samples, figures_of, machine_line, median_of, ratio, table
from measuring.paths import ROOT
from measuring.plot import bars
from measuring.storm_page import storm_goals, storm_sections

OURS = {
    "everbearer-sqlite-2": "ours on SQLite, times this",
    "everbearer-postgresql-2": "ours on PostgreSQL, times this",
}
"""Whose rates are divided by those of the others, and what stands above the quotients."""

_SQLITE, _POSTGRESQL = OURS
GOALS = (
    ("refresh", 16, _SQLITE, "oidc-provider-shipped", 4),
    ("refresh", 16, _SQLITE, "oidc-provider-memory", 4),
    ("refresh", 16, _POSTGRESQL, "oidc-provider-postgresql-2", 8),
    ("refresh", 16, _POSTGRESQL, "django-oauth-toolkit-postgresql", 40),
    ("refresh", 16, _SQLITE, "authlib-sqlite", 20),
    ("refresh", 16, _SQLITE, "floor-sqlite-2", 0.6),
    ("refresh", 64, _SQLITE, "floor-sqlite-2", 0.6),
    ("refresh", 16, _POSTGRESQL, "floor-postgresql-2", 0.6),
    ("refresh", 64, _POSTGRESQL, "floor-postgresql-2", 0.6),
    ("client_credentials", 16, _SQLITE, "oidc-provider-memory", 3),
    ("introspection", 16, _SQLITE, "oidc-provider-memory", 3),
    ("userinfo", 16, _SQLITE, "oidc-provider-memory", 3),
)
"""Load, connections, ours, theirs, and how many times their rate ours should be at least."""

HEAD = """\
# Performance

This page is written by `benchmarks/run` from `benchmarks/results/latest.json`; `benchmarks/README.md` says how it is
measured. **Quote the ratios, not the figures**: they come from a small machine that others use at the same time, and
its speed changes by half within minutes. All servers were running at once, one under load at a time, in turns
(A B C A B C …); a figure is the median of its turns, a ratio the median of the ratios turn by turn.
"""

READING = """\
- *ours, times this* is the rate of Everbearer with two workers, divided by the rate in this line, in the same turns.
- *CPU* is that of all processes of the server, and of its database, for one answer. It depends least on what others do.
- *foreign* is what everybody else on the machine used meanwhile, of one core.
- django-oauth-toolkit checks client secrets in plain here. Its default, a password hash at each request, allows about
  two requests a second on such a machine; with it the hash would be all that is measured. It runs without middleware.
- oidc-provider *in memory as shipped* runs on the adapter that it brings along, which keeps the newest thousand tokens;
  *without a limit* on one of ours that keeps all of them in a `Map`: the fastest it can be. A restart forgets all.
- Peers whose access tokens are opaque sign nothing: they do less than those with an ES256 JWT.
- *The floor* is the smallest server in the same language and on the same runner that parses the form, checks the
  client, signs one ES256 JWT and makes one durable commit. It has no policies, no history, no ends.
"""


def write_page(results: Mapping[str, Any]) -> list[Path]:
    """Write what was measured for people to read, and return the files."""
    page, plot = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.svg"
    compare = results.get("compare")
    sections = [HEAD]
    written = [page]
    if compare:
        plot.write_text(_plot(compare), encoding="utf-8")
        written.append(plot)
        sections += _compare(compare, storm_goals(results.get("storm")))
    if results.get("growth"):
        sections += _growth(results["growth"])
    if results.get("runners"):
        sections += _runners(results["runners"])
    if results.get("storm"):
        sections += storm_sections(results["storm"])
    if results.get("capacity"):
        written += write_capacity(results["capacity"], ROOT / "docs")
    page.write_text("\n".join(sections).rstrip() + "\n", encoding="utf-8")
    return written


def _compare(compare: Mapping[str, Any], more_goals: list[list[str]]) -> list[str]:
    sections = ["![Refreshes a second, 16 at once](performance.svg)\n", machine_line(compare), READING]
    goals = goal_rows(compare) + more_goals
    if goals:
        sections += ["## What we want of it\n", table(["goal", "wanted", "measured"], goals)]
    for each in compare["measured"]:
        if not each["samples"]:
            continue
        sections.append(f"## {_title(each)}\n")
        sections.append(_compare_table(compare, each))
    if compare["absent"]:
        sections.append("## Not measured\n")
        sections.append("\n".join(f"- {name}: {_line(reason)}" for name, reason in compare["absent"].items()) + "\n")
    return sections


def _compare_table(compare: Mapping[str, Any], each: Mapping[str, Any]) -> str:
    rows: list[list[str]] = []
    for name, samples in each["samples"].items():
        contender = compare["contenders"][name]
        quotients = [ratio(each["samples"].get(ours, []), samples) for ours in OURS]
        refreshes = each["load"].startswith("refresh")
        rows.append(
            [
                f"{contender['project']}, {contender['setting']}",
                contender["durable"] if refreshes else "",
                contender["access_token"] if each["load"] == "refresh" else "",
                *figures_of(samples),
                *("" if found is None else f"{found:.2f}" for found in quotients),
            ]
        )
    head = ["server", "durable when answered", "access token", *FIGURES, *OURS.values()]
    # Columns that say nothing for this load are left out.
    kept = [at for at, name in enumerate(head) if any(row[at] for row in rows) or name == "server"]
    return table([head[at] for at in kept], [[row[at] for at in kept] for row in rows])


def goal_rows(compare: Mapping[str, Any]) -> list[list[str]]:
    """Return what we want, as ratios within one run, beside what was measured."""
    by_load = {(each["load"], each["connections"]): each["samples"] for each in compare["measured"]}
    rows: list[list[str]] = []
    for load, connections, ours, other, least in GOALS:
        samples = by_load.get((load, connections), {})
        found = ratio(samples.get(ours, []), samples.get(other, []))
        if found is not None:
            what = f"{load}, {connections} at once: {_label(compare, ours)}, to {_label(compare, other)}"
            rows.append([what, f"at least {least:g}", f"{found:.2f}"])
    for ours in OURS:
        samples = by_load.get(("refresh", 64), {}).get(ours, [])
        if samples:
            found = statistics.median(sample["p99"] / sample["p50"] for sample in samples if sample["p50"])
            rows.append([f"refresh, 64 at once: {_label(compare, ours)}, p99 to p50", "below 10", f"{found:.1f}"])
    return rows


def _growth(growth: Mapping[str, Any]) -> list[str]:
    sections = ["## Growth\n", f"Everbearer with two workers, 16 at once, rotating refreshes. {machine_line(growth)}"]
    for database, found in growth["databases"].items():
        sizes = found["sizes"]
        first: Samples = next(iter(sizes["samples"].values()), [])
        rows = []
        for name, samples in sizes["samples"].items():
            ready = sizes["ready_after"].get(name) if name.isdigit() else None
            relative = ratio(samples, first)
            rows.append(
                [
                    _size(name),
                    *figures_of(samples)[:4],
                    "" if relative is None else f"{relative:.2f}",
                    "" if ready is None else f"{ready:.1f}",
                ]
            )
        sections.append(f"### {'SQLite' if database == 'sqlite' else 'PostgreSQL'}\n")
        head = ["grants", *FIGURES[:4], "ratio to the first", "start to first answer, s"]
        sections.append(table(head, rows))
        room, purge = found["bytes_per_grant"], found["purge"]
        sections.append(
            f"- A grant takes {room['fresh']} bytes with its indexes; {room['lived']} with its longest history.\n"
            f"- {_purge(purge)}\n"
        )
    if growth["absent"]:
        sections.append(
            "\n".join(f"- Not measured: {name}: {_line(why)}" for name, why in growth["absent"].items()) + "\n"
        )
    return sections


def _purge(purge: Mapping[str, Any]) -> str:
    alone, beside = median_of(purge["alone"], "p99"), median_of(purge["beside"], "p99")
    end = f"took {purge['seconds']:.0f} s" if purge["finished"] else f"was not through after {purge['seconds']:.0f} s"
    fast, slow = median_of(purge["alone"], "rate"), median_of(purge["beside"], "rate")
    return (
        f"A purge of {purge['dead']:,} dead grants {end}: p99 {beside:.1f} ms beside it, {alone:.1f} ms alone; "
        f"{slow:,.0f} refreshes a second beside it, {fast:,.0f} alone."
    )


def _size(name: str) -> str:
    words = {"fresh": "never refreshed", "old": "refreshed 100,000 times"}
    return f"{int(name):,}" if name.isdigit() else words.get(name, name)


def _runners(runners: Mapping[str, Any]) -> list[str]:
    sections = ["## Runners\n", f"The same application on SQLite, on several HTTP servers. {machine_line(runners)}"]
    for each in runners["measured"]:
        first = each["samples"].get("uvicorn-1", [])
        rows = []
        for name, samples in each["samples"].items():
            relative = ratio(samples, first)
            rows.append([name, *figures_of(samples), "" if relative is None else f"{relative:.2f}"])
        sections.append(f"### {_title(each)}, by runner\n")
        sections.append(table(["runner", *FIGURES, "ratio to uvicorn-1"], rows))
    return sections


def _title(each: Mapping[str, Any]) -> str:
    return f"{each['load'].capitalize()}: {each['connections']} at once"


def _plot(compare: Mapping[str, Any]) -> str:
    each = next(entry for entry in compare["measured"] if entry["load"] == "refresh")
    values = [
        (_label(compare, name), median_of(samples, "rate"), compare["contenders"][name]["project"])
        for name, samples in each["samples"].items()
    ]
    title = f"Refreshes a second, {each['connections']} at once"
    return bars(
        title, sorted(values, key=lambda value: -value[1]), "medians, one shared machine: compare, do not quote"
    )


def _label(compare: Mapping[str, Any], name: str) -> str:
    contender = compare["contenders"][name]
    return f"{contender['project']}, {contender['setting']}"


def _line(text: str) -> str:
    """Return the last line of a reason: logs end with what matters."""
    return (text.strip().splitlines() or [""])[-1][:200]
