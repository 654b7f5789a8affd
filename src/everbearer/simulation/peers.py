"""The rotation policies found in the field, each as small as it can be written."""

from __future__ import annotations

from everbearer.simulation.policy import FIRST, REFUSED, Policy, Unseeing


class Strict(Unseeing):
    """Single use. A spent token is refused, and where the policy says so its family ends."""

    def __init__(self, *, revokes: bool) -> None:
        self.ended = False
        self.newest = FIRST
        self.revokes = revokes

    def refresh(self, token: int, now: int, key: str) -> int:  # noqa: ARG002 - no clock, no keys
        """Answer the newest only."""
        if self.ended or token != self.newest:
            self.ended = self.revokes
            return REFUSED
        self.newest += 1
        return self.newest


class Forking(Unseeing):
    """Time of grace: a spent token gets a new pair at each use until its time is over; after that its family ends."""

    def __init__(self, *, grace: int) -> None:
        self.ended = False
        self.grace = grace
        self.issued = FIRST
        self.spent_at: dict[int, int] = {}

    def refresh(self, token: int, now: int, key: str) -> int:  # noqa: ARG002 - no keys
        """Answer a token of its own to whoever comes in time."""
        if self.ended or now - self.spent_at.setdefault(token, now) > self.grace:
            self.ended = True
            return REFUSED
        self.issued += 1
        return self.issued


class Counting(Unseeing):
    """A count: the token used last may come `reuses` times more; one issued before the last refresh is stale."""

    def __init__(self, *, reuses: int) -> None:
        self.ended = False
        self.reuses = reuses
        self.last, self.uses, self.refreshed_at = FIRST, 0, 0
        self.issued_at = [0, 0]

    def refresh(self, token: int, now: int, key: str) -> int:  # noqa: ARG002 - no keys
        """Answer a new pair as long as the count allows."""
        stale = token != self.last and self.issued_at[token] < self.refreshed_at
        if token != self.last:
            self.last, self.uses = token, 0
        if self.ended or stale or self.uses > self.reuses:
            self.ended = True
            return REFUSED
        self.uses += 1
        self.refreshed_at = now
        self.issued_at.append(now)
        return len(self.issued_at) - 1


class SameSuccessor(Unseeing):
    """A window: a spent token gets its one successor again until its time is over; after that its family ends."""

    def __init__(self, *, window: int) -> None:
        self.ended = False
        self.window = window
        self.spent_at: list[int] = []

    def refresh(self, token: int, now: int, key: str) -> int:  # noqa: ARG002 - no keys
        """Answer the successor, used already or not."""
        if token == len(self.spent_at) + FIRST:
            self.spent_at.append(now)
        if self.ended or now - self.spent_at[token - FIRST] > self.window:
            self.ended = True
            return REFUSED
        return token + 1


class OneBehind(Unseeing):
    """A counter: the newest is spent; the one before it gets the newest, as does any other spent within the window."""

    def __init__(self, *, window: int) -> None:
        self.ended = False
        self.window = window
        self.spent_at: list[int] = []

    def refresh(self, token: int, now: int, key: str) -> int:  # noqa: ARG002 - no keys
        """Answer the newest to who is no more than one behind."""
        newest = len(self.spent_at) + FIRST
        if token == newest:
            self.spent_at.append(now)
            newest += 1
        if self.ended or (token < newest - 1 and now - self.spent_at[token - FIRST] > self.window):
            self.ended = True
            return REFUSED
        return newest


class Confirming:
    """Confirm by use: a token gets a new pair at each use, and is over when one of these is used. No family ends."""

    def __init__(self, *, newest_only: bool) -> None:
        self.ended = False
        self.newest_only = newest_only
        """A new pair takes the place of the one before it that was never used."""
        self.issued = FIRST
        self.parents = {FIRST: REFUSED}

    def refresh(self, token: int, now: int, key: str) -> int:  # noqa: ARG002 - no keys
        """Answer a new pair to a token that is not over."""
        if token not in self.parents:
            return REFUSED
        self.seen(token, now)
        if self.newest_only:
            self.parents = {token: self.parents[token]}
        self.issued += 1
        self.parents[self.issued] = token
        return self.issued

    def seen(self, token: int, now: int) -> None:  # noqa: ARG002 - no clock
        """Take the token that this one came from out of use."""
        self.parents.pop(self.parents.get(token, REFUSED), None)


class Unrotated(Unseeing):
    """One token, for ever."""

    ended = False

    def refresh(self, token: int, now: int, key: str) -> int:  # noqa: ARG002 - whoever comes, whenever
        """Answer with the same."""
        return token


PEERS = (
    Policy(name="strict, family ends", start=lambda: Strict(revokes=True)),
    Policy(name="strict, family lives", start=lambda: Strict(revokes=False)),
    Policy(name="grace of 5 s, forks", start=lambda: Forking(grace=5)),
    Policy(name="grace of 30 s, forks", start=lambda: Forking(grace=30)),
    Policy(name="grace of 5 min, forks", start=lambda: Forking(grace=300)),
    Policy(name="grace of 30 min, forks", start=lambda: Forking(grace=1800)),
    Policy(name="count, 1 reuse", start=lambda: Counting(reuses=1)),
    Policy(name="count, 5 reuses", start=lambda: Counting(reuses=5)),
    Policy(name="same successor for 10 s", start=lambda: SameSuccessor(window=10)),
    Policy(name="same successor for 60 s", start=lambda: SameSuccessor(window=60)),
    Policy(name="same successor for 10 min", start=lambda: SameSuccessor(window=600)),
    Policy(name="one behind, or 10 s", start=lambda: OneBehind(window=10)),
    Policy(name="confirm by use, forks", start=lambda: Confirming(newest_only=False), sees=True),
    Policy(name="confirm by use, newest", start=lambda: Confirming(newest_only=True), sees=True),
    Policy(name="no rotation", start=Unrotated),
)
"""What else there is."""
