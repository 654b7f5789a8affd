"""What the simulation assumes of people, networks, clients and thieves. Every number is an option of the command."""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random

from everbearer.oauth.client import Lifetimes
from everbearer.oauth.models import DAY, HOUR, MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """Rates and times; times in seconds, shares and chances between 0 and 1."""

    access_token: int = Lifetimes().access_token
    """Lifetime of an access token. A client in use refreshes when it has expired."""

    wakes_at: int = 7 * HOUR
    """The day's first sitting begins after this time of the day."""
    sleeps_at: int = 23 * HOUR
    """The day's last sitting ends by this time."""
    sitting: int = 45 * MINUTE
    """Mean length of a sitting, in which the application is in use (exponential)."""
    pause: int = 75 * MINUTE
    """Mean time between two sittings of a day (exponential)."""

    answer_lost: float = 0.002
    """Chance that the answer to a refresh is lost after the server has spent the token, on a good network."""
    bad_network: float = 0.02
    """Share of sittings that are on a bad network."""
    answer_lost_bad: float = 0.15
    """Chance that an answer is lost on a bad network. Together with the above: 0.5 % of all answers."""
    retried_soon: float = 0.4
    """Share of lost answers that the client notices at once, and asks again within 1 to 5 seconds."""
    retried_after_timeout: float = 0.3
    """Share for which it waits out a timeout of 20 to 60 seconds first."""
    retried_in_minutes: float = 0.1
    """Share that is retried some minutes later (exponential, mean 10 minutes). The rest is retried when the next
    sitting begins, hours later: the phone slept, the application was closed."""

    latency: float = 0.3
    """Mean time an answer travels (exponential), on a good network: answers may overtake each other."""
    latency_bad: float = 2.0
    """The same on a bad one."""

    tabs_race: float = 0.02
    """Chance that a second tab sends the same refresh token too."""
    tabs_throttled: float = 0.1
    """Share of such second tabs that a browser's throttled timers delay by up to a minute; the others come within
    seconds (exponential, mean 1 s)."""
    siblings: int = 3
    """How many processes share one file."""
    siblings_race: float = 0.1
    """Chance, for each other process, that it sends the same refresh token too (exponential delay, mean 2 s)."""
    run: int = 6 * HOUR
    """Mean length of a run of processes that keep a copy in memory (exponential): agents, long jobs."""
    calls_every: int = 5 * MINUTE
    """Mean time after an access token has expired until such a process needs one (exponential)."""
    looks_again: float = 0.5
    """Share of refused clients that look for a newer stored token before they sign the user out."""

    steal_delay: int = 6 * HOUR
    """Mean time from the copy to its first use by a thief who cannot watch his victim (exponential)."""
    copies_again: int = 6 * HOUR
    """Mean time between the copies of a thief who can copy again and again (exponential)."""
    shadows_within: int = 5
    """The thief who watches his victim follows each refresh within this many seconds."""

    @property
    def hours_later(self) -> float:
        """Return the share of lost answers that are retried when the next sitting begins."""
        return 1 - self.retried_soon - self.retried_after_timeout - self.retried_in_minutes

    def retry_delay(self, random: Random) -> float | None:
        """Return after how many seconds a lost answer is asked for again; None for the next sitting."""
        chance = random.random()
        if chance < self.retried_soon:
            return random.uniform(1, 5)
        if chance < self.retried_soon + self.retried_after_timeout:
            return random.uniform(20, 60)
        if chance < 1 - self.hours_later:
            return random.expovariate(1 / (10 * MINUTE))
        return None

    def sitting_after(self, now: float, random: Random, *, length: int) -> tuple[float, float]:
        """Return when the next sitting of this mean length begins and ends."""
        begins = now + random.expovariate(1 / self.pause)
        day = begins // DAY * DAY
        if begins < day + self.wakes_at:
            begins = day + self.wakes_at + random.expovariate(1 / self.pause)
        if begins >= day + self.sleeps_at:
            begins = day + DAY + self.wakes_at + random.expovariate(1 / self.pause)
            day = begins // DAY * DAY
        return begins, min(begins + random.expovariate(1 / length), max(begins, day + self.sleeps_at))


def contradictions(habits: Habits) -> list[str]:
    """Return what cannot be: chances that are none, retries that add up to more than all."""
    times = ("latency", "latency_bad")
    chances = [each.name for each in fields(Habits) if each.type == "float" and each.name not in times]
    wrong = [f"{name}: is not between 0 and 1" for name in chances if not 0 <= getattr(habits, name) <= 1]
    if round(habits.hours_later, 9) < 0:
        wrong.append("retried_soon, retried_after_timeout, retried_in_minutes: add up to more than 1")
    if not 0 <= habits.wakes_at < habits.sleeps_at <= DAY:
        wrong.append("wakes_at, sleeps_at: are not two times of a day, one after the other")
    others = [each.name for each in fields(Habits) if each.name not in (*chances, "wakes_at")]
    wrong += [f"{name}: is not above 0" for name in others if getattr(habits, name) <= 0]
    return wrong
