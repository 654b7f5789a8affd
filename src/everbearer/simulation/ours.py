"""Everbearer's own rule: the very function that the server runs, on the very row that the server keeps."""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.client import Client, RotationPolicy
from everbearer.oauth.models import Authentication, Grant
from everbearer.oauth.tokens.rotation import Move, judge, policy_for
from everbearer.simulation.policy import FIRST, REFUSED, Policy

DEFAULT = RotationPolicy()

_NEW_GRANT = Grant(
    grant_id="simulated",
    client_id="simulated",
    subject="simulated",
    scope=(),
    secret=b"",
    offline=True,
    authentication=Authentication(subject="simulated", auth_time=0),
    created_at=0,
    rotated_at=0,
    used_at=0,
    generation=FIRST,
)


class OurFamily:
    """A grant. What follows a verdict is what the refresh token grant writes into the row."""

    __slots__ = ("ended", "grant", "most_retries", "policy")

    def __init__(self, policy: RotationPolicy) -> None:
        self.ended = False
        self.grant = _NEW_GRANT
        self.policy = policy
        self.most_retries = 0

    def refresh(self, token: int, now: int, key: str) -> int:
        """Judge, and write."""
        if self.ended:
            return REFUSED
        verdict = judge(self.grant, token, self.policy, now=now, idempotency_key=key)
        if verdict.move in (Move.END, Move.REFUSE):
            self.ended = verdict.move is Move.END
            return REFUSED
        if verdict.move in (Move.RETRY, Move.RETRY_LATE):
            retries = self.grant.retries + 1
            self.most_retries = max(self.most_retries, retries)
            self.grant = replace(
                self.grant,
                retries=retries,
                late_generation=verdict.late_generation,
                late_streak=verdict.late_streak,
            )
        elif verdict.generation != self.grant.generation:
            self.grant = replace(
                self.grant,
                generation=verdict.generation,
                rotated_at=now,
                used_at=now,
                retries=0,
                idempotency_key=key,
            )
        return verdict.generation

    def seen(self, token: int, now: int) -> None:
        """Confirm that the newest answer arrived, as the endpoints that see an access token do."""
        if token == self.grant.generation and now - self.grant.rotated_at > self.policy.arrival_after:
            self.grant = replace(self.grant, confirmed=token)


def our_policy(
    name: str, rotation: RotationPolicy = DEFAULT, *, keyed: bool = False, sees: bool = False, public: bool = True
) -> Policy:
    """Return a policy of ours under these settings, for a public client or one with a secret."""
    client = Client(client_id="simulated", rotation=rotation, secrets=() if public else ("simulated",))
    policy = policy_for(client)
    return Policy(name=name, start=lambda: OurFamily(policy), ours=True, keyed=keyed, sees=sees)


OURS = (
    our_policy("ours, strict", RotationPolicy(retry_window=0)),
    our_policy("ours, within 10 s", RotationPolicy(retry_window=10)),
    our_policy("ours, within 60 s", RotationPolicy(retry_window=60)),
    our_policy("ours, within 60 s, key", RotationPolicy(retry_window=60), keyed=True),
    our_policy("ours, within 10 min", RotationPolicy(retry_window=600)),
    our_policy("ours, late limit 1", RotationPolicy(late_limit=1)),
    our_policy("ours, late limit 2", RotationPolicy(late_limit=2)),
    our_policy("ours, late limit 2, key", RotationPolicy(late_limit=2), keyed=True),
    our_policy("ours, default"),
    our_policy("ours, default, key", keyed=True),
    our_policy("ours, default, introspected", sees=True),
    our_policy("ours, arrival after 10 s", RotationPolicy(arrival_after=10), sees=True),
    our_policy("ours, arrival after 60 s", RotationPolicy(arrival_after=60), sees=True),
    our_policy("ours, late after 2 s", RotationPolicy(late_after=2)),
    our_policy("ours, late after 60 s", RotationPolicy(late_after=60)),
    our_policy("ours, late limit 5", RotationPolicy(late_limit=5)),
    our_policy("ours, no late limit", RotationPolicy(late_limit=None)),
    our_policy("ours, not rotated", public=False),
)
"""The defaults, and what stands on either side of each of them."""
