"""What users need: in proportion to what a refresh costs, and to no more than that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everbearer.oauth.models import MINUTE
from everbearer.simulation.capacity import SIZES, Cost, Machines, need, wal_per_second
from everbearer.simulation.load import Load

MANY = Load(users=100_000_000)
COST, MACHINES = Cost(), Machines()


def test_few_users_need_one_of_each() -> None:
    few = need(Load(users=10_000), COST, MACHINES)

    assert (few.nodes, few.databases) == (1, 1)


def test_nothing_shrinks_as_users_grow() -> None:
    needs = [need(Load(users=users), COST, MACHINES) for users in SIZES]

    for name in ("mean", "busiest", "nodes", "databases", "grants_gb", "wal_mb", "wal_gb_a_day"):
        told = [getattr(each, name) for each in needs]
        assert told == sorted(told)


def test_nodes_have_room_for_the_busiest_time_and_no_node_too_many() -> None:
    needed = need(MANY, COST, MACHINES)

    of_one = MACHINES.node_cores * (1 - MACHINES.headroom) * 1000 / COST.node_cpu_ms
    assert (needed.nodes - 1) * of_one < MACHINES.room * needed.busiest <= needed.nodes * of_one


def test_databases_are_as_many_as_the_scarcer_of_processors_and_log_asks_for() -> None:
    plenty, slow_disk = (
        need(MANY, COST, replace(MACHINES, wal_mb=10_000)),
        need(MANY, COST, replace(MACHINES, wal_mb=1)),
    )

    assert (plenty.bound_by, slow_disk.bound_by) == ("cpu", "wal")
    assert slow_disk.databases > plenty.databases


def test_storage_is_that_of_the_sessions() -> None:
    assert need(replace(MANY, sessions=2), replace(COST, grant_bytes=1000), MACHINES).grants_gb == pytest.approx(200)


@pytest.mark.parametrize("rate", [0.01, 100, 100_000, 10_000_000])
def test_a_refresh_writes_its_record_and_at_most_an_image_of_each_page(rate: float) -> None:
    of_one = wal_per_second(MANY, COST, MACHINES, rate) / rate

    assert COST.wal_bytes < of_one <= COST.wal_bytes + COST.page_images * COST.image_bytes


def test_rarer_checkpoints_write_less() -> None:
    often, rarely = (need(MANY, COST, replace(MACHINES, checkpoint=minutes * MINUTE)) for minutes in (5, 30))

    assert rarely.wal_mb < often.wal_mb * 0.7
