"""People and networks: as often as assumed, and nothing that cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.models import DAY, HOUR
from everbearer.simulation.habits import Habits, contradictions
from everbearer.simulation.play import Play, chance


def test_nobody_begins_a_sitting_while_asleep() -> None:
    habits, random = Habits(), chance(Play(), "people", 1)
    ends = 0.0
    times: list[tuple[float, float]] = []
    for _ in range(2000):
        begins, ends = habits.sitting_after(ends, random, length=habits.sitting)
        times.append((begins % DAY, ends - begins + begins % DAY))

    assert all(habits.wakes_at <= begins <= ends <= habits.sleeps_at for begins, ends in times)


def test_days_are_not_skipped() -> None:
    habits, random = Habits(), chance(Play(), "people", 2)
    ends = 0.0
    days: set[int] = set()
    while ends < 50 * DAY:
        begins, ends = habits.sitting_after(ends, random, length=HOUR)
        days.add(int(begins // DAY))

    assert days >= set(range(50))


def test_half_a_percent_of_answers_is_lost() -> None:
    habits = Habits()
    good = 1 - habits.bad_network

    assert good * habits.answer_lost + habits.bad_network * habits.answer_lost_bad == pytest.approx(0.005, rel=0.02)


def test_a_fifth_of_lost_answers_is_retried_hours_later() -> None:
    random = chance(Play(), "answers", 1)
    delays = [Habits().retry_delay(random) for _ in range(10_000)]

    assert delays.count(None) / len(delays) == pytest.approx(0.2, abs=0.02)


def test_the_assumptions_do_not_contradict_each_other() -> None:
    assert contradictions(Habits()) == []


@pytest.mark.parametrize(
    ("wrong", "of"),
    [
        ({"answer_lost": 1.5}, "answer_lost"),
        ({"retried_soon": 0.9}, "retried_soon"),
        ({"sleeps_at": 3600}, "wakes_at"),
        ({"access_token": 0}, "access_token"),
        ({"latency": 0.0}, "latency"),
    ],
)
def test_what_cannot_be_is_told(wrong: dict[str, float], of: str) -> None:
    assert [each.partition(":")[0].partition(",")[0] for each in contradictions(replace(Habits(), **wrong))] == [of]  # type: ignore[arg-type] # whole numbers among them
