"""`benchmarks/run`: set up, measure, write down, clean up."""

from __future__ import annotations

import argparse
import json
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, NoReturn

from measuring import comparing, growing, runners, storm, weighing
from measuring.machine import describe
from measuring.page import write_page
from measuring.paths import RESULTS
from measuring.rounds import Pace
from measuring.setup import say, set_up_generator, set_up_node, set_up_python

PARTS = ("compare", "growth", "runners", "storm", "capacity")
SETTING_UP = 1800
"""Seconds on top of measuring that setting up and filling may take, before all of it is given up."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for."""
    asked = _parser().parse_args(arguments)
    latest = RESULTS / "latest.json"
    results: dict[str, Any] = json.loads(latest.read_text()) if latest.exists() else {}
    if not asked.render:
        signal.signal(signal.SIGTERM, _give_up)
        signal.signal(signal.SIGALRM, _give_up)
        for part in asked.part or PARTS:
            results[part] = _measured(asked, part)
            RESULTS.mkdir(exist_ok=True)
            latest.write_text(json.dumps(results, indent=1) + "\n")
    for path in write_page(results):
        say(f"wrote {path}")


def _measured(asked: argparse.Namespace, part: str) -> dict[str, Any]:
    headline = Pace(rounds=asked.rounds or (1 if asked.quick else 5), seconds=_seconds(asked), warm_up=_warm_up(asked))
    # What is not in the headline is measured for less long.
    others = Pace(rounds=(headline.rounds + 1) // 2, seconds=max(1.0, headline.seconds * 0.6), warm_up=headline.warm_up)
    set_up_generator()
    set_up_python()
    work: Callable[[], dict[str, Any]]
    if part == "compare":
        contenders = comparing.chosen(asked.only)
        if any(each.name.startswith("oidc-provider") for each in contenders):
            set_up_node()
        lasts = comparing.duration(contenders, headline, others)
        work = lambda: comparing.compare(contenders, headline, others)  # noqa: E731 - one of them
    elif part == "growth":
        sizes = growing.QUICK if asked.quick else growing.FULL
        lasts = growing.duration(sizes, others)
        work = lambda: growing.grow(sizes, others, asked.only)  # noqa: E731 - one of them
    elif part == "runners":
        lasts = runners.duration(others)
        work = lambda: runners.compare_runners(others)  # noqa: E731 - one of them
    elif part == "capacity":
        grants = weighing.QUICK if asked.quick else weighing.FULL
        lasts = weighing.duration(grants, others)
        work = lambda: weighing.weigh(grants, others)  # noqa: E731 - one of them
    else:
        lasts = storm.duration(others)
        work = lambda: storm.brave(others, asked.only)  # noqa: E731 - one of them
    say(f"{part}: measuring takes {lasts / 60:.0f} minutes")
    begun = time.time()
    signal.alarm(round(lasts * 2 + SETTING_UP))
    try:
        return {"when": time.strftime("%Y-%m-%d", time.gmtime(begun)), "machine": describe(), **work()}
    finally:
        signal.alarm(0)
        say(f"{part}: took {(time.time() - begun) / 60:.0f} minutes")


def _seconds(asked: argparse.Namespace) -> float:
    return float(asked.seconds or (1.5 if asked.quick else 5))


def _warm_up(asked: argparse.Namespace) -> float:
    return 0.5 if asked.quick else 1.0


def _give_up(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - a signal's
    """End like an exception does, so that everything that was started is ended."""
    raise SystemExit(f"given up by {signal.Signals(number).name}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description="Measure Everbearer and its peers.")
    parser.add_argument("--quick", action="store_true", help="a look of a few minutes, not figures to quote")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part; may be repeated")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="only this contender (with * for any); may be repeated",
    )
    parser.add_argument("--seconds", type=float, help="how long each measurement counts (5)")
    parser.add_argument("--rounds", type=int, help="how many turns each contender gets (5)")
    parser.add_argument("--render", action="store_true", help="measure nothing, write the page from the last results")
    return parser


if __name__ == "__main__":
    main()
