"""`everbearer simulate`: rotation policies and load, played. Neither reads a configuration or a database."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from everbearer.oauth.models import DAY, HOUR, MINUTE
from everbearer.server.cli.desk import JsonOption
from everbearer.server.cli.output import FAILED, USAGE, fail, say, say_json, say_table
from everbearer.simulation.clients import Population
from everbearer.simulation.figures import Dwell, Rate
from everbearer.simulation.habits import Habits, contradictions
from everbearer.simulation.load import Course, Load, storm, storms
from everbearer.simulation.load_plot import plot_courses
from everbearer.simulation.ours import OURS
from everbearer.simulation.peers import PEERS
from everbearer.simulation.play import Outcome, Play, play_policy
from everbearer.simulation.policy import Policy
from everbearer.simulation.policy_plot import plot_policies
from everbearer.simulation.thieves import Thief

app = typer.Typer(rich_markup_mode=None)

POLICIES = (*OURS, *PEERS)

_CAPACITIES = (1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0)
_USERS = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)

PlotOption: TypeAlias = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", dir_okay=False, help="Draw it, as SVG, into this file.")
]


@app.callback(invoke_without_command=True)
def simulate(  # noqa: PLR0913 - each is an option
    context: typer.Context,
    *,
    refreshes: Annotated[int, typer.Option(min=100, help="By honest clients, for each policy.")] = 100_000,
    thefts: Annotated[int, typer.Option(min=1, help="By each kind of thief, for each policy.")] = 200,
    horizon: Annotated[int, typer.Option(min=1, help="For how many days a thief is looked at.")] = 7,
    seed: Annotated[int, typer.Option(help="The same seed, the same result.")] = 1,
    policy: Annotated[list[str] | None, typer.Option(help="Only this one, by name; may be repeated.")] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help="Assume this instead of the default; may be repeated."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes to share the work.")] = 1,
    plot: PlotOption = None,
    assumptions: Annotated[bool, typer.Option("--assumptions", help="Print what is assumed, and stop.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Play honest clients and thieves against rotation policies: false sign-outs beside a thief's stay."""
    if context.invoked_subcommand is not None:
        return
    habits = _habits(assume or [])
    if assumptions:
        _show_assumptions(habits, as_json=as_json)
        return
    play = Play(refreshes=refreshes, thefts=thefts, horizon=horizon, seed=seed, habits=habits)
    outcomes = _play(_policies(policy or []), play, jobs)
    if plot is not None:
        _write(plot, plot_policies(outcomes, horizon))
    if as_json:
        say_json({"play": asdict(play), "policies": [outcome_members(each) for each in outcomes]})
    else:
        _show(outcomes, play)


