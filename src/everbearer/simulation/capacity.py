"""What users need: nodes, databases (shards by grant id), storage and WAL, from the measured cost of one refresh."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp

from everbearer.oauth.models import DAY
from everbearer.simulation.load import Load

PAGE = 8192
"""Bytes of a page of PostgreSQL."""
SIZES = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
"""The numbers of users that are told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one refresh costs, as `benchmarks/run --part capacity` measures it. Milliseconds of a processor, bytes."""

    node_cpu_ms: float = 0.4
    database_cpu_ms: float = 0.2
    grant_bytes: int = 1100
    """What a grant takes in its table and indexes, once it has been refreshed."""
    wal_bytes: int = 700
    """What a refresh writes into the log of a database at least."""
    page_images: float = 1.0
    """How many pages it writes whole besides, where it is the first to touch them since a checkpoint."""
    image_bytes: int = 7000
    """What such an image takes in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What there is to run it on, and how full that may be."""

    node_cores: int = 4
    database_cores: int = 16
    headroom: float = 0.3
    """Share of the processors that is left over even at `room`: beyond it answers wait for each other."""
    room: float = 2.0
    """For how many times the refreshes of the busiest time there is to be room."""
    wal_mb: float = 100.0
    """MB of WAL per second that one database, its disk and its standbys keep up with."""
    checkpoint: int = 300
    """Seconds between two checkpoints of a database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a number of users needs."""

    users: int
    mean: float
    """Refreshes per second over a day."""
    busiest: float
    grants_gb: float
    nodes: int
    databases: int
    bound_by: str
    """What asks for that many databases: `cpu`, or `wal` where the log is longer than one can write."""
    wal_mb: float
    """Per second at the busiest time, of all databases together."""
    wal_gb_a_day: float


def need(load: Load, cost: Cost, machines: Machines) -> Need:
    """Return what the users of a load need."""
    mean, busiest = load.of_a_day, load.refreshes(load.busiest)
    peak = busiest * machines.room
    cpu = databases_for_cpu(peak, cost, machines)
    databases = databases_for_wal(load, cost, machines, at_least=cpu)
    return Need(
        users=load.users,
        grants_gb=_grants(load) * cost.grant_bytes / 1e9,
        mean=mean,
        busiest=busiest,
        nodes=_machines_for(peak * cost.node_cpu_ms, machines.node_cores, machines),
        databases=databases,
        bound_by="cpu" if databases == cpu else "wal",
        wal_mb=wal_per_second(load, cost, machines, busiest) / 1e6,
        wal_gb_a_day=wal_per_second(load, cost, machines, mean) * DAY / 1e9,
    )


def databases_for_cpu(rate: float, cost: Cost, machines: Machines) -> int:
    """Return how many databases have the processors for so many refreshes per second."""
    return _machines_for(rate * cost.database_cpu_ms, machines.database_cores, machines)


def databases_for_wal(load: Load, cost: Cost, machines: Machines, *, at_least: int = 1) -> int:
    """Return how many databases can write the WAL of `room` times the busiest time's refreshes."""
    peak = load.refreshes(load.busiest) * machines.room
    return max(at_least, ceil(wal_per_second(load, cost, machines, peak) / 1e6 / machines.wal_mb))


def wal_per_second(load: Load, cost: Cost, machines: Machines, rate: float) -> float:
    """Return the bytes of WAL that so many refreshes per second write, in all databases together.

    Grants are refreshed in random order: some pages are touched more than once between two checkpoints, and only the
    first touch writes the whole page. Shards change nothing of it, for pages and refreshes are divided alike.
    """
    pages = _grants(load) * cost.grant_bytes / PAGE
    touches = rate * machines.checkpoint * cost.page_images
    first = pages * (1 - exp(-touches / pages)) / touches
    return rate * (cost.wal_bytes + cost.page_images * first * cost.image_bytes)


def _grants(load: Load) -> float:
    return load.users * load.sessions


def _machines_for(busy_ms: float, cores: int, machines: Machines) -> int:
    """Return how many machines of so many cores are busy for so many milliseconds in each second, and no more."""
    return max(1, ceil(busy_ms / 1000 / (cores * (1 - machines.headroom))))
