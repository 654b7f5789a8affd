"""The rule of the heart once more, written apart from the code and as plainly as it is told, to hold the code against.

A grant is the list of what happened to it; what a presented token means is worked out from that, from the start.
"""

from __future__ import annotations

from dataclasses import dataclass, field

OK, REFUSED, WIDE = "ok", "invalid_grant", "invalid_scope"


@dataclass(kw_only=True)
class ModelClient:
    """A client's settings as the model knows them."""

    name: str
    public: bool = True
    rotates: bool = True
    window: int | None = None
    late_after: int = 10
    late_limit: int | None = 3
    retry_limit: int = 200
    arrival_after: int = 120
    access: int = 1800
    idle: int | None = 30 * 86400
    absolute: int = 364 * 86400
    disabled: bool = False


@dataclass(kw_only=True)
class ModelGrant:
    """What happened to a grant."""

    client: str
    subject: str
    offline: bool
    created_at: int
    used_at: int
    issued_at: int
    """When the newest generation was."""
    newest: int = 1
    late: frozenset[int] = frozenset()
    """Generations that were asked for again, late."""
    arrived: bool = False
    """Whether an access token has shown that the newest answer arrived."""
    retries: int = 0
    key: str = ""
    own_end: str = ""
    other_ends: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    """Of all its user's, client's, consent's or session's: when, which comes first of one time, why."""

    @property
    def end(self) -> str:
        """Return why it ended by somebody's act; empty where it did not."""
        first = min(self.other_ends.values(), default=(0, 0, ""))
        return self.own_end or first[2]

    def expired(self, client: ModelClient, now: int) -> tuple[str, int]:
        """Return how and since when it is over by itself; nothing where it is not."""
        if not self.offline:
            over_at = self.issued_at + client.access
            return ("expired_absolute", over_at) if now >= over_at else ("", 0)
        over_at = self.created_at + client.absolute
        unused_at = over_at if client.idle is None else self.used_at + client.idle
        if now < min(over_at, unused_at):
            return "", 0
        return ("expired_idle", unused_at) if unused_at < over_at else ("expired_absolute", over_at)

    def alive(self, client: ModelClient, now: int) -> bool:
        return not self.end and not self.expired(client, now)[0]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a refresh must answer: the generation of the refresh token, or why there is none."""

    answer: str
    generation: int = 0
    reason: str = ""


def refresh(grant: ModelGrant, client: ModelClient, presented: int, *, now: int, key: str, wide: bool) -> Expected:
    """Do to the model what a refresh does, and return what it must answer."""
    if grant.client != client.name:
        return Expected(answer=REFUSED)
    over, since = grant.expired(client, now)
    if grant.end or over:
        refused = Expected(answer=REFUSED, reason=grant.end or over)
        if not grant.end and now - since >= 600:
            grant.own_end = over
        return refused
    if presented >= grant.newest:
        return _use(grant, client, presented, now=now, key=key, wide=wide)
    grant.own_end = _theft(grant, client, presented, now=now, key=key)
    if grant.own_end:
        return Expected(answer=REFUSED, reason=grant.own_end)
    return _retry(grant, client, now=now, key=key, wide=wide)


def _retry(grant: ModelGrant, client: ModelClient, *, now: int, key: str, wide: bool) -> Expected:
    if grant.retries >= client.retry_limit:
        return Expected(answer=REFUSED)
    if wide:
        return Expected(answer=WIDE)
    if _late(grant, client, now, key):
        grant.late |= {grant.newest}
    grant.retries += 1
    return Expected(answer=OK, generation=grant.newest)


def _use(grant: ModelGrant, client: ModelClient, presented: int, *, now: int, key: str, wide: bool) -> Expected:
    if wide:
        return Expected(answer=WIDE)
    following = presented + 1 if client.rotates else presented
    if following > grant.newest:
        grant.newest, grant.issued_at, grant.used_at = following, now, now
        grant.key, grant.retries, grant.arrived = key, 0, False
    elif now - grant.used_at >= min(60, (client.idle or 6000) // 100):
        grant.used_at, grant.key = now, key
    return Expected(answer=OK, generation=following)


def _same_attempt(grant: ModelGrant, key: str) -> bool:
    return key == grant.key != ""


def _late(grant: ModelGrant, client: ModelClient, now: int, key: str) -> bool:
    return now - grant.issued_at > client.late_after and not _same_attempt(grant, key)


def _theft(grant: ModelGrant, client: ModelClient, presented: int, *, now: int, key: str) -> str:
    if presented < grant.newest - 1 or grant.arrived or client.window == 0:
        return "reused"
    if client.window is not None and now - grant.issued_at > client.window and not _same_attempt(grant, key):
        return "reused"
    in_a_row = 1
    while grant.newest - in_a_row in grant.late:
        in_a_row += 1
    limited = client.public and client.late_limit is not None and grant.retries < client.retry_limit
    if limited and _late(grant, client, now, key) and in_a_row >= (client.late_limit or 0):
        return "late_retries"
    return ""
