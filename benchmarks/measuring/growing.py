"""What growth costs: many grants, old ones, a purge beside load, room for each, the time to the first answer."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from everbearer.oauth.models import HISTORY_LENGTH

from measuring.contenders.contender import REFRESH
from measuring.contenders.everbearer import Installation, install, serving
from measuring.filling import Kind, fill
from measuring.load import Sample, Target, measure
from measuring.paths import WORK
from measuring.postgresql import Cluster, cluster, run_sql
from measuring.processes import NotStarted
from measuring.rounds import Pace, in_turns
from measuring.setup import Missing, say

WORKERS = 2
CONNECTIONS = 16
SMALL = 20_000
YEARS = 2 * 365 * 24 * 60 * 60
ROOM = 10_000
"""Bytes of disk to have at hand for each grant, logs of the databases included."""
MOST_PURGE_TURNS = 40

FRESH = Kind(name="fresh", client_id="rotating")
LIVED = Kind(name="lived", client_id="rotating", generation=40, history=HISTORY_LENGTH)
"""Refreshed now and then: its history is as long as it gets."""
OLD = Kind(name="old", client_id="rotating", generation=100_000, history=HISTORY_LENGTH)
DEAD = Kind(name="dead", client_id="rotating", generation=40, history=HISTORY_LENGTH, age=YEARS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many grants to fill in."""

    live: tuple[int, ...]
    dead: int


FULL = Sizes(live=(10_000, 1_000_000, 5_000_000), dead=1_000_000)
QUICK = Sizes(live=(10_000, 100_000), dead=50_000)
DATABASES = ("sqlite", "postgresql")


def duration(sizes: Sizes, pace: Pace) -> float:
    """Return about how many seconds this takes: mostly filling, at about 15,000 grants a second."""
    measuring = len(DATABASES) * (len(sizes.live) + 2 + 2) * pace.rounds * pace.turn
    return measuring + len(DATABASES) * (sum(sizes.live) + 2 * sizes.dead) / 15_000


def grow(sizes: Sizes, pace: Pace, only: Sequence[str]) -> dict[str, Any]:
    """Measure growth on each database and return what came of it, as it stands in the results file."""
    found: dict[str, Any] = {"pace": asdict(pace), "absent": {}, "databases": {}}
    for database in DATABASES:
        if only and not any(fnmatch(f"everbearer-{database}", pattern) for pattern in only):
            continue
        try:
            with _databases(database) as make:
                found["databases"][database] = {
                    "sizes": _sizes(make, _fitting(sizes.live, found["absent"]), pace),
                    "bytes_per_grant": _room(make),
                    "purge": _purge(make, sizes.dead, pace),
                }
        except (NotStarted, Missing, RuntimeError, OSError) as error:
            say(f"growth on {database} is not measured: {error}")
            found["absent"][database] = str(error)
    return found


Make = Callable[[str], Installation]
"""Makes an installation on a database of its own, named."""


@contextmanager
def _databases(kind: str) -> Iterator[Make]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=WORK, prefix="growth-")))
        servers: list[Cluster] = [stack.enter_context(cluster())] if kind == "postgresql" else []

        def make(name: str) -> Installation:
            own = folder / name
            own.mkdir()
            if not servers:
                return install(own, workers=WORKERS)
            url = servers[0].create(f"growth_{name}_{secrets.token_hex(4)}")
            return install(own, workers=WORKERS, database=url)

        yield make


def _fitting(live: tuple[int, ...], absent: dict[str, str]) -> tuple[int, ...]:
    """Leave out what the disk has no room for."""
    free = min(shutil.disk_usage(WORK).free, shutil.disk_usage("/var/tmp").free)  # noqa: S108 - where PostgreSQL writes
    fitting = tuple(size for size in live if size * ROOM < free)
    absent |= {f"{size} grants": "the disk has too little room" for size in live if size not in fitting}
    return fitting


