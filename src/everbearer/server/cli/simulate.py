"""`everbearer simulate`: rotation policies, played. Neither they nor load read a configuration or a database."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, fields, replace
from functools import partial
from typing import Annotated, Any

import typer

from everbearer.oauth.models import HOUR
from everbearer.server.cli.desk import JsonOption
from everbearer.server.cli.output import USAGE, PlotOption, fail, say, say_columns, say_json, say_table, write_plot
from everbearer.server.cli.simulate_load import load
from everbearer.simulation.clients import Population
from everbearer.simulation.figures import Dwell, Rate
from everbearer.simulation.habits import Habits, contradictions
from everbearer.simulation.ours import OURS
from everbearer.simulation.peers import PEERS
from everbearer.simulation.play import Outcome, Play, play_policy
from everbearer.simulation.policy import Policy
from everbearer.simulation.policy_plot import plot_policies
from everbearer.simulation.thieves import Thief

app = typer.Typer(rich_markup_mode=None)
app.command("load")(load)

POLICIES = (*OURS, *PEERS)


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
        write_plot(plot, plot_policies(outcomes, horizon))
    if as_json:
        say_json({"play": asdict(play), "policies": [outcome_members(each) for each in outcomes]})
    else:
        _show(outcomes, play)


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
    say_columns(headings, (_honest_row(each) for each in outcomes))
    say("")
    say(f"Thieves: hours until out, median and 95th percentile; and the share not out after {play.horizon} days.")
    say_columns(("POLICY", *(name.upper() for name in Thief)), (_thief_row(each) for each in outcomes))


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
