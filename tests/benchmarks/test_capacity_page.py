"""The capacity page is reckoned out of the results alone, and is never stale."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

capacity_page = importlib.import_module("measuring.capacity_page")

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "capacity.md"
RESULTS = json.loads((ROOT / "benchmarks" / "results" / "latest.json").read_text("utf-8"))["capacity"]


def turn(*, count: int, wal_bytes: int, wal_images: int) -> dict[str, Any]:
    refreshes = {"server_cpu": 0.5, "database_cpu": 0.25}
    return {"refreshes": refreshes, "count": count, "wal_bytes": wal_bytes, "wal_images": wal_images}


@pytest.fixture
def capacity() -> dict[str, Any]:
    return {
        "bytes_per_grant": 1000,
        "turns": {
            # A record of 1000 bytes; images of 6000, or of 2000 where they are compressed.
            capacity_page.WIDE: [turn(count=100, wal_bytes=100 * 13_000, wal_images=200)],
            capacity_page.COMPRESSED: [turn(count=100, wal_bytes=100 * 5000, wal_images=200)],
            capacity_page.FEW: [turn(count=100, wal_bytes=100 * 4000, wal_images=50)],
        },
    }


def test_the_page_says_what_the_results_say() -> None:
    assert PAGE.read_text("utf-8") == capacity_page.with_blocks(PAGE.read_text("utf-8"), RESULTS), (
        "run: benchmarks/run --render"
    )


def test_record_and_image_are_told_apart(capacity: dict[str, Any]) -> None:
    cost = capacity_page.cost_of(capacity)

    assert (cost.wal_bytes, cost.page_images, cost.image_bytes) == (1000, 2.0, 6000)
    assert (cost.node_cpu_ms, cost.database_cpu_ms, cost.grant_bytes) == (0.5, 0.25, 1000)


def test_a_compressed_image_has_the_same_record(capacity: dict[str, Any]) -> None:
    cost = capacity_page.cost_of(capacity, capacity_page.COMPRESSED)

    assert (cost.wal_bytes, cost.image_bytes) == (1000, 2000)


def test_page_and_plot_are_written_beside_each_other(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    page = tmp_path / "capacity.md"
    page.write_text("<!-- needed: by us -->\nold\n<!-- /needed -->\n")

    written = capacity_page.write_capacity(RESULTS, tmp_path)

    assert written == [page, tmp_path / "images" / "capacity.svg"]
    assert "| 100,000,000 |" in page.read_text("utf-8")
    assert "old" not in page.read_text("utf-8")


def test_what_was_not_measured_changes_nothing(tmp_path: Path) -> None:
    assert capacity_page.write_capacity({"turns": {}}, tmp_path) == []
