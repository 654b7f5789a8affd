"""`everbearer simulate load`: how many refreshes users make, what answers them, and what an outage makes of them."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from everbearer.oauth.lifetime_rules import MOST_JITTER
from everbearer.oauth.models import DAY, MINUTE
from everbearer.server.cli.desk import JsonOption
from everbearer.server.cli.output import USAGE, PlotOption, fail, say, say_columns, say_json, write_plot
from everbearer.simulation.capacity import SIZES, Cost, Machines, Need, need
from everbearer.simulation.capacity_plot import plot_needs
from everbearer.simulation.load import Course, Load, storm, storms
from everbearer.simulation.load_plot import plot_courses

_CAPACITIES = (1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0)
_load, _cost, _machines = Load(), Cost(), Machines()


def load(  # noqa: PLR0913 - each is an option
    *,
    users: Annotated[int, typer.Option(min=1, help="Registered users.")] = _load.users,
    sessions: Annotated[float, typer.Option(min=0.001, help="Signed-in applications for each user.")] = _load.sessions,
    busiest: Annotated[
        float, typer.Option(min=0.0001, max=1, help="Share of the sessions in use at the busiest time.")
    ] = _load.busiest,
    quietest: Annotated[float, typer.Option(min=0, max=1, help="The same at the quietest time.")] = _load.quietest,
    sitting: Annotated[int, typer.Option(min=60, help="Seconds an application is in use, mean.")] = _load.sitting,
    access_token: Annotated[
        int, typer.Option(min=60, max=DAY, help="Seconds an access token lives.")
    ] = _load.access_token,
    jitter: Annotated[
        float,
        typer.Option(min=0, max=MOST_JITTER, help="Shorten each access token's life by a random part of this share."),
    ] = 0.2,
    outage: Annotated[int, typer.Option(min=0, max=600, help="Minutes for which nothing answers.")] = 10,
    capacity: Annotated[
        float,
        typer.Option(min=1.01, help="What there is to be room for, in multiples of the busiest time's refreshes."),
    ] = _load.capacity,
    node_cpu_ms: Annotated[
        float, typer.Option(min=0.001, help="Milliseconds of a node's processor that one refresh takes.")
    ] = _cost.node_cpu_ms,
    database_cpu_ms: Annotated[
        float, typer.Option(min=0.001, help="The same of the database's.")
    ] = _cost.database_cpu_ms,
    grant_bytes: Annotated[int, typer.Option(min=1, help="Room that a grant takes.")] = _cost.grant_bytes,
    wal_bytes: Annotated[int, typer.Option(min=1, help="WAL of one refresh, without images.")] = _cost.wal_bytes,
    page_images: Annotated[
        float, typer.Option(min=0.001, help="Pages whose first touch since a checkpoint writes their image.")
    ] = _cost.page_images,
    image_bytes: Annotated[int, typer.Option(min=0, help="WAL of one such image.")] = _cost.image_bytes,
    node_cores: Annotated[int, typer.Option(min=1, help="Processors of a node.")] = _machines.node_cores,
    database_cores: Annotated[int, typer.Option(min=1, help="Processors of a database.")] = _machines.database_cores,
    headroom: Annotated[
        float, typer.Option(min=0, max=0.95, help="Share of the processors that is left over at --capacity.")
    ] = _machines.headroom,
    wal_mb: Annotated[
        float, typer.Option(min=0.1, help="MB of WAL per second that one database can write and pass on.")
    ] = _machines.wal_mb,
    checkpoint: Annotated[
        int, typer.Option(min=30, max=DAY, help="Seconds between two checkpoints of a database.")
    ] = _machines.checkpoint,
    plot: PlotOption = None,
    plot_machines: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Draw nodes and databases by users, as SVG, into this file."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell how many refreshes per second users make, what answers them, and what an outage makes of them."""
    if quietest > busiest:
        fail("--quietest: is above --busiest", code=USAGE)
    assumed = Load(
        users=users,
        sessions=sessions,
        busiest=busiest,
        quietest=quietest,
        sitting=sitting,
        access_token=access_token,
        jitter=jitter,
        outage=outage * MINUTE,
        capacity=capacity,
    )
    cost = Cost(
        node_cpu_ms=node_cpu_ms,
        database_cpu_ms=database_cpu_ms,
        grant_bytes=grant_bytes,
        wal_bytes=wal_bytes,
        page_images=page_images,
        image_bytes=image_bytes,
    )
    machines = Machines(
        node_cores=node_cores,
        database_cores=database_cores,
        headroom=headroom,
        room=capacity,
        wal_mb=wal_mb,
        checkpoint=checkpoint,
    )
    # Who has a jitter has it in the tables of an outage, beside none; what users need is told without.
    steady = replace(assumed, jitter=0.0)
    needs = [need(replace(steady, users=each), cost, machines) for each in SIZES]
    courses = storms(assumed, _CAPACITIES)
    if plot is not None:
        write_plot(plot, plot_courses([storm(replace(assumed, jitter=each)) for each in dict.fromkeys((0.0, jitter))]))
    if plot_machines is not None:
        write_plot(plot_machines, plot_needs(steady, cost, machines))
    if as_json:
        say_json(
            {
                "load": _load_members(steady) | {"jitter": jitter},
                "cost": asdict(cost),
                "machines": asdict(machines),
                "need": asdict(need(steady, cost, machines)),
                "needs": [asdict(each) for each in needs],
                "storms": [_course_members(each) for each in courses],
            }
        )
        return
    say(f"Refreshes per second by users, and what has room for {capacity:g} times the busiest time's.")
    say_columns(NEEDED, map(needed, needs))
    say("")
    say(f"After {outage} minutes without an answer at the busiest time, in multiples of its refreshes:")
    say_columns(("ROOM FOR", "JITTER", "REFUSING, MIN", "MOST ASKED", "ECHO"), map(_course_row, courses))


NEEDED = ("USERS", "MEAN", "BUSIEST", "NODES", "DATABASES", "FOR", "GRANTS, GB", "WAL, MB/S", "WAL A DAY, GB")
"""What stands above `needed`."""


def needed(each: Need) -> list[str]:
    """Return what a number of users needs, in words."""
    return [
        f"{each.users:,}",
        f"{each.mean:,.1f}",
        f"{each.busiest:,.1f}",
        f"{each.nodes:,}",
        f"{each.databases:,}",
        each.bound_by,
        f"{each.grants_gb:,.1f}" if each.grants_gb < 10 else f"{each.grants_gb:,.0f}",  # noqa: PLR2004 - two figures
        f"{each.wal_mb:,.1f}",
        f"{each.wal_gb_a_day:,.1f}",
    ]


def _load_members(load: Load) -> dict[str, Any]:
    return asdict(load) | {"refreshes_busiest": load.refreshes(load.busiest), "refreshes_mean": load.of_a_day}


def _course_members(course: Course) -> dict[str, Any]:
    members = ("recovered_at", "highest_ask", "echo")
    load = {"capacity": course.load.capacity, "jitter": course.load.jitter}
    return load | {name: getattr(course, name) for name in members}


def _course_row(course: Course) -> list[str]:
    refusing = "for hours" if course.recovered_at is None else f"{course.recovered_at / MINUTE:.1f}"
    load = course.load
    return [f"{load.capacity:g}", f"{load.jitter:g}", refusing, f"{course.highest_ask:.2f}", f"{course.echo:.2f}"]
