"""What docs/rotation-policies.md claims: the order of policies, not the figures. A small run with its own seed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import pytest

from everbearer.simulation.clients import Population
from everbearer.simulation.figures import dwell_of
from everbearer.simulation.ours import OURS
from everbearer.simulation.peers import PEERS
from everbearer.simulation.play import MIX, Play, play_honest, play_policy, play_theft
from everbearer.simulation.thieves import Thief

BY_NAME = {each.name: each for each in (*OURS, *PEERS)}
PLAY = Play(refreshes=20_000, thefts=60, seed=7)
WINDOWS = ("same successor for 10 s", "same successor for 60 s", "same successor for 10 min")
ROTATING_AND_REVOKING = [
    name
    for name in BY_NAME
    if not name.startswith(("confirm", "no rotation", "strict, family lives", "ours, not rotated", "grace of"))
]


@cache
def honest(name: str, population: Population | None = None) -> float:
    """Return false sign-outs per million, of one population or of the mix."""
    shares = {population: 0.4} if population else MIX
    rates = [play_honest(BY_NAME[name], each, round(PLAY.refreshes * share), PLAY)[0] for each, share in shares.items()]
    return sum(rates[1:], rates[0]).per_million


@cache
def stay(name: str, thief: Thief) -> float:
    """Return the median stay in seconds."""
    dwell = dwell_of([play_theft(BY_NAME[name], thief, number, PLAY) for number in range(PLAY.thefts)])
    return float("inf") if dwell.median is None else dwell.median


def orders(of: Callable[[str], float], *names: str) -> bool:
    return all(of(one) < of(other) for one, other in pairwise(names))


def test_the_same_seed_gives_the_same_result() -> None:
    play = Play(refreshes=2000, thefts=5)

    assert play_policy(BY_NAME["ours, default"], play) == play_policy(BY_NAME["ours, default"], play)


def test_strict_rotation_signs_out_a_hundred_times_more_often_than_ours() -> None:
    assert honest("strict, family ends") > 100 * honest("ours, default")


@pytest.mark.parametrize("window", [*WINDOWS, "ours, within 10 s", "ours, within 60 s", "ours, within 10 min"])
def test_no_window_signs_out_fewer_than_the_default(window: str) -> None:
    assert honest("ours, default") < honest(window)


def test_longer_windows_sign_out_fewer() -> None:
    assert orders(honest, *reversed(WINDOWS))


def test_a_lower_late_limit_signs_out_more() -> None:
    assert orders(honest, "ours, default", "ours, late limit 1")
    assert honest("ours, default") <= honest("ours, late limit 2") < honest("ours, late limit 1")


@pytest.mark.parametrize("name", ["ours, default, key", "ours, late limit 2, key"])
def test_with_keys_a_lone_program_is_never_signed_out(name: str) -> None:
    assert honest(name, Population.APP) == 0


def test_with_keys_even_a_window_signs_no_lone_program_out() -> None:
    assert honest("ours, within 60 s, key", Population.APP) == 0 < honest("ours, within 60 s", Population.APP)


def test_seeing_an_answer_arrive_too_early_signs_racing_tabs_out() -> None:
    def tabs(name: str) -> float:
        return honest(name, Population.TABS)

    assert tabs("ours, default, introspected") <= tabs("ours, arrival after 60 s") < tabs("ours, arrival after 10 s")
    assert tabs("ours, default") <= tabs("ours, default, introspected")


def test_seeing_an_answer_arrive_refuses_the_thief_in_step_however_late_it_is_noted() -> None:
    assert stay("ours, default", Thief.IN_STEP) > stay("ours, default, introspected", Thief.IN_STEP) == 0
    assert stay("ours, default, introspected", Thief.AGAIN) < 24 * 3600


@pytest.mark.parametrize("name", ["ours, default", "count, 5 reuses", "same successor for 60 s"])
def test_programs_that_keep_copies_of_their_own_are_signed_out_by_all_that_detect(name: str) -> None:
    assert honest(name, Population.COPIES) > 10_000


def test_without_rotation_nobody_is_signed_out_and_no_thief_caught() -> None:
    assert honest("no rotation") == 0
    assert {stay("no rotation", thief) for thief in Thief} == {float("inf")}


@pytest.mark.parametrize("name", ROTATING_AND_REVOKING)
def test_a_thief_who_goes_on_without_looking_is_out_within_a_day(name: str) -> None:
    assert max(stay(name, Thief.FIRST), stay(name, Thief.SECOND), stay(name, Thief.ONCE)) < 24 * 3600


def test_a_thief_who_was_first_stays_where_only_the_token_is_refused() -> None:
    assert stay("strict, family lives", Thief.FIRST) == float("inf")
    assert stay("confirm by use, newest", Thief.FIRST) == float("inf")


def test_a_forking_grace_as_long_as_an_access_token_never_catches_the_thief_in_step() -> None:
    assert stay("grace of 30 min, forks", Thief.IN_STEP) == float("inf")


def test_the_thief_in_step_stays_for_as_many_refreshes_as_the_late_limit_allows() -> None:
    def in_step(name: str) -> float:
        return stay(name, Thief.IN_STEP)

    assert orders(in_step, "ours, late limit 1", "ours, late limit 2", "ours, default", "ours, late limit 5")
    assert orders(in_step, "ours, late limit 5", "ours, no late limit")
    assert in_step("one behind, or 10 s") == float("inf")


@pytest.mark.parametrize("name", ["ours, default", "grace of 30 s, forks", *WINDOWS])
def test_a_shadow_is_seen_by_no_rule_that_lets_tabs_race(name: str) -> None:
    assert stay(name, Thief.SHADOW) > 24 * 3600


def test_a_thief_who_can_copy_again_stays_under_the_default_and_not_under_a_window() -> None:
    assert stay("ours, default", Thief.AGAIN) > 24 * 3600 > stay("ours, within 60 s", Thief.AGAIN)
