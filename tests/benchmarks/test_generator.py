"""The generator: it walks chains of rotating tokens, understands every framing of an answer and hides no error."""

from __future__ import annotations

import importlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.sham_server import ShamEndpoint, sham_server
from server_process import free_port

load = importlib.import_module("measuring.load")
setup = importlib.import_module("measuring.setup")


@pytest.fixture(scope="module", autouse=True)
def _generator() -> None:
    setup.set_up_generator()


@pytest.fixture
def port() -> Iterator[int]:
    with sham_server() as listening:
        yield listening


def measured(port: int, path: str = "/", *, chains: int = 4, name: str = "chain", connections: int = 2) -> Any:
    body = "grant_type=refresh_token&refresh_token={token}"
    tokens = [f"{name}{number}.0" for number in range(chains)]
    call = load.Call(path=path, body=body, rotates=True, tokens=tokens)
    target = load.Target(port=port, server=[os.getpid()], calls={})
    return load.measure(target, call, connections=connections, chains=chains, warm_up=0.05, seconds=1)


def chains_seen() -> dict[str, list[int]]:
    chains: dict[str, list[int]] = {}
    for token in ShamEndpoint.seen:
        chain, _, number = token.rpartition(".")
        chains.setdefault(chain, []).append(int(number))
    return chains


def test_each_request_presents_the_newest_token_of_its_chain(port: int) -> None:
    sample = measured(port)

    assert sample.errors == {}
    assert sorted(chains_seen()) == ["chain0", "chain1", "chain2", "chain3"]
    assert all(numbers == list(range(len(numbers))) for numbers in chains_seen().values())


@pytest.mark.parametrize("path", ["/", "/chunked", "/until-close", "/early", "/forgetful"])
def test_every_framing_of_an_answer_is_understood(port: int, path: str) -> None:
    sample = measured(port, path)

    assert sample.errors == {}
    assert sample.rate > 0
    assert 0 < sample.p50 <= sample.p99 <= sample.longest


def test_a_token_that_should_have_changed_and_did_not_is_an_error(port: int) -> None:
    assert measured(port, "/stuck").errors["unchanged"] > 0


def test_a_refused_chain_is_given_up_and_counted(port: int) -> None:
    sample = measured(port, name="bad")

    assert sample.errors["dead_chains"] == 4
    assert all(numbers == [0] for numbers in chains_seen().values())


def test_a_server_in_trouble_is_asked_three_times_with_the_same_token(port: int) -> None:
    measured(port, name="down")

    assert all(numbers == [0, 0, 0] for numbers in chains_seen().values())


def test_nobody_listening_is_an_error_and_not_a_hang() -> None:
    assert measured(free_port()).errors.keys() & {"refused", "dead_chains"}


@pytest.mark.parametrize(
    "arguments",
    [("0", "1", "0", "1"), ("80", "5000", "0", "1"), ("80", "1", "0", "9999999"), ("80", "x", "0", "1")],
)
def test_the_generator_is_bounded(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    plan = tmp_path / "plan"
    plan.write_text("method GET\npath /\n")
    done = subprocess.run([load.GENERATOR, *arguments, plan], capture_output=True, timeout=120, check=False)  # noqa: S603 - our own

    assert done.returncode == 2
    assert b"not a number from" in done.stderr


def test_chains_are_taken_once() -> None:
    call = load.Call(path="/", rotates=True, tokens=["a", "b", "c"])

    assert (call.take(2), call.take(1)) == (["a", "b"], ["c"])
    with pytest.raises(ValueError, match="0 chains are left for 1"):
        call.take(1)
