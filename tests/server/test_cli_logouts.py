"""`everbearer logout`: what waits and what was given up, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict, replace
from time import time

import pytest

from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import Ended, EndReason, Everything
from everbearer.oauth.sessions.backchannel_logout import Logout
from everbearer.server.cli.output import moment
from everbearer.storage.store import AdminStore
from server.shell import Shell

NOW = int(time())
ENDED = Ended(reason=EndReason.SIGNED_OUT, actor="user:ada", at=NOW)
EVENT = Event(kind=EventKind.LOGOUT_TOKEN_REFUSED, at=NOW)
WAITING = Logout(session_id="session", client_id="waiting", subject="ada", ended_at=NOW, due_at=NOW)
GIVEN_UP = replace(WAITING, client_id="down", attempts=1, due_at=None, problem="answers 400")


@pytest.fixture
def with_logouts(shell: Shell) -> Shell:
    for name in ("waiting", "down"):
        shell.run(
            *("client", "create", "--id", name, "--type", "spa", "--redirect-uri", "https://a.example/cb"),
            *("--set", f"backchannel_logout_uri=https://{name}.example/out"),
        )
    shell.store(_begin)
    return shell


async def _begin(store: AdminStore) -> None:
    for name in ("waiting", "down"):
        await store.note_client("session", name, subject="ada", at=NOW)
    await store.end_all(Everything.SESSION, "session", ENDED)
    taken = {each.client_id: each for each in await store.take_logouts(now=NOW, until=NOW, limit=2)}
    await store.settle_logout(taken["down"], EVENT, again=GIVEN_UP)


def test_what_waits_and_what_was_given_up_are_listed(with_logouts: Shell) -> None:
    listed = with_logouts.run("logout", "list").out

    (down,) = [line for line in listed.splitlines() if line.startswith("down")]
    assert down.split("  ")[0] == "down"
    assert "given up" in down
    assert "answers 400" in down
    (waiting,) = [line for line in listed.splitlines() if line.startswith("waiting")]
    assert moment(NOW) in waiting


def test_a_program_gets_all_that_is_known(with_logouts: Shell) -> None:
    assert with_logouts.run("logout", "list", "--json").json == [
        asdict(replace(WAITING, attempts=1)),
        asdict(GIVEN_UP),
    ]


def test_the_list_can_be_of_one_application_or_of_what_was_given_up(with_logouts: Shell) -> None:
    of_one = with_logouts.run("logout", "list", "--client", "waiting", "--json").json
    given_up = with_logouts.run("logout", "list", "--given-up", "--json").json

    assert [each["client_id"] for each in of_one] == ["waiting"]
    assert [each["client_id"] for each in given_up] == ["down"]
    assert len(with_logouts.run("logout", "list", "--limit", "1", "--json").json) == 1


def test_what_was_given_up_can_begin_anew(with_logouts: Shell) -> None:
    assert with_logouts.run("logout", "retry", "--client", "waiting").out == "Nothing had been given up.\n"
    assert with_logouts.run("logout", "retry").out == "1 will be tried again by a running server.\n"
    assert with_logouts.run("logout", "retry", "--json").json == {"retried": 0}
    assert [each["due_at"] is None for each in with_logouts.run("logout", "list", "--json").json] == [False, False]


def test_where_all_have_been_told_there_is_nothing_to_list(shell: Shell) -> None:
    assert shell.run("logout", "list").out == "Every application has been told.\n"
