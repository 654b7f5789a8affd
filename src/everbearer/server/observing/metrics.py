"""What a process counts about itself, for Prometheus. Counting is adding in a dictionary: no lock, no I/O.

Labels are bounded: paths of the table, words of the protocol and of this package; never what a request says.
"""

from __future__ import annotations

import os
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import EndReason

Labels: TypeAlias = tuple[str, ...]
Series: TypeAlias = tuple[Labels, list[float]]
"""One row of a family: a number for a counter or gauge; for a histogram its buckets, what is above, and the sum."""
Snapshot: TypeAlias = dict[str, list[Series]]
"""All that one process has counted, by the name of the family."""
Gauge: TypeAlias = Callable[[], Mapping[Labels, float]]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
VERBS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
WAITING = "waiting"
"""What a store calls it that waits for a connection: the one state that no connection is in."""
OTHER = "other"
"""The label of every path that is not of the table, every method that is unusual and every reason that is not ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric. `together` says what becomes of a gauge's values of several processes."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    words: str
    labels: Labels = ()
    bounds: tuple[float, ...] = ()
    together: Literal["sum", "highest"] = "sum"


REQUESTS = Family(
    name="everbearer_requests_total",
    kind="counter",
    words="Requests answered, by path, method, status and OAuth error.",
    labels=("endpoint", "method", "status", "error"),
)
REQUEST_SECONDS = Family(
    name="everbearer_request_seconds",
    kind="histogram",
    words="Seconds from a whole request to its answer.",
    labels=("endpoint",),
    bounds=SECONDS,
)
REQUESTS_UNDER_WAY = Family(name="everbearer_requests_under_way", kind="gauge", words="Requests not answered yet.")
REFRESHES = Family(
    name="everbearer_refreshes_total",
    kind="counter",
    words="Refreshes by outcome: rotated, refreshed (the token stays), retried, retried_late, recovered, refused.",
    labels=("outcome", "reason"),
)
CODES_REFUSED = Family(
    name="everbearer_codes_refused_total",
    kind="counter",
    words="Authorization codes refused, by reason.",
    labels=("reason",),
)
CLIENT_AUTHENTICATION_FAILURES = Family(
    name="everbearer_client_authentication_failures_total",
    kind="counter",
    words="Clients that did not prove who they are, by whether such a client is known.",
    labels=("client",),
)
SIGN_INS = Family(
    name="everbearer_sign_ins_total",
    kind="counter",
    words="Passwords typed into the sign-in page, by outcome: signed_in, wrong, limited.",
    labels=("outcome",),
)
LOGOUT_TOKENS = Family(
    name="everbearer_logout_tokens_total",
    kind="counter",
    words="Tries to deliver a logout token, by outcome: delivered, failed (tried again later), refused, given_up.",
    labels=("outcome",),
)
WRITE_VERBS = Family(
    name="everbearer_store_write_verbs",
    kind="histogram",
    words="Verbs that shared one transaction of the store, spends of refresh tokens among them.",
    bounds=VERBS,
)
WRITE_SECONDS = Family(
    name="everbearer_store_write_seconds",
    kind="histogram",
    words="Seconds of one transaction of the store, waiting for other processes and the flush to the disk included.",
    bounds=SECONDS,
)
WRITE_FAILURES = Family(
    name="everbearer_store_write_failures_total",
    kind="counter",
    words="Transactions of the store that could not be made; callers were told to come again, or waited on.",
)
CONNECTIONS = Family(
    name="everbearer_database_connections",
    kind="gauge",
    words="Connections to PostgreSQL by state: in_use, idle.",
    labels=("state",),
)
CONNECTIONS_AWAITED = Family(
    name="everbearer_database_connections_awaited",
    kind="gauge",
    words="Reads and writes that wait for a connection to PostgreSQL.",
)
PASSWORDS_UNDER_WAY = Family(
    name="everbearer_password_pool_under_way", kind="gauge", words="Passwords being hashed or waiting for it."
)
PASSWORDS_REFUSED = Family(
    name="everbearer_password_pool_refused_total",
    kind="counter",
    words="Passwords not looked at because too many waited.",
)
KEY_AGE = Family(
    name="everbearer_signing_key_age_seconds",
    kind="gauge",
    words="Seconds for which the key that signs has signed.",
    labels=("alg",),
    together="highest",
)
WORKERS = Family(name="everbearer_workers", kind="gauge", words="Processes that answer requests.")
MEMORY = Family(
    name="everbearer_resident_memory_bytes", kind="gauge", words="Memory in use, of all processes that answer requests."
)
CPU = Family(
    name="everbearer_cpu_seconds_total",
    kind="counter",
    words="Processor time used by all processes that answer requests.",
)
YOUNGEST = Family(
    name="everbearer_worker_start_time_seconds",
    kind="gauge",
    words="When the youngest process that answers requests was started, since 1970.",
    together="highest",
)

FAMILIES = (
    REQUESTS,
    REQUEST_SECONDS,
    REQUESTS_UNDER_WAY,
    REFRESHES,
    CODES_REFUSED,
    CLIENT_AUTHENTICATION_FAILURES,
    SIGN_INS,
    LOGOUT_TOKENS,
    WRITE_VERBS,
    WRITE_SECONDS,
    WRITE_FAILURES,
    CONNECTIONS,
    CONNECTIONS_AWAITED,
    PASSWORDS_UNDER_WAY,
    PASSWORDS_REFUSED,
    KEY_AGE,
    WORKERS,
    MEMORY,
    CPU,
    YOUNGEST,
)

LOGOUT_OUTCOMES: Mapping[EventKind, str] = {
    EventKind.LOGOUT_TOKEN_DELIVERED: "delivered",
    EventKind.LOGOUT_TOKEN_FAILED: "failed",
    EventKind.LOGOUT_TOKEN_REFUSED: "refused",
    EventKind.LOGOUT_TOKEN_GIVEN_UP: "given_up",
}

REASONS: frozenset[str] = frozenset(EndReason) | {
    "not authentic",
    "no such grant",
    "another client's",
    "retry limit",
    "redirect_uri",
    "code_verifier",
    "ended",
}


HEARS = frozenset(
    {
        EventKind.TOKEN_REFRESHED,
        EventKind.INVALID_GRANT,
        EventKind.CLIENT_AUTHENTICATION_FAILED,
        EventKind.SIGNED_IN,
        EventKind.SIGN_IN_FAILED,
        *LOGOUT_OUTCOMES,
    }
)
"""The kinds of events that are counted."""


class Metrics:
    """What one process has counted since it began. One thread adds to a family; any may take the snapshot."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[Labels, int]] = {
            family.name: defaultdict(int) for family in FAMILIES if family.kind == "counter"
        }
        self._histograms: dict[str, dict[Labels, list[float]]] = {
            family.name: defaultdict(partial(_empty, family)) for family in FAMILIES if family.kind == "histogram"
        }
        self._gauges: dict[str, Gauge] = {}
        for rows in (self._counts, self._histograms):
            for family in FAMILIES:
                if family.name in rows and not family.labels and family is not CPU:
                    rows[family.name][()]  # It stands at 0 from the beginning.
        self.requests_under_way = 0
        started = time.time()
        self.watch(REQUESTS_UNDER_WAY, lambda: {(): self.requests_under_way})
        self.watch(WORKERS, lambda: {(): 1})
        self.watch(YOUNGEST, lambda: {(): started})
        self.watch(CPU, lambda: {(): time.process_time()})
        self.watch(MEMORY, _memory)

    def add(self, family: Family, *labels: str) -> None:
        """Count one more."""
        self._counts[family.name][labels] += 1

    def observe(self, family: Family, value: float, *labels: str) -> None:
        """Put a value into its bucket."""
        row = self._histograms[family.name][labels]
        row[bisect_left(family.bounds, value)] += 1
        row[-1] += value

    def watch(self, family: Family, gauge: Gauge) -> None:
        """Let a family be read when it is asked for, instead of counted."""
        self._gauges[family.name] = gauge

    def watch_connections(self, connections: Callable[[], Mapping[str, int]]) -> None:
        """Let a store tell how many connections it has in each state, and how much waits for one, if it has any."""
        self.watch(CONNECTIONS, lambda: {(each,): count for each, count in connections().items() if each != WAITING})
        self.watch(CONNECTIONS_AWAITED, lambda: {(): states[WAITING]} if (states := connections()) else {})

    def written(self, verbs: int, seconds: float) -> None:
        """Note one transaction of the store; `verbs` is 0 where it failed."""
        self.observe(WRITE_SECONDS, seconds)
        if verbs:
            self.observe(WRITE_VERBS, verbs)
        else:
            self.add(WRITE_FAILURES)

    def hear(self, event: Event) -> None:
        """Count what the protocol and the pages tell of."""
        details = event.details
        if event.kind is EventKind.TOKEN_REFRESHED:
            self.add(REFRESHES, details["happening"], "")
        elif event.kind is EventKind.INVALID_GRANT:
            reason = details["reason"] if details["reason"] in REASONS else OTHER
            if details["grant_type"] == "refresh_token":
                self.add(REFRESHES, "refused", reason)
            else:
                self.add(CODES_REFUSED, reason)
        elif event.kind is EventKind.CLIENT_AUTHENTICATION_FAILED:
            self.add(CLIENT_AUTHENTICATION_FAILURES, "known" if event.client_id else "unknown")
        elif event.kind is EventKind.SIGNED_IN:
            self.add(SIGN_INS, "signed_in")
        elif event.kind is EventKind.SIGN_IN_FAILED:
            self.add(SIGN_INS, "limited" if details.get("reason") == "too many attempts" else "wrong")
        elif event.kind in LOGOUT_OUTCOMES:
            self.add(LOGOUT_TOKENS, LOGOUT_OUTCOMES[event.kind])

    def snapshot(self) -> Snapshot:
        """Return all of it, as a value that JSON can carry."""
        rows: Snapshot = {}
        for name, gauge in self._gauges.items():
            rows[name] = [(labels, [float(value)]) for labels, value in gauge().items()]
        # Copied at once, for another thread may add a row in the meantime.
        for name, counts in self._counts.items():
            if counts:
                rows[name] = [(labels, [float(count)]) for labels, count in list(counts.items())]
        for name, histogram in self._histograms.items():
            rows[name] = [(labels, list(row)) for labels, row in list(histogram.items())]
        return rows


def _empty(family: Family) -> list[float]:
    return [0.0] * (len(family.bounds) + 2)


def _memory() -> Mapping[Labels, float]:
    # Only Linux tells it in a file; elsewhere there is no such row.
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return {}
    return {(): pages * os.sysconf("SC_PAGE_SIZE")}
