"""The page and its plot are made of the results alone."""

from __future__ import annotations

import importlib
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

page = importlib.import_module("measuring.page")
comparing = importlib.import_module("measuring.comparing")
plot = importlib.import_module("measuring.plot")

FIGURES = {
    "p50": 10.0,
    "p90": 15.0,
    "p99": 50.0,
    "longest": 60.0,
    "errors": {},
    "server_cpu": 0.3,
    "database_cpu": 0.1,
    "server_memory": 50.0,
    "database_memory": 20.0,
    "generator_share": 3.0,
    "foreign_share": 5.0,
}
MACHINE = {
    "processor": "one of two cores",
    "cores": 2,
    "memory_gb": 24,
    "system": "Debian",
    "kernel": "6",
    "python": "3.11",
    "commit": "abc",
    "postgresql": "15",
    "packages": {},
    "flush_ms": 0.2,
}


def samples(*rates: float) -> list[dict[str, Any]]:
    return [{"rate": rate, **FIGURES} for rate in rates]


@pytest.fixture
def results() -> dict[str, Any]:
    def contender(project: str) -> dict[str, str]:
        return {"project": project, "setting": "SQLite", "durable": "yes", "access_token": "ES256 JWT"}

    return {
        "compare": {
            "when": "2026-01-01",
            "machine": MACHINE,
            "pace": {"headline": {"rounds": 3, "seconds": 5.0, "warm_up": 1.0}},
            "contenders": {"everbearer-sqlite-2": contender("Everbearer"), "floor-sqlite-2": contender("The floor")},
            "measured": [
                {
                    "load": "refresh",
                    "connections": 16,
                    "samples": {
                        "everbearer-sqlite-2": samples(100, 300, 200),
                        "floor-sqlite-2": samples(400, 600, 100),
                    },
                }
            ],
            "absent": {"oidc-provider-memory": "npm is missing.\nOn Debian: sudo apt-get install nodejs"},
        }
    }


def test_a_ratio_is_the_median_of_the_turns() -> None:
    # 1/4, 1/2 and 2: not the ratio of the medians, which is another.
    assert page.ratio(samples(100, 300, 200), samples(400, 600, 100)) == pytest.approx(0.5)
    assert page.ratio(samples(1), []) is None


def test_the_page_tells_goals_figures_and_what_is_missing(
    results: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(page, "ROOT", tmp_path)
    written = page.write_page(results)

    text = written[0].read_text("utf-8")
    assert "| Everbearer, SQLite | yes | ES256 JWT | 200 | 10.0 | 50.0 | 0.40 | 0.10 | 70 | 5 | 1.00 |" in text
    assert "to The floor, SQLite | at least 0.6 | 0.50 |" in text
    assert "- oidc-provider-memory: On Debian: sudo apt-get install nodejs" in text
    assert ET.parse(written[1]).getroot().tag.endswith("svg")  # noqa: S314 - our own


def test_a_quick_look_says_that_it_is_one(
    results: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(page, "ROOT", tmp_path)
    results["compare"]["pace"]["headline"]["rounds"] = 1

    assert "A quick look" in page.write_page(results)[0].read_text("utf-8")


def test_labels_of_a_plot_are_escaped() -> None:
    assert "A &lt;b&gt; &amp; c" in plot.bars("A <b> & c", [("x", 1.0, "Everbearer")], "")


def test_every_contender_has_a_name_and_a_load_of_its_own() -> None:
    everybody = comparing.everybody()

    assert len({each.name for each in everybody}) == len(everybody)
    assert all("refresh" in each.loads for each in everybody)
    assert {each.name for each in comparing.chosen(["floor-*"])} == {
        "floor-sqlite-1",
        "floor-sqlite-2",
        "floor-postgresql-2",
    }


def test_the_page_tells_how_refreshes_fare_beside_a_storm(
    results: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(page, "ROOT", tmp_path)
    results["storm"] = storm_results(alone=[20, 10, 40], beside=[30, 40, 40])

    text = page.write_page(results)[0].read_text("utf-8")

    # 1.5, 4 and 1, turn by turn.
    assert "| refresh, 16 at once: Everbearer, SQLite, 2 workers, p99 beside sign-ins with wrong passwords to" in text
    assert "p99 alone | below 2 | 1.5 |" in text
    assert "| beside wrong passwords | 100 | 10.0 | 40.0 | 1.5 | 30 | 2 | 1.90 | 5 |" in text


def storm_results(*, alone: list[float], beside: list[float]) -> dict[str, Any]:
    def turns(every: list[float], **more: float) -> list[dict[str, Any]]:
        nothing = {"checked": 0.0, "sent_away": 0.0, "cores": 1.9, "strange": 0}
        return [{"refreshes": {"rate": 100, **FIGURES, "p99": p99}, **nothing, **more} for p99 in every]

    return {
        "when": "2026-01-01",
        "machine": MACHINE,
        "pace": {"rounds": 3, "seconds": 3.0, "warm_up": 1.0},
        "databases": {"sqlite": {"alone": turns(alone), "wrong passwords": turns(beside, checked=30, sent_away=2)}},
        "absent": {},
    }
