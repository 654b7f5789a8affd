"""`everbearer simulate`: tables for people, JSON for programs, plots that are whole, and refusals that help."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from everbearer.server.cli import app
from everbearer.simulation.habits import Habits
from everbearer.simulation.play import Outcome

DOCS = Path(__file__).parents[2] / "docs"
SMALL = ("--refreshes", "500", "--thefts", "3", "--policy", "ours, default", "--policy", "no rotation")


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["simulate", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def members(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def test_the_table_has_a_row_for_each_policy_twice() -> None:
    lines = run(*SMALL).splitlines()

    assert [sum(line.startswith(name) for line in lines) for name in ("ours, default", "no rotation")] == [2, 2]


def test_the_same_seed_prints_the_same() -> None:
    assert run(*SMALL) == run(*SMALL)


def test_sharing_the_work_changes_nothing() -> None:
    assert members(*SMALL, "--jobs", "2") == members(*SMALL)


def test_json_tells_all_that_is_known_of_a_policy() -> None:
    told = members(*SMALL)

    assert [each["policy"] for each in told["policies"]] == ["ours, default", "no rotation"]
    assert set(told["policies"][0]) == {*Outcome.__slots__}
    assert told["play"]["habits"] == asdict(Habits())


def test_an_assumption_can_be_changed() -> None:
    told = members(*SMALL, "--assume", "answer_lost=0.25", "--assume", "siblings=5")

    assert (told["play"]["habits"]["answer_lost"], told["play"]["habits"]["siblings"]) == (0.25, 5)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--assume", "luck=1"), "--assume luck: is not one of access_token"),
        (("--assume", "siblings=1.5"), "--assume siblings: '1.5' is not a whole number"),
        (("--assume", "answer_lost=2"), "--assume answer_lost: is not between 0 and 1"),
        (("--policy", "ours"), "--policy 'ours': is not one of these"),
        (("load", "--quietest", "0.5"), "--quietest: is above --busiest"),
    ],
)
def test_what_cannot_be_played_is_refused(arguments: tuple[str, ...], told: str) -> None:
    assert told in run(*arguments, code=2)


def test_the_assumptions_are_printed_with_their_values() -> None:
    assert members("--assumptions") == asdict(Habits())
    assert "answer_lost" in run("--assumptions")


@pytest.mark.parametrize("arguments", [SMALL, ("load", "--outage", "5")])
def test_a_plot_is_whole_and_reads_in_the_dark(arguments: tuple[str, ...], tmp_path: Path) -> None:
    run(*arguments, "--plot", str(tmp_path / "plot.svg"))
    svg = (tmp_path / "plot.svg").read_text("utf-8")

    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
    assert "prefers-color-scheme: dark" in svg


def test_a_plot_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    told = run(*SMALL, "--plot", str(tmp_path / "nowhere" / "plot.svg"), code=1)

    assert "No such file or directory" in told


def test_load_tells_rates_and_storms() -> None:
    told = members("load", "--users", "1000000")

    assert told["load"]["refreshes_busiest"] > told["load"]["refreshes_mean"]
    assert {(each["capacity"], each["jitter"]) for each in told["storms"]} >= {(1.05, 0.0), (5.0, 0.2)}


def test_load_prints_a_row_for_each_number_of_users() -> None:
    assert "100,000,000" in run("load")


def test_load_tells_nodes_and_databases_for_the_cost_of_a_refresh() -> None:
    usual, dear = (
        members("load", "--users", "50000000", "--node-cpu-ms", node, "--database-cpu-ms", database)["need"]
        for node, database in (("0.5", "0.5"), ("5", "5"))
    )

    assert dear["nodes"] > 5 * usual["nodes"]
    assert dear["databases"] > 5
    assert dear["bound_by"] == "cpu"


def test_the_plot_of_machines_is_whole_and_reads_in_the_dark(tmp_path: Path) -> None:
    run("load", "--plot-machines", str(tmp_path / "plot.svg"))
    svg = (tmp_path / "plot.svg").read_text("utf-8")

    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
    assert "prefers-color-scheme: dark" in svg


def test_the_documented_outage_is_what_is_played() -> None:
    page = (DOCS / "capacity.md").read_text("utf-8")
    _, _, table = run("load").partition("ECHO\n")
    rows = [f"| {' | '.join(line.split())} |" for line in table.splitlines()]

    assert len(rows) == 14
    assert [row for row in rows if row not in page] == []


def test_every_assumption_stands_in_the_documentation_with_its_default() -> None:
    page = (DOCS / "rotation-policies.md").read_text("utf-8")

    assert [name for name, value in asdict(Habits()).items() if f"| `{name}` | {value} |" not in page] == []


def test_the_documented_plots_are_there() -> None:
    assert all((DOCS / "images" / name).is_file() for name in ("rotation-policies.svg", "load.svg", "capacity.svg"))
