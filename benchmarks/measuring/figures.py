"""What all sections of the page have in common: medians, ratios, tables, and what was measured on which machine."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Samples: TypeAlias = Sequence[Mapping[str, Any]]

FEWEST_ROUNDS = 3
"""Fewer turns have no median worth the name."""
FIGURES = ("a second", "p50 ms", "p99 ms", "CPU ms", "of it database", "memory MB", "errors", "foreign %")
"""What stands above the figures of a measurement."""


def median_of(samples: Samples, name: str) -> float:
    """Return the median of one figure over the turns."""
    return float(statistics.median(sample[name] for sample in samples))


def ratio(samples: Samples, reference: Samples) -> float | None:
    """Return the median of the ratios of rates, turn by turn."""
    pairs = [(a["rate"], b["rate"]) for a, b in zip(samples, reference, strict=False) if b["rate"]]
    return statistics.median(a / b for a, b in pairs) if pairs else None


def figures_of(samples: Samples) -> list[str]:
    """Return the cells that stand below `FIGURES`."""
    server, database = median_of(samples, "server_cpu"), median_of(samples, "database_cpu")
    memory = median_of(samples, "server_memory") + median_of(samples, "database_memory")
    errors = sum(sum(sample["errors"].values()) for sample in samples)
    return [
        f"{median_of(samples, 'rate'):,.0f}",
        f"{median_of(samples, 'p50'):.1f}",
        f"{median_of(samples, 'p99'):.1f}",
        f"{server + database:.2f}",
        f"{database:.2f}" if database else "",
        f"{memory:.0f}",
        str(errors) if errors else "",
        f"{median_of(samples, 'foreign_share'):.0f}",
    ]


def machine_line(part: Mapping[str, Any]) -> str:
    """Return when and on what a part was measured."""
    machine = part["machine"]
    packages = machine["packages"]
    versions = ", ".join(
        f"{name} {packages[name]}" for name in ("uvicorn", "django-oauth-toolkit", "authlib") if name in packages
    )
    return (
        f"Measured on {part['when']} at commit {machine['commit']}: {machine['cores']} cores ({machine['processor']}), "
        f"{machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}, PostgreSQL "
        f"{machine['postgresql'] or 'none'}, {versions}; 8 KiB kept in {machine['flush_ms']} ms.{_hasty(part)}\n"
    )


def _hasty(part: Mapping[str, Any]) -> str:
    pace = part["pace"].get("headline", part["pace"])
    if pace["rounds"] >= FEWEST_ROUNDS:
        return ""
    return " **A quick look: neither figures nor ratios of it are to be relied on.**"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; columns of figures stand on the right."""
    lines = [head, ["---" if at == 0 else "--:" for at in range(len(head))], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"
