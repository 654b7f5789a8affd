"""The policies of the field, as they are played."""

from __future__ import annotations

import pytest

from everbearer.simulation.ours import OURS
from everbearer.simulation.peers import PEERS
from everbearer.simulation.policy import FIRST, REFUSED, Family, Policy, two_branches

BY_NAME = {each.name: each for each in (*OURS, *PEERS)}


def family_of(name: str) -> Family:
    return BY_NAME[name].start()


def rotated(family: Family, *, until: int = 1) -> list[int]:
    """Refresh with the newest some times, every half hour, and return all tokens."""
    tokens = [FIRST]
    for step in range(until):
        tokens.append(family.refresh(tokens[-1], step * 1800, ""))
    return tokens


@pytest.mark.parametrize("policy", BY_NAME.values(), ids=lambda each: each.name)
def test_who_refreshes_alone_with_the_newest_is_always_answered(policy: Policy) -> None:
    assert REFUSED not in rotated(policy.start(), until=50)


def test_strict_rotation_ends_the_family_of_a_spent_token() -> None:
    family = family_of("strict, family ends")
    first, second = rotated(family)

    assert [family.refresh(first, 1, ""), family.refresh(second, 2, "")] == [REFUSED, REFUSED]


def test_strict_rotation_without_revocation_refuses_the_spent_token_alone() -> None:
    family = family_of("strict, family lives")
    first, second = rotated(family)

    assert [family.refresh(first, 1, ""), bool(family.refresh(second, 2, ""))] == [REFUSED, True]


@pytest.mark.parametrize(("age", "answered"), [(30, True), (31, False)])
def test_a_time_of_grace_gives_each_retry_a_token_of_its_own(age: int, *, answered: bool) -> None:
    family = family_of("grace of 30 s, forks")
    first, second = rotated(family)
    third = family.refresh(first, age, "")

    assert (third not in {REFUSED, second}) is answered
    assert family.ended is not answered


def test_a_count_allows_so_many_reuses_and_no_more() -> None:
    family = family_of("count, 1 reuse")
    (first, _) = rotated(family)

    assert [bool(family.refresh(first, age, "")) for age in (5000, 6000)] == [True, False]


def test_a_count_takes_a_token_for_stale_that_a_reuse_has_superseded() -> None:
    family = family_of("count, 5 reuses")
    first, second = rotated(family)
    family.refresh(first, 60, "")

    assert family.refresh(second, 1800, "") == REFUSED


@pytest.mark.parametrize(("age", "answered"), [(60, True), (61, False)])
def test_a_window_answers_the_same_successor_until_it_closes(age: int, *, answered: bool) -> None:
    family = family_of("same successor for 60 s")
    first, second = rotated(family)

    assert family.refresh(first, age, "") == (second if answered else REFUSED)


def test_one_behind_gets_the_newest_however_late() -> None:
    family = family_of("one behind, or 10 s")
    first, second = rotated(family)

    assert family.refresh(first, 100_000, "") == second


def test_two_behind_is_theft_after_the_window() -> None:
    family = family_of("one behind, or 10 s")
    first, second = rotated(family)
    family.refresh(second, 5, "")

    assert [bool(family.refresh(first, age, "")) for age in (9, 11)] == [True, False]


def test_use_of_the_new_pair_ends_the_token_it_came_from() -> None:
    family = family_of("confirm by use, forks")
    first, second = rotated(family)
    before = family.refresh(first, 10, "")
    family.seen(second, 20)

    assert (bool(before), family.refresh(first, 30, "")) == (True, REFUSED)


def test_where_only_the_newest_pair_counts_another_takes_its_place() -> None:
    family = family_of("confirm by use, newest")
    first, second = rotated(family)
    third = family.refresh(first, 10, "")

    assert [family.refresh(second, 20, ""), bool(family.refresh(third, 30, ""))] == [REFUSED, True]


def test_two_branches_can_live_only_where_retries_fork() -> None:
    assert {each.name for each in BY_NAME.values() if two_branches(each)} == {
        "grace of 5 s, forks",
        "grace of 30 s, forks",
        "grace of 5 min, forks",
        "grace of 30 min, forks",
        "confirm by use, forks",
    }
