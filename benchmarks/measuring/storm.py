"""Refreshes alone and beside a storm of password sign-ins: whether whoever is signed in notices it."""

from __future__ import annotations

import re
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from measuring.accounting import usage
from measuring.contenders.contender import FORM, REFRESH
from measuring.contenders.everbearer import KINDS, Installation, install, serving
from measuring.filling import fill
from measuring.load import Call, Sample, Target, measure
from measuring.paths import WORK
from measuring.postgresql import Cluster, cluster
from measuring.processes import NotStarted
from measuring.rounds import SETTLE, Pace
from measuring.setup import Missing, say

CONNECTIONS = 16
"""Of the refreshes."""
STORMING = 32
"""Connections that sign in, each again as soon as it is answered."""
WORKERS = 2
DATABASES = ("sqlite", "postgresql")
ALONE, WRONG, RIGHT = "alone", "wrong passwords", "right passwords"
TURNS = (ALONE, WRONG, RIGHT)
SIGN_IN = "/sign-in"
_CHECKED = ("303", "422")
"""A session begun, and the form again: the password was looked at."""
_SENT_AWAY = ("503",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stormy:
    """One turn: the refreshes, and what became of the sign-ins beside them, by the second."""

    refreshes: Sample
    cores: float
    """CPU of the server and its database, in cores."""
    checked: float = 0.0
    sent_away: float = 0.0
    strange: int = 0
    """Answers that are neither, in all."""


def duration(pace: Pace) -> float:
    """Return how many seconds measuring will take."""
    return len(DATABASES) * len(TURNS) * pace.rounds * (pace.turn + 1.5)


def brave(pace: Pace, only: Sequence[str]) -> dict[str, Any]:
    """Measure refreshes without and with a storm beside them, in turns, and return what came of it."""
    found: dict[str, Any] = {"pace": asdict(pace), "absent": {}, "databases": {}}
    for database in DATABASES:
        if only and not any(fnmatch(f"everbearer-{database}-{WORKERS}", pattern) for pattern in only):
            continue
        try:
            with _serving(database, pace) as (target, storms):
                turns: dict[str, list[dict[str, Any]]] = {name: [] for name in TURNS}
                for number in range(pace.rounds * len(TURNS)):
                    name = TURNS[(number + number // len(TURNS)) % len(TURNS)]
                    turn = _turn(target, storms.get(name), pace)
                    _tell(database, name, turn)
                    turns[name].append(asdict(turn))
                found["databases"][database] = turns
        except (NotStarted, Missing, RuntimeError, OSError) as error:
            say(f"the storm on {database} is not measured: {error}")
            found["absent"][database] = str(error)
    return found


@contextmanager
def _serving(database: str, pace: Pace) -> Iterator[tuple[Target, dict[str, Call]]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=WORK, prefix="storm-")))
        servers: list[Cluster] = [stack.enter_context(cluster())] if database == "postgresql" else []
        url = servers[0].create("storm") if servers else "everbearer.db"
        installation = install(folder, workers=WORKERS, database=url)
        kind, now, chains = KINDS[REFRESH], int(time.time()), CONNECTIONS * pace.rounds * len(TURNS)
        fill(installation.database, kind, max(chains, 10_000), now=now)
        calls = {REFRESH: installation.refresh(kind, count=chains, of=max(chains, 10_000), now=now)}
        pids = tuple(each.pid for each in servers)
        target = stack.enter_context(serving(installation, calls, database=pids))
        yield target, _sign_ins(installation)


def _sign_ins(installation: Installation) -> dict[str, Call]:
    """Return what posts the form of the sign-in page, as the browser does that was shown it."""
    with urllib.request.urlopen(f"http://127.0.0.1:{installation.port}{SIGN_IN}", timeout=30) as page:
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        form_token = re.search(r'name="form_token" value="([^"]+)"', page.read().decode())
    if form_token is None:
        raise NotStarted("the sign-in page has no form")
    headers = (FORM, f"Cookie: {cookie}")
    body = f"form_token={form_token[1]}&login=ada&password="
    return {
        RIGHT: Call(path=SIGN_IN, headers=headers, body=body + installation.client_secret),
        WRONG: Call(path=SIGN_IN, headers=headers, body=body + "not-the-password-of-ada"),
    }


def _turn(target: Target, storm: Call | None, pace: Pace) -> Stormy:
    with ThreadPoolExecutor(1) as aside:
        # It blows before the refreshes are counted, and longer than they are.
        lasts = pace.seconds + pace.warm_up + 1.0
        storming = storm and aside.submit(
            measure, target, storm, connections=STORMING, warm_up=SETTLE, seconds=lasts - SETTLE
        )
        if storming:
            time.sleep(SETTLE)
        before, begun = usage(target.server, target.database), time.monotonic()
        refreshes = measure(
            target, target.calls[REFRESH], connections=CONNECTIONS, warm_up=pace.warm_up, seconds=pace.seconds
        )
        used, seconds = usage(target.server, target.database).since(before), time.monotonic() - begun
        outcomes = storming.result().errors if storming else {}
    time.sleep(SETTLE)
    return Stormy(
        refreshes=refreshes,
        cores=round((used.server + used.database) / 1000 / seconds, 2),
        checked=round(sum(outcomes.get(each, 0) for each in _CHECKED) / (lasts - SETTLE), 1),
        sent_away=round(sum(outcomes.get(each, 0) for each in _SENT_AWAY) / (lasts - SETTLE), 1),
        strange=sum(count for name, count in outcomes.items() if name not in (*_CHECKED, *_SENT_AWAY)),
    )


def _tell(database: str, name: str, turn: Stormy) -> None:
    refreshes = turn.refreshes
    beside = f"; {turn.checked:.0f} sign-ins/s, {turn.sent_away:.0f} sent away" if turn.checked else ""
    errors = f", errors {refreshes.errors}" if refreshes.errors else ""
    say(
        f"{database}, {name}: {refreshes.rate:.0f}/s, p50 {refreshes.p50:.1f}, p99 {refreshes.p99:.1f} ms{errors}"
        f", {turn.cores} cores{beside}"
    )