def _sizes(make: Make, live: tuple[int, ...], pace: Pace) -> dict[str, Any]:
    """Measure the same load on databases of different sizes, and on grants of different ages, in turns."""
    now, chains = int(time.time()), CONNECTIONS * pace.rounds
    filled: dict[str, float] = {}
    with ExitStack() as stack:
        targets: dict[str, Target] = {}
        for size in live:
            installation = make(f"live_{size}")
            say(f"filling in {size} grants")
            filled[str(size)] = round(fill(installation.database, LIVED, size, now=now), 1)
            call = installation.refresh(LIVED, count=chains, of=size, now=now)
            # The small one also has grants that were never refreshed, and some refreshed a hundred thousand times.
            others = (FRESH, OLD) if size == live[0] else ()
            for kind in others:
                fill(installation.database, kind, chains, now=now)
            target = stack.enter_context(serving(installation, {REFRESH: call}))
            targets[str(size)] = target
            for kind in others:
                own = {REFRESH: installation.refresh(kind, count=chains, of=chains, now=now)}
                targets[kind.name] = replace(target, calls=own)
        samples, failed = in_turns(targets, REFRESH, connections=CONNECTIONS, pace=pace)
        ready = {name: round(target.ready_after, 2) for name, target in targets.items()}
    return {
        "samples": {name: [asdict(sample) for sample in taken] for name, taken in samples.items()},
        "failed": failed,
        "ready_after": ready,
        "filled_in_seconds": filled,
    }


def _room(make: Make) -> dict[str, int]:
    """Return how many bytes a grant takes, its indexes included: a fresh one, and one refreshed often."""
    taken: dict[str, int] = {}
    for kind in (FRESH, LIVED):
        database = make(f"room_{kind.name}").database
        empty = _bytes(database)
        fill(database, kind, SMALL)
        taken[kind.name] = round((_bytes(database) - empty) / SMALL)
    return taken


def _bytes(database: str) -> int:
    if database.startswith("postgresql://"):
        return int(run_sql(database, "SELECT pg_total_relation_size('grants')"))
    return Path(database).stat().st_size


def _purge(make: Make, dead: int, pace: Pace) -> dict[str, Any]:
    """Measure a load without and with a purge beside it."""
    now, chains = int(time.time()), CONNECTIONS * (pace.rounds + MOST_PURGE_TURNS)
    installation = make("purge")
    say(f"filling in {dead} dead grants")
    fill(installation.database, DEAD, dead, now=now)
    fill(installation.database, LIVED, SMALL, now=now)
    call = installation.refresh(LIVED, count=chains, of=SMALL, now=now)
    with serving(installation, {REFRESH: call}) as target:
        alone = [_turn(target, pace) for _ in range(pace.rounds)]
        beside: list[Sample] = []
        begun = time.monotonic()
        with subprocess.Popen(
            installation.command("purge", "--json"), env=dict(installation.environ), stdout=subprocess.PIPE, text=True
        ) as purging:
            try:
                while len(beside) < MOST_PURGE_TURNS and (purging.poll() is None or not beside):
                    beside.append(_turn(target, pace))
                finished = purging.poll() is not None
                seconds = time.monotonic() - begun
            finally:
                purging.kill()
            said = purging.stdout.read() if purging.stdout else ""
    return {
        "dead": dead,
        "finished": finished,
        "said": said.strip()[:500],
        "seconds": round(seconds, 1),
        "alone": [asdict(sample) for sample in alone],
        # The last turn may have outlasted the purge.
        "beside": [asdict(sample) for sample in beside[: max(1, len(beside) - 1)]],
    }


def _turn(target: Target, pace: Pace) -> Sample:
    sample = measure(target, target.calls[REFRESH], connections=CONNECTIONS, warm_up=pace.warm_up, seconds=pace.seconds)
    say(f"purge: {sample.rate:.0f}/s, p99 {sample.p99:.1f} ms")
    return sample
