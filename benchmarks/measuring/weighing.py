"""What one refresh costs on PostgreSQL where each is of another grant: processors, WAL, room.

It is what the capacity page reckons with. The other parts refresh a few grants over and over, whose pages are always
at hand; users do not.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from measuring.contenders.everbearer import Installation, install, serving
from measuring.filling import fill
from measuring.growing import LIVED
from measuring.load import Call, Sample, Target, measure
from measuring.paths import WORK
from measuring.postgresql import Cluster, cluster
from measuring.processes import NotStarted
from measuring.rounds import SETTLE, Pace
from measuring.setup import Missing, say

WORKERS = 2
CONNECTIONS = 16
FULL, QUICK = 1_000_000, 100_000
"""How many grants there are."""
FASTEST = 4000
"""Refreshes per second that are hardly exceeded: for each of them there is a grant of its own, while grants last."""
PLAIN, COMPRESSED = "plain", "wal_compression"
TURNS = (PLAIN, COMPRESSED)

_COUNTS = """
SELECT pg_current_wal_insert_lsn() - '0/0', wal_fpi, (SELECT sum(generation) FROM grants) FROM pg_stat_wal
"""
_WRITTEN = """
SELECT sum(record_size), sum(fpi_size) FROM pg_get_wal_stats('0/0'::pg_lsn + {begin}, '0/0'::pg_lsn + {end}, true)
"""
_HOT = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'grants'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One turn, begun at a checkpoint. The WAL is that of all refreshes of it, warm-up included."""

    refreshes: Sample
    count: int
    record_bytes: int
    images: int
    """Of whole pages."""
    image_bytes: int


def duration(grants: int, pace: Pace) -> float:
    """Return about how many seconds this takes."""
    return len(TURNS) * pace.rounds * (pace.turn + 5) + grants / 15_000


def weigh(grants: int, pace: Pace) -> dict[str, Any]:
    """Measure, and return what came of it, as it stands in the results file."""
    found: dict[str, Any] = {"pace": asdict(pace), "grants": grants, "absent": {}, "turns": {}}
    try:
        with _serving(grants) as (server, installation, target, now):
            calls = _calls(installation, grants, pace, now)
            chains = {name: len(call.tokens) // pace.rounds for name, call in calls.items()}
            turns: dict[str, list[dict[str, Any]]] = {name: [] for name in TURNS}
            for number in range(pace.rounds * len(TURNS)):
                name = TURNS[(number + number // len(TURNS)) % len(TURNS)]
                turn = _turn(name, calls[name], server, target, pace, chains=chains[name])
                turns[name].append(asdict(turn))
            updates, hot = (int(each) for each in server.run("weighing", _HOT).split("|"))
            size = int(server.run("weighing", "SELECT pg_total_relation_size('grants')"))
            found |= {"turns": turns, "bytes_per_grant": round(size / grants), "hot": round(hot / updates, 3)}
    except (NotStarted, Missing, RuntimeError, OSError) as error:
        say(f"capacity is not measured: {error}")
        found["absent"]["postgresql"] = str(error)
    return found


@contextmanager
def _serving(grants: int) -> Iterator[tuple[Cluster, Installation, Target, int]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=WORK, prefix="weighing-")))
        server = stack.enter_context(cluster())
        installation = install(folder, workers=WORKERS, database=server.create("weighing"))
        server.run("weighing", "CREATE EXTENSION pg_walinspect")
        now = int(time.time())
        say(f"filling in {grants} grants")
        fill(installation.database, LIVED, grants, now=now)
        target = stack.enter_context(serving(installation, {}, database=(server.pid,)))
        yield server, installation, target, now


def _calls(installation: Installation, grants: int, pace: Pace, now: int) -> dict[str, Call]:
    """Return refreshes of which no grant is in two turns: each presents the token that its grant was filled in with."""
    half = min(grants // 2, round(FASTEST * (pace.warm_up + pace.seconds)) * pace.rounds)
    everything = installation.refresh(LIVED, count=2 * half, of=grants, now=now)
    return {
        PLAIN: replace(everything, tokens=everything.tokens[:half]),
        COMPRESSED: replace(everything, tokens=everything.tokens[half:]),
    }


def _turn(name: str, call: Call, server: Cluster, target: Target, pace: Pace, *, chains: int) -> Weighed:
    server.run("postgres", f"ALTER SYSTEM SET wal_compression = {'on' if name == COMPRESSED else 'off'}")
    server.run("postgres", "SELECT pg_reload_conf()")
    server.run("postgres", "CHECKPOINT")
    before = _numbers(server, _COUNTS)
    refreshes = measure(
        target, call, connections=CONNECTIONS, warm_up=pace.warm_up, seconds=pace.seconds, chains=chains
    )
    # What was counted is told by the sessions when they have been idle for a while.
    time.sleep(1 + SETTLE)
    after = _numbers(server, _COUNTS)
    images, count = after[1] - before[1], after[2] - before[2]
    records, whole = _numbers(server, _WRITTEN.format(begin=before[0], end=after[0]))
    say(
        f"{name}: {refreshes.rate:.0f}/s, CPU {refreshes.server_cpu:.2f} + {refreshes.database_cpu:.2f} ms, "
        f"{records / count:.0f} bytes of WAL, {images / count:.2f} images of {whole / images:.0f} bytes"
    )
    return Weighed(refreshes=refreshes, count=count, record_bytes=records, images=images, image_bytes=whole)


def _numbers(server: Cluster, query: str) -> list[int]:
    return [int(float(each)) for each in server.run("weighing", query).split("|")]
