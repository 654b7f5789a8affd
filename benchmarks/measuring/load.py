"""One measurement: the generator's counts, with what the processes used while it counted."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measuring.accounting import memory_mb, tree, usage
from measuring.paths import GENERATOR

SLACK = 60
"""Seconds beyond its own that the generator may take, to wait for answers under way."""


@dataclass(slots=True, kw_only=True)
class Call:
    """What one kind of request looks like. `{token}` in path, headers and body stands for a token."""

    path: str
    method: str = "POST"
    headers: tuple[str, ...] = ()
    body: str = ""
    rotates: bool = False
    tokens: list[str] = field(default_factory=list, repr=False)
    """Of a call that rotates, each starts one chain and is taken by one measurement; else they are used again."""
    fresh: Callable[[int], list[str]] | None = None
    """Returns as many tokens that start chains, made anew, of a server that does not keep them for long."""

    def take(self, count: int) -> list[str]:
        """Return the tokens for one measurement.

        Raises:
            ValueError: too few chains are left.
        """
        if self.fresh:
            return self.fresh(count)
        if not self.rotates:
            return self.tokens
        if len(self.tokens) < count:
            raise ValueError(f"{len(self.tokens)} chains are left for {count} connections")
        taken, self.tokens = self.tokens[:count], self.tokens[count:]
        return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server to measure, and the roots of its processes."""

    port: int
    server: Sequence[int]
    database: Sequence[int] = ()
    calls: dict[str, Call]
    """By the name of the load."""
    ready_after: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one measurement gave. Times in milliseconds."""

    rate: float
    """Answers with status 200 a second."""
    p50: float
    p90: float
    p99: float
    longest: float
    errors: dict[str, int]
    """All other outcomes, by status or name."""
    server_cpu: float
    """CPU of the server's processes for one answer."""
    database_cpu: float
    server_memory: float
    """In MB, after the measurement."""
    database_memory: float
    generator_share: float
    """Of one core, in percent."""
    foreign_share: float
    """What everybody else on the machine used, and what the host kept, of one core, in percent."""


def measure(
    target: Target, call: Call, *, connections: int, warm_up: float, seconds: float, chains: int | None = None
) -> Sample:
    """Put one kind of load on a server and return what came of it.

    Each connection walks one chain of tokens, or its share of `chains`, one after the other.

    Raises:
        RuntimeError: the generator gave up.
    """
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "plan"
        plan.write_text(_plan(call, call.take(chains or connections)), encoding="utf-8")
        command: list[str | Path] = [
            GENERATOR,
            str(target.port),
            str(connections),
            str(_ms(warm_up)),
            str(_ms(seconds)),
            plan,
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as generator:
            try:
                return _observe(generator, target, warm_up + seconds + SLACK)
            finally:
                generator.kill()


def _observe(generator: subprocess.Popen[str], target: Target, patience: float) -> Sample:
    output = generator.stdout
    if output is None or output.readline() != "counting\n":
        raise RuntimeError("the generator gave up before it counted")
    before = usage(target.server, target.database)
    if output.readline() != "counted\n":
        raise RuntimeError("the generator gave up while it counted")
    used = usage(target.server, target.database).since(before)
    memory = memory_mb(tree(target.server)), memory_mb(tree(target.database))
    line = output.read()
    if generator.wait(patience) != 0:
        raise RuntimeError("the generator gave up at the end")
    counted = json.loads(line)
    answers = max(1, counted["requests"])
    spent_ms = counted["seconds"] * 1000
    known = used.server + used.database + counted["generator_cpu_ms"]
    return Sample(
        rate=round(counted["requests"] / counted["seconds"], 1),
        p50=counted["p50_ms"],
        p90=counted["p90_ms"],
        p99=counted["p99_ms"],
        longest=counted["max_ms"],
        errors=_errors(counted),
        server_cpu=round(used.server / answers, 4),
        database_cpu=round(used.database / answers, 4),
        server_memory=round(memory[0], 1),
        database_memory=round(memory[1], 1),
        generator_share=round(100 * counted["generator_cpu_ms"] / spent_ms, 1),
        foreign_share=round(100 * max(0.0, used.machine + used.stolen - known) / spent_ms, 1),
    )


def _errors(counted: dict[str, Any]) -> dict[str, int]:
    """Return what was not right: no error is left out, and a token that should have changed and did not is one."""
    errors = {status: count for status, count in counted["statuses"].items() if status != "200"}
    names = ("unchanged", "refused", "cut_off", "malformed", "timed_out", "dead_chains")
    return errors | {name: counted[name] for name in names if counted[name]}


def _plan(call: Call, tokens: Iterable[str]) -> str:
    lines = [f"method {call.method}", f"path {call.path}", *(f"header {header}" for header in call.headers)]
    lines += [f"body {call.body}"] if call.body else []
    lines += ["rotates refresh_token"] if call.rotates else []
    return "\n".join([*lines, *(f"token {token}" for token in tokens)]) + "\n"


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
