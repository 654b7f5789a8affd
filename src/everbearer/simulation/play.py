"""Play policies: honest clients for false sign-outs, thieves for how long they stay. The same seed, the same result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from everbearer.oauth.models import DAY
from everbearer.simulation.clients import Device, Population, start_client
from everbearer.simulation.figures import Dwell, Rate, dwell_of
from everbearer.simulation.habits import Habits
from everbearer.simulation.ours import OurFamily
from everbearer.simulation.policy import Policy, two_branches
from everbearer.simulation.thieves import Theft, Thief, start_thief
from everbearer.simulation.timeline import Timeline

SESSION = 28 * DAY
"""For how long one honest sign-in is looked at."""

MIX: Mapping[Population, float] = {Population.APP: 0.45, Population.TABS: 0.45, Population.PROCESSES: 0.1}
"""What share of the refreshes each population makes. COPIES stand beside the mix, and would drown it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What is played."""

    refreshes: int = 100_000
    """Of the mix, for each policy; the population outside it makes a tenth of these."""
    thefts: int = 200
    """Of each kind, for each policy."""
    horizon: int = 7
    """Days for which a thief is looked at."""
    seed: int = 1
    mix: Mapping[Population, float] = field(default_factory=lambda: dict(MIX))
    habits: Habits = field(default_factory=Habits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a policy."""

    policy: Policy
    false_sign_outs: Rate
    """In the mix."""
    by_population: Mapping[Population, Rate]
    dwell: Mapping[Thief, Dwell]
    two_branches: bool
    most_retries: int
    """Of one generation by honest clients of the mix; only known of our policies."""


def chance(play: Play, of: str, number: int) -> Random:
    """Return a source of chance that is the same for every policy."""
    return Random(f"{play.seed} {of} {number}")  # noqa: S311 - nothing is kept secret by it


def play_policy(policy: Policy, play: Play) -> Outcome:
    """Play everything against one policy."""
    rates: dict[Population, Rate] = {}
    most_retries = 0
    for population in Population:
        share = play.mix.get(population, 0)
        refreshes = max(1, round(play.refreshes * (share or 0.1)))
        rates[population], retries = play_honest(policy, population, refreshes, play)
        most_retries = max(most_retries, retries if share else 0)
    mixed = [rates[population] for population, share in play.mix.items() if share]
    return Outcome(
        policy=policy,
        false_sign_outs=sum(mixed[1:], mixed[0]),
        by_population=rates,
        dwell={kind: dwell_of([play_theft(policy, kind, n, play) for n in range(play.thefts)]) for kind in Thief},
        two_branches=two_branches(policy),
        most_retries=most_retries,
    )


def play_honest(policy: Policy, population: Population, refreshes: int, play: Play) -> tuple[Rate, int]:
    """Return the false sign-outs among this many refreshes, and the most retries of one generation."""
    rate = Rate(happened=0, of=0)
    most_retries = 0
    number = 0
    while rate.of < refreshes:
        timeline = Timeline()
        device = Device(policy, play.habits, timeline, chance(play, population, number))
        start_client(device, population)
        wanted = refreshes - rate.of
        while device.refreshes < wanted and timeline.step(SESSION):
            pass
        if isinstance(device.stored.family, OurFamily):
            most_retries = max(most_retries, device.stored.family.most_retries)
        rate += Rate(happened=device.sign_outs, of=device.refreshes)
        number += 1
    return rate, most_retries


def play_theft(policy: Policy, kind: Thief, number: int, play: Play) -> float | None:
    """Return for how many seconds a thief stays; None for longer than the horizon."""
    random = chance(play, "thief", number)
    populations = list(play.mix)
    (population,) = random.choices(populations, [play.mix[each] for each in populations])
    timeline = Timeline()
    device = Device(policy, play.habits, timeline, chance(play, "victim", number))
    start_client(device, population)
    steals_at = DAY + random.random() * DAY
    while timeline.step(steals_at):
        pass
    timeline.now = steals_at
    theft = Theft(device, random)
    start_thief(kind, theft)
    while not theft.look():
        if not timeline.step(steals_at + play.horizon * DAY):
            return None
    return theft.dwell