@app.command("load")
def load(  # noqa: PLR0913 - each is an option
    *,
    users: Annotated[int, typer.Option(min=1, help="Registered users.")] = Load().users,
    sessions: Annotated[float, typer.Option(min=0.001, help="Signed-in applications for each user.")] = Load().sessions,
    busiest: Annotated[
        float, typer.Option(min=0.0001, max=1, help="Share of the sessions in use at the busiest time.")
    ] = Load().busiest,
    quietest: Annotated[float, typer.Option(min=0, max=1, help="The same at the quietest time.")] = Load().quietest,
    sitting: Annotated[int, typer.Option(min=60, help="Seconds an application is in use, mean.")] = Load().sitting,
    access_token: Annotated[
        int, typer.Option(min=60, max=DAY, help="Seconds an access token lives.")
    ] = Load().access_token,
    jitter: Annotated[
        float, typer.Option(min=0, max=0.9, help="Shorten each access token's life by a random part of this share.")
    ] = 0.2,
    outage: Annotated[int, typer.Option(min=0, max=600, help="Minutes for which nothing answers.")] = 10,
    capacity: Annotated[
        float, typer.Option(min=1.01, help="What the plot is drawn for: in multiples of the busiest time's refreshes.")
    ] = Load().capacity,
    node: Annotated[int, typer.Option(min=1, help="Refreshes per second that one node answers.")] = 1000,
    plot: PlotOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell how many refreshes per second users make, and what an outage makes of them."""
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
    courses = storms(assumed, _CAPACITIES)
    if plot is not None:
        _write(plot, plot_courses([storm(replace(assumed, jitter=each)) for each in dict.fromkeys((0.0, jitter))]))
    if as_json:
        say_json({"load": _load_members(assumed), "storms": [_course_members(each) for each in courses]})
    else:
        _show_load(assumed, courses, node)


def _habits(assume: list[str]) -> Habits:
    types = {each.name: each.type for each in fields(Habits)}
    given: dict[str, Any] = {}
    for words in assume:
        name, _, number = words.partition("=")
        if name not in types:
            fail(f"--assume {name}: is not one of {', '.join(types)}", code=USAGE)
        try:
            given[name] = int(number) if types[name] == "int" else float(number)
        except ValueError:
            fail(f"--assume {name}: {number!r} is not {'a whole' if types[name] == 'int' else 'a'} number", code=USAGE)
    habits = replace(Habits(), **given)
    wrong = contradictions(habits)
    if wrong:
        fail(*(f"--assume {each}" for each in wrong), code=USAGE)
    return habits


def _policies(names: list[str]) -> list[Policy]:
    known = {each.name: each for each in POLICIES}
    unknown = [name for name in names if name not in known]
    if unknown:
        fail(f"--policy {unknown[0]!r}: is not one of these:", *(f"  {name}" for name in known), code=USAGE)
    return [known[name] for name in names] or list(POLICIES)


def _play(policies: list[Policy], play: Play, jobs: int) -> list[Outcome]:
    if jobs == 1:
        return [play_policy(each, play) for each in policies]
    with ProcessPoolExecutor(jobs) as pool:
        # A policy is found by its name on the other side: what it starts cannot travel.
        played = pool.map(partial(_play_by_name, play=play), [each.name for each in policies])
        return [Outcome(policy=each, **members) for each, members in zip(policies, played, strict=True)]


def _play_by_name(name: str, play: Play) -> dict[str, Any]:
    outcome = play_policy(next(each for each in POLICIES if each.name == name), play)
    return {each.name: getattr(outcome, each.name) for each in fields(Outcome) if each.name != "policy"}


def _show_assumptions(habits: Habits, *, as_json: bool) -> None:
    members = asdict(habits)
    if as_json:
        say_json(members)
    else:
        say_table(("ASSUMED", "VALUE"), members.items(), otherwise="")


def outcome_members(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome for programs: times in seconds, null for longer than was looked at."""
    return {
        "policy": outcome.policy.name,
        "false_sign_outs": _rate_members(outcome.false_sign_outs),
        "by_population": {name: _rate_members(rate) for name, rate in outcome.by_population.items()},
        "two_branches": outcome.two_branches,
        "most_retries": outcome.most_retries,
        "dwell": {name: asdict(dwell) for name, dwell in outcome.dwell.items()},
    }


def _rate_members(rate: Rate) -> dict[str, Any]:
    return asdict(rate) | {"per_million": rate.per_million, "interval": rate.interval}


def _show(outcomes: list[Outcome], play: Play) -> None:
    say("Honest clients: false sign-outs per million refreshes, with the 95 % confidence interval of the mix.")
    headings = ("POLICY", "MIX", "FROM", "TO", *(name.upper() for name in Population), "BRANCHES")
    _say_columns(headings, (_honest_row(each) for each in outcomes))
    say("")
    say(f"Thieves: hours until out, median and 95th percentile; and the share not out after {play.horizon} days.")
    _say_columns(("POLICY", *(name.upper() for name in Thief)), (_thief_row(each) for each in outcomes))


def _honest_row(outcome: Outcome) -> list[str]:
    low, high = outcome.false_sign_outs.interval
    rates = [outcome.false_sign_outs.per_million, low, high]
    rates += [outcome.by_population[each].per_million for each in Population]
    return [outcome.policy.name, *(f"{each:,.0f}" for each in rates), "two" if outcome.two_branches else "one"]


def _thief_row(outcome: Outcome) -> list[str]:
    return [outcome.policy.name, *(_stay(outcome.dwell[each]) for each in Thief)]


def _stay(dwell: Dwell) -> str:
    return f"{_hours(dwell.median)} {_hours(dwell.percentile_95)} {dwell.never_caught:4.0%}"


def _hours(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds / HOUR:5.1f}"


def _say_columns(headings: tuple[str, ...], rows: Iterable[list[str]]) -> None:
    lines = [list(headings), *rows]
    widths = [max(len(each[column]) for each in lines) for column in range(len(headings))]
    for name, *cells in lines:
        say(
            "  ".join(
                (name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)))
            )
        )


def _load_members(load: Load) -> dict[str, Any]:
    return asdict(load) | {"refreshes_busiest": load.refreshes(load.busiest), "refreshes_mean": load.of_a_day}


def _course_members(course: Course) -> dict[str, Any]:
    members = ("recovered_at", "highest_ask", "echo")
    load = {"capacity": course.load.capacity, "jitter": course.load.jitter}
    return load | {name: getattr(course, name) for name in members}


def _show_load(load: Load, courses: list[Course], node: int) -> None:
    say("Refreshes per second by users: the day's mean, its busiest time, and the nodes for twice that.")
    _say_columns(
        ("USERS", "MEAN", "BUSIEST", "NODES"), (_users_row(replace(load, users=each), node) for each in _USERS)
    )
    say("")
    say(f"After {load.outage // MINUTE} minutes without an answer at the busiest time, in multiples of its refreshes:")
    _say_columns(("ROOM FOR", "JITTER", "REFUSING, MIN", "MOST ASKED", "ECHO"), map(_course_row, courses))


def _users_row(load: Load, node: int) -> list[str]:
    busiest = load.refreshes(load.busiest)
    return [f"{load.users:,}", f"{load.of_a_day:,.1f}", f"{busiest:,.1f}", f"{-(-2 * busiest // node):,.0f}"]


def _course_row(course: Course) -> list[str]:
    refusing = "for hours" if course.recovered_at is None else f"{course.recovered_at / MINUTE:.1f}"
    load = course.load
    return [f"{load.capacity:g}", f"{load.jitter:g}", refusing, f"{course.highest_ask:.2f}", f"{course.echo:.2f}"]


def _write(file: Path, svg: str) -> None:
    try:
        file.write_text(svg, "utf-8")
    except OSError as error:
        fail(f"--plot {file}: {error.strerror}", code=FAILED)
