"""The rotation rule: what a presented refresh token means, given the grant's newest generation. Pure.

With the newest generation g:

- g is the newest: it is spent, and g + 1 answers (or, where the policy does not rotate, g again).
- g - 1 was answered with g, which has not come back yet: an answer was lost, or two asked at once. The same g answers
  again while the policy's window is open; after that it is theft.
- less than g - 1: its successor has been used. Theft.
- more than g: the store has lost its latest writes (a restored backup). It is spent as if it were the newest.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import lru_cache

from everbearer.oauth.client import Client, RotationPolicy
from everbearer.oauth.models import EndReason, Grant


class Move(Enum):
    """What to do with a presented refresh token."""

    ROTATE = auto()
    """Spend it; the next generation answers."""
    KEEP = auto()
    """Answer with the same generation: the policy does not rotate."""
    RETRY = auto()
    """Answer with the newest generation again."""
    RETRY_LATE = auto()
    """The same, and note that it came late."""
    RECOVER = auto()
    """Spend it, though the store had forgotten it."""
    REFUSE = auto()
    """Refuse it; the grant lives."""
    END = auto()
    """It is theft: end the grant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do, with the grant's generation after it and, where the grant must end, the reason."""

    move: Move
    generation: int
    late_generation: int = 0
    late_streak: int = 0
    reason: EndReason | None = None


def policy_for(client: Client) -> RotationPolicy:
    """Return a client's policy with what depends on its kind filled in."""
    return _resolved(client.rotation, client.public)


@lru_cache(maxsize=256)
def _resolved(policy: RotationPolicy, public: bool) -> RotationPolicy:  # noqa: FBT001 - the key of a cache
    if public:
        return replace(policy, rotate=policy.rotate is not False)
    return replace(policy, rotate=bool(policy.rotate), late_limit=None)


def judge(grant: Grant, presented: int, policy: RotationPolicy, *, now: int, idempotency_key: str = "") -> Verdict:
    """Return what a presented generation means for a grant that is alive.

    `idempotency_key` is the hash of the request's key, empty where it had none.
    """
    newest = grant.generation
    if presented > newest:
        return _spend(Move.RECOVER, grant, presented + 1 if policy.rotate else presented)
    if presented == newest:
        return _spend(Move.ROTATE, grant, newest + 1) if policy.rotate else _spend(Move.KEEP, grant, newest)
    if presented < newest - 1:
        return _end(grant, EndReason.REUSED)
    return _judge_retry(grant, policy, max(0, now - grant.rotated_at), idempotency_key)


def _judge_retry(grant: Grant, policy: RotationPolicy, age: int, idempotency_key: str) -> Verdict:
    if grant.confirmed >= grant.generation:
        return _end(grant, EndReason.REUSED)
    strict = policy.retry_window == 0
    same_attempt = bool(idempotency_key) and hmac.compare_digest(idempotency_key, grant.idempotency_key)
    if strict or (not same_attempt and policy.retry_window is not None and age > policy.retry_window):
        return _end(grant, EndReason.REUSED)
    if grant.retries >= policy.retry_limit:
        return _spend(Move.REFUSE, grant, grant.generation)
    if same_attempt or age <= policy.late_after:
        return _spend(Move.RETRY, grant, grant.generation)
    return _judge_late(grant, policy)


def _judge_late(grant: Grant, policy: RotationPolicy) -> Verdict:
    streak = _late_streak(grant)
    # An honest client is late now and then; a thief in step with his victim is late, or makes him late, every time.
    if policy.late_limit is not None and streak >= policy.late_limit:
        return _end(grant, EndReason.LATE_RETRIES)
    return Verdict(
        move=Move.RETRY_LATE, generation=grant.generation, late_generation=grant.generation, late_streak=streak
    )


def _late_streak(grant: Grant) -> int:
    if grant.late_generation == grant.generation:
        return grant.late_streak
    return grant.late_streak + 1 if grant.late_generation == grant.generation - 1 else 1


def _spend(move: Move, grant: Grant, generation: int) -> Verdict:
    return Verdict(
        move=move, generation=generation, late_generation=grant.late_generation, late_streak=grant.late_streak
    )


def _end(grant: Grant, reason: EndReason) -> Verdict:
    return Verdict(move=Move.END, generation=grant.generation, reason=reason)
