"""The figures: intervals that hold what they promise, quantiles that know of those who were never caught."""

from __future__ import annotations

import pytest

from everbearer.simulation.figures import Rate, dwell_of


@pytest.mark.parametrize(
    ("happened", "low", "high"), [(0, 0.0, 3.7), (1, 0.03, 5.57), (10, 4.80, 18.39), (100, 81.4, 121.6)]
)
def test_the_interval_is_that_of_a_poisson_count(happened: int, low: float, high: float) -> None:
    assert Rate(happened=happened, of=1_000_000).interval == pytest.approx((low, high), rel=0.02, abs=0.05)


def test_rates_add_up() -> None:
    assert (Rate(happened=1, of=500_000) + Rate(happened=2, of=500_000)).per_million == 3


def test_a_thief_who_was_never_caught_stays_longer_than_all_others() -> None:
    dwell = dwell_of([None, 3.0, 1.0, 2.0])

    assert (dwell.median, dwell.percentile_95, dwell.never_caught) == (3.0, None, 0.25)
