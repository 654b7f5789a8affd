"""The load: steady where nothing happens, and what an outage makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.models import HOUR, MINUTE
from everbearer.simulation.load import Load, storm


def test_the_busiest_and_the_quietest_time_are_twelve_hours_apart() -> None:
    load = Load()

    assert (load.share_at(16 * HOUR), load.share_at(4 * HOUR)) == pytest.approx((load.busiest, load.quietest))


def test_refreshes_grow_with_users() -> None:
    load = Load()

    assert replace(load, users=10 * load.users).refreshes(0.2) == pytest.approx(10 * load.refreshes(0.2))


def test_clients_in_use_without_end_refresh_once_a_lifetime() -> None:
    load = Load(users=1000, sessions=1, sitting=10**9, access_token=1800)

    assert load.refreshes(1.0) == pytest.approx(1000 / 1800, rel=0.001)


@pytest.mark.parametrize("jitter", [0.0, 0.2])
def test_without_an_outage_nothing_happens(jitter: float) -> None:
    course = storm(Load(outage=0, jitter=jitter), HOUR)

    assert (min(course.asked), max(course.asked)) == pytest.approx((1, 1), abs=0.001)
    assert course.recovered_at == 0


def test_more_room_ends_the_refusals_sooner() -> None:
    ends = [storm(Load(capacity=capacity)).recovered_at for capacity in (1.1, 1.5, 2.0, 5.0)]

    assert ends == sorted((each for each in ends if each is not None), reverse=True)


def test_no_more_is_answered_than_there_is_room_for() -> None:
    assert max(storm(Load(capacity=1.5)).answered) == pytest.approx(1.5)


def test_who_waited_together_comes_again_together() -> None:
    load = Load(capacity=5.0)

    assert storm(load).echo > 2.5


def test_jitter_flattens_what_comes_again() -> None:
    load = Load(capacity=5.0)

    assert storm(replace(load, jitter=0.2)).echo < storm(load).echo * 0.7


def test_jitter_flattens_later_echoes_of_any_room() -> None:
    def later(jitter: float) -> float:
        return max(storm(Load(jitter=jitter)).answered[2 * HOUR :])

    assert later(0.2) < later(0.0)


def test_a_server_with_no_room_refuses_for_hours() -> None:
    course = storm(Load(capacity=0.9, outage=10 * MINUTE), 2 * HOUR)

    assert course.recovered_at is None
