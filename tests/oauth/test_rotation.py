"""The rotation rule by itself: every presented generation, against every state of a grant, has one meaning."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everbearer.oauth.client import Client, RotationPolicy
from everbearer.oauth.models import Authentication, EndReason, Grant
from everbearer.oauth.tokens.rotation import Move, Verdict, judge, policy_for

NOW = 1_800_000_000
ROTATING = RotationPolicy(rotate=True)

GRANT = Grant(
    grant_id="AAAAAAAAAAAAAAAAAAAAAA",
    client_id="spa",
    subject="ada",
    scope=("openid", "offline_access"),
    secret=bytes(16),
    offline=True,
    authentication=Authentication(subject="ada", auth_time=NOW),
    created_at=NOW,
    rotated_at=NOW,
    used_at=NOW,
    generation=5,
)


def _move(
    grant: Grant = GRANT, presented: int = 4, policy: RotationPolicy = ROTATING, age: int = 0, key: str = ""
) -> Move:
    return judge(grant, presented, policy, now=grant.rotated_at + age, idempotency_key=key).move


@pytest.mark.parametrize(
    ("presented", "move", "generation"),
    [
        (5, Move.ROTATE, 6),
        (4, Move.RETRY, 5),
        (3, Move.END, 5),
        (1, Move.END, 5),
        (0, Move.END, 5),
        (6, Move.RECOVER, 7),
        (99, Move.RECOVER, 100),
    ],
)
def test_the_rule_table(presented: int, move: Move, generation: int) -> None:
    verdict = judge(GRANT, presented, ROTATING, now=NOW)

    assert (verdict.move, verdict.generation) == (move, generation)
    assert verdict.reason is (EndReason.REUSED if move is Move.END else None)


@pytest.mark.parametrize(
    ("presented", "move", "generation"), [(5, Move.KEEP, 5), (6, Move.RECOVER, 6), (4, Move.RETRY, 5)]
)
def test_the_rule_table_without_rotation(presented: int, move: Move, generation: int) -> None:
    verdict = judge(GRANT, presented, RotationPolicy(rotate=False), now=NOW)

    assert (verdict.move, verdict.generation) == (move, generation)


@pytest.mark.parametrize(
    ("window", "age", "move"),
    [
        (60, 60, Move.RETRY_LATE),
        (60, 61, Move.END),
        (60, -300, Move.RETRY),
        (5, 5, Move.RETRY),
        (5, 6, Move.END),
        (0, 0, Move.END),
        (None, 10, Move.RETRY),
        (None, 11, Move.RETRY_LATE),
        (None, 10**9, Move.RETRY_LATE),
    ],
)
def test_a_retry_is_measured_from_the_rotation(window: int | None, age: int, move: Move) -> None:
    assert _move(policy=replace(ROTATING, retry_window=window), age=age) is move


@pytest.mark.parametrize(
    ("presented", "kept", "move"),
    [("k", "k", Move.RETRY), ("k", "l", Move.END), ("", "", Move.END), ("k", "", Move.END), ("", "k", Move.END)],
)
def test_only_the_same_key_is_the_same_attempt(presented: str, kept: str, move: Move) -> None:
    policy = replace(ROTATING, retry_window=60)

    assert _move(replace(GRANT, idempotency_key=kept), policy=policy, age=61, key=presented) is move


@pytest.mark.parametrize(("confirmed", "move"), [(0, Move.RETRY), (4, Move.RETRY), (5, Move.END), (6, Move.END)])
def test_an_answer_that_is_known_to_have_arrived_is_not_given_again(confirmed: int, move: Move) -> None:
    assert _move(replace(GRANT, confirmed=confirmed)) is move
    assert _move(replace(GRANT, confirmed=confirmed, idempotency_key="k"), key="k") is move


@pytest.mark.parametrize(("retries", "move"), [(199, Move.RETRY), (200, Move.REFUSE), (201, Move.REFUSE)])
def test_retries_are_counted(retries: int, move: Move) -> None:
    assert _move(replace(GRANT, retries=retries)) is move
    assert _move(replace(GRANT, retries=retries, idempotency_key="k"), key="k") is move


@pytest.mark.parametrize(
    ("late_generation", "late_streak", "verdict"),
    [
        (0, 0, Verdict(move=Move.RETRY_LATE, generation=5, late_generation=5, late_streak=1)),
        (4, 1, Verdict(move=Move.RETRY_LATE, generation=5, late_generation=5, late_streak=2)),
        (4, 2, Verdict(move=Move.END, generation=5, reason=EndReason.LATE_RETRIES)),
        (3, 2, Verdict(move=Move.RETRY_LATE, generation=5, late_generation=5, late_streak=1)),
        (5, 2, Verdict(move=Move.RETRY_LATE, generation=5, late_generation=5, late_streak=2)),
    ],
)
def test_late_retries_count_once_a_generation_and_in_a_row(
    late_generation: int, late_streak: int, verdict: Verdict
) -> None:
    grant = replace(GRANT, late_generation=late_generation, late_streak=late_streak)

    assert judge(grant, 4, ROTATING, now=NOW + 11) == verdict


def test_a_refresh_keeps_what_was_late_so_that_the_next_generation_can_go_on_counting() -> None:
    verdict = judge(replace(GRANT, late_generation=4, late_streak=2), 5, ROTATING, now=NOW)

    assert (verdict.late_generation, verdict.late_streak) == (4, 2)


@pytest.mark.parametrize(
    ("secrets", "rotate", "rotates", "late_limit"),
    [
        ((), None, True, 3),
        ((), True, True, 3),
        ((), False, False, 3),
        (("hash",), None, False, None),
        (("hash",), True, True, None),
        (("hash",), False, False, None),
    ],
)
def test_what_a_policy_leaves_open_depends_on_the_kind_of_client(
    secrets: tuple[str, ...], rotate: bool | None, rotates: bool, late_limit: int | None
) -> None:
    policy = policy_for(Client(client_id="c", secrets=secrets, rotation=RotationPolicy(rotate=rotate)))

    assert (policy.rotate, policy.late_limit) == (rotates, late_limit)


POLICIES = st.builds(
    RotationPolicy,
    rotate=st.booleans(),
    retry_window=st.none() | st.integers(0, 100),
    late_after=st.integers(0, 50),
    late_limit=st.none() | st.integers(1, 4),
    retry_limit=st.integers(0, 5),
    arrival_after=st.integers(0, 50),
)
GRANTS = st.builds(
    lambda **fields: replace(GRANT, **fields),
    generation=st.integers(1, 6),
    confirmed=st.integers(0, 6),
    retries=st.integers(0, 6),
    late_generation=st.integers(0, 6),
    late_streak=st.integers(0, 4),
    idempotency_key=st.sampled_from(["", "k", "l"]),
)


@given(GRANTS, st.integers(0, 8), POLICIES, st.integers(-100, 200), st.sampled_from(["", "k", "l"]))
def test_no_verdict_forks_or_goes_back(
    grant: Grant, presented: int, policy: RotationPolicy, age: int, key: str
) -> None:
    verdict = judge(grant, presented, policy, now=NOW + age, idempotency_key=key)

    assert verdict.generation >= grant.generation
    assert (verdict.reason is not None) is (verdict.move is Move.END)
    if verdict.generation > grant.generation:
        assert presented >= grant.generation
        assert verdict.generation <= presented + 1
    if presented >= grant.generation:
        assert verdict.move in (Move.ROTATE, Move.KEEP, Move.RECOVER)
    if presented < grant.generation - 1:
        assert verdict.move is Move.END
