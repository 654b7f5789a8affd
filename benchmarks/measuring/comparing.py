"""Ours, the peers and the floor side by side."""

from __future__ import annotations

import json
import tempfile
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from measuring.contenders import authlib, django_oauth_toolkit, everbearer, floor, oidc_provider
from measuring.contenders.contender import (
    CLIENT_CREDENTIALS,
    DISCOVERY,
    INTROSPECTION,
    REFRESH,
    REFRESH_ID_TOKEN,
    REFRESH_KEPT,
    REFRESH_OPAQUE,
    USERINFO,
    Contender,
    Place,
    ask,
)
from measuring.load import Target
from measuring.paths import WORK
from measuring.postgresql import Cluster, cluster
from measuring.processes import NotStarted
from measuring.rounds import Pace, in_turns
from measuring.setup import Missing, say

HEADLINE = ((REFRESH, 16), (REFRESH, 64))
OTHERS = tuple(
    (load, 16)
    for load in (
        REFRESH_ID_TOKEN,
        REFRESH_OPAQUE,
        REFRESH_KEPT,
        CLIENT_CREDENTIALS,
        INTROSPECTION,
        USERINFO,
        DISCOVERY,
    )
)


class Wrong(Exception):
    """A server does not answer what it is measured for."""


def everybody() -> list[Contender]:
    """Return all contenders, ours first."""
    return [
        *everbearer.contenders(),
        *floor.contenders(),
        *oidc_provider.contenders(),
        *django_oauth_toolkit.contenders(),
        *authlib.contenders(),
    ]


def chosen(patterns: Sequence[str]) -> list[Contender]:
    """Return the contenders that one of the patterns names; all where there is none."""
    return [each for each in everybody() if not patterns or any(fnmatch(each.name, pattern) for pattern in patterns)]


def duration(contenders: Sequence[Contender], headline: Pace, others: Pace) -> float:
    """Return how many seconds measuring will take."""
    turns = [
        (load, pace)
        for plan, pace in ((HEADLINE, headline), (OTHERS, others))
        for load, _ in plan
        for _ in range(pace.rounds)
    ]
    return sum(pace.turn for load, pace in turns for contender in contenders if load in contender.loads)


def compare(contenders: Sequence[Contender], headline: Pace, others: Pace) -> dict[str, Any]:
    """Measure everybody and return what came of it, as it stands in the results file."""
    chains: dict[str, int] = {}
    for plan, pace in ((HEADLINE, headline), (OTHERS, others)):
        for load, connections in plan:
            chains[load] = chains.get(load, 1) + connections * pace.rounds
    with all_running(contenders, chains) as (targets, absent):
        measured: list[dict[str, Any]] = []
        for plan, pace in ((HEADLINE, headline), (OTHERS, others)):
            for load, connections in plan:
                samples, failed = in_turns(targets, load, connections=connections, pace=pace)
                absent |= {f"{name}: {load}": reason for name, reason in failed.items()}
                measured.append(
                    {
                        "load": load,
                        "connections": connections,
                        "samples": {name: [asdict(sample) for sample in taken] for name, taken in samples.items()},
                    }
                )
        ready = {name: round(target.ready_after, 2) for name, target in targets.items() if target.ready_after}
    described = {
        each.name: {
            "project": each.project,
            "setting": each.setting,
            "durable": each.durable,
            "access_token": each.access_token,
        }
        for each in contenders
        if each.name in targets
    }
    paces = {"headline": asdict(headline), "others": asdict(others)}
    return {"contenders": described, "measured": measured, "ready_after": ready, "absent": absent, "pace": paces}


@contextmanager
def all_running(
    contenders: Sequence[Contender], chains: Mapping[str, int]
) -> Iterator[tuple[dict[str, Target], dict[str, str]]]:
    """Run all contenders at once, idle but for the one that is measured; say which could not be started, and why."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=WORK, prefix="run-")))

        def own_cluster() -> Cluster:
            return stack.enter_context(cluster())

        targets: dict[str, Target] = {}
        absent: dict[str, str] = {}
        for contender in contenders:
            own = folder / contender.name
            own.mkdir()
            say(f"starting {contender.name}")
            try:
                place = Place(folder=own, cluster=own_cluster, chains=chains)
                target = stack.enter_context(contender.start(place))
                check(contender, target)
            except (NotStarted, Missing, Wrong, RuntimeError, OSError) as error:
                say(f"{contender.name} is not measured: {error}")
                absent[contender.name] = str(error)
            else:
                targets[contender.name] = target
        yield targets, absent


def check(contender: Contender, target: Target) -> None:
    """See that a server does what it is measured for.

    Raises:
        Wrong: it does not.
    """
    for load, call in target.calls.items():
        if load not in contender.loads:
            continue
        token = call.take(1)[0] if call.tokens else ""
        answer = ask(target.port, call, token)
        if load.startswith("refresh"):
            _check_refresh(load, contender, answer, token, rotates=call.rotates)
        if load == INTROSPECTION and answer.get("active") is not True:
            raise Wrong(f"{load}: the access token is not active")
        if load == USERINFO and not answer.get("sub"):
            raise Wrong(f"{load}: no sub")


def _check_refresh(load: str, contender: Contender, answer: Mapping[str, Any], token: str, *, rotates: bool) -> None:
    if (answer.get("refresh_token", token) != token) != rotates:
        raise Wrong(f"{load}: the refresh token {'did not rotate' if rotates else 'rotated'}")
    if ("id_token" in answer) != (load == REFRESH_ID_TOKEN):
        raise Wrong(f"{load}: {'an' if 'id_token' in answer else 'no'} ID token")
    kind = "opaque" if load == REFRESH_OPAQUE else contender.access_token
    if _kind_of(str(answer["access_token"])) != kind:
        raise Wrong(f"{load}: the access token is not {kind}")


def _kind_of(access_token: str) -> str:
    header, *rest = access_token.split(".")
    if len(rest) != 2:  # noqa: PLR2004 - the parts of a compact JWS
        return "opaque"
    return f"{json.loads(urlsafe_b64decode(header + '=' * (-len(header) % 4)))['alg']} JWT"
