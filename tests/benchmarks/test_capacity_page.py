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


def turn(**written: int) -> dict[str, Any]:
    return {"refreshes": {"server_cpu": 0.5, "database_cpu": 0.25}, "count": 100, **written}


@pytest.fixture
def capacity() -> dict[str, Any]:
    return {
        "bytes_per_grant": 1000,
        "turns": {
            capacity_page.PLAIN: [
                turn(record_bytes=100 * size, images=200, image_bytes=200 * 6000) for size in (900, 1000, 5000)
            ],
            capacity_page.COMPRESSED: [turn(record_bytes=100 * 1000, images=300, image_bytes=300 * 2000)],
        },
    }


def test_the_page_says_what_the_results_say() -> None:
    assert PAGE.read_text("utf-8") == capacity_page.with_blocks(PAGE.read_text("utf-8"), RESULTS), (
        "run: benchmarks/run --render"
    )


def test_the_cost_of_a_refresh_is_the_median_of_the_turns(capacity: dict[str, Any]) -> None:
    cost = capacity_page.cost_of(capacity)

    assert (cost.wal_bytes, cost.page_images, cost.image_bytes) == (1000, 2.0, 6000)
    assert (cost.node_cpu_ms, cost.database_cpu_ms, cost.grant_bytes) == (0.5, 0.25, 1000)


def test_compressed_images_are_reckoned_by_themselves(capacity: dict[str, Any]) -> None:
    cost = capacity_page.cost_of(capacity, capacity_page.COMPRESSED)

    assert (cost.page_images, cost.image_bytes) == (3.0, 2000)


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
