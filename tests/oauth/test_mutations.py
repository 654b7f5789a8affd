"""The tests of the heart catch every mistake that a change to it could make: each is made, and must be noticed.

A mutation is made in a copy of the package, in which a named handful of tests then has to fail. One whose text is not
found any more fails too: it must be rewritten for the code as it is now.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "everbearer"

REFRESHING = "tests/oauth/test_rfc6749_6_refreshing.py"
ROTATION = "tests/oauth/test_rfc9700_4_14_rotation.py"
RETRIES = "tests/oauth/test_rfc9700_4_14_retries.py"
LIFETIMES = "tests/oauth/test_rfc9700_4_14_lifetimes.py"
ENDS = "tests/oauth/test_grants_end.py"
TROUBLE = "tests/oauth/test_trouble.py"
SECRECY = "tests/oauth/test_secrecy.py"
CODES = "tests/oauth/test_rfc6749_4_1_3_codes.py"
PKCE = "tests/oauth/test_rfc7636_pkce.py"

FAILED = 1
"""pytest's exit status where tests failed; not found, broken or interrupted are others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One mistake, and the tests that must notice it."""

    module: str
    instead: Mapping[str, str]
    """What stands in the module, each once, and what shall stand there instead."""
    tests: Sequence[str]
    backend: str = "memory"


_GRANT = "oauth/grants/refresh_token.py"
_CODE = "oauth/grants/authorization_code.py"
_RULE = "oauth/tokens/rotation.py"
_MINT = "tokens = await issue_tokens(request, refreshed, scope, server, now=now, target=target)\n"
_SPEND = "await server.store.spend(refreshed, expected=grant.generation) is Spend.SPENT:\n"
_NARROW = 'scope = narrow(request.parameters.get("scope"), still_allowed(grant.scope, request.client.scope))\n'
_COUNTED = "retries=grant.retries + 1,"
_ABSOLUTE = "absolute_at=grant.created_at + lifetimes.refresh_token)"
_MATCHES = "any(server.sealer.keyed_hash_matches("
_RACE = f"{ENDS}::test_of_two_refreshes_at_once_both_get_the_same_successor"
_IN_FLIGHT = f"{ENDS}::test_a_grant_that_ends_while_it_is_refreshed_stays_dead"

MUTATIONS: Mapping[str, Mutation] = {
    "no compare-and-swap in the grant": Mutation(
        module=_GRANT,
        instead={_SPEND: _SPEND.replace("is Spend.SPENT", "in Spend")},
        tests=[_RACE, _IN_FLIGHT],
    ),
    "no compare-and-swap in memory": Mutation(
        module="oauth/store_rules.py",
        instead={"if stored.generation != expected:": "if expected < 0:"},
        tests=[f"{ENDS}::test_a_refresh_that_loses_to_a_thief_of_the_successor_ends_the_grant"],
    ),
    "no compare-and-swap in SQL": Mutation(
        module="storage/sql/grants.py",
        instead={"WHERE grant_id = :grant_id AND generation = :expected AND": "WHERE grant_id = :grant_id AND"},
        tests=[f"{ENDS}::test_a_refresh_that_loses_to_a_thief_of_the_successor_ends_the_grant"],
        backend="blocking",
    ),
    "a spend in SQL brings an ended grant back": Mutation(
        module="storage/sql/grants.py",
        instead={"AND generation = :expected AND {_LIVE}": "AND generation = :expected "},
        tests=[_IN_FLIGHT],
        backend="blocking",
    ),
    "a spend in memory brings an ended grant back": Mutation(
        module="oauth/store_rules.py",
        instead={"if stored is None or stored.ended is not None:": "if stored is None:"},
        tests=[_IN_FLIGHT],
    ),
    "who loses a race is turned away": Mutation(
        module=_GRANT, instead={"for _ in range(ATTEMPTS):": "for _ in range(1):"}, tests=[_RACE]
    ),
    "no client binding": Mutation(
        module=_GRANT,
        instead={"if grant.client_id != client.client_id:": "if not client.client_id:"},
        tests=[f"{REFRESHING}::test_another_clients_refresh_token_is_refused_and_its_grant_lives"],
    ),
    "the client is checked after the spend": Mutation(
        module=_GRANT,
        instead={
            "if grant.client_id != client.client_id:": "if not client.client_id:",
            "            return tokens\n    raise": (
                "            if grant.client_id != request.client.client_id:\n"
                '                raise InvalidGrant("the refresh token was issued to another client")\n'
                "            return tokens\n    raise"
            ),
        },
        tests=[f"{ROTATION}::test_an_old_token_in_another_clients_hands_ends_nothing"],
    ),
    "scope checked after the spend": Mutation(
        module=_GRANT,
        instead={
            _NARROW: "scope = grant.scope\n",
            _SPEND: _SPEND + "            " + _NARROW + "            " + _MINT,
        },
        tests=[f"{REFRESHING}::test_a_scope_that_was_not_granted_is_refused_and_spends_nothing"],
    ),
    "scope not checked": Mutation(
        module=_GRANT,
        instead={_NARROW: "scope = narrow(request.parameters.get('scope'), request.client.scope)\n"},
        tests=[f"{REFRESHING}::test_a_scope_that_was_not_granted_is_refused_and_spends_nothing"],
    ),
    "spent before it is minted": Mutation(
        module=_GRANT,
        instead={f"        {_MINT}": "", _SPEND: f"{_SPEND}            {_MINT}"},
        tests=[f"{TROUBLE}::test_a_refresh_that_cannot_sign_spends_nothing"],
    ),
    "reuse does not end the grant": Mutation(
        module=_GRANT,
        instead={
            "at=now)\n        await end_grant(grant, ended, server)\n": "at=now)\n",
        },
        tests=[f"{ROTATION}::test_the_token_before_the_one_before_the_newest_is_theft"],
    ),
    "an ended grant is ignored": Mutation(
        module=_GRANT,
        instead={
            "ended = end_of(grant, client, now, issued=presented.generation)\n    if ended is None:": (
                "ended = end_of(replace(grant, ended=None), client, now, issued=presented.generation)\n"
                "    if ended is None:"
            )
        },
        tests=[f"{ENDS}::test_an_ended_grant_refreshes_no_more_and_says_why"],
    ),
    "an old generation is not theft": Mutation(
        module=_RULE,
        instead={"if presented < newest - 1:": "if presented < 0:"},
        tests=[f"{ROTATION}::test_the_token_before_the_one_before_the_newest_is_theft"],
    ),
    "the window is ignored": Mutation(
        module=_RULE,
        instead={"and age > policy.retry_window)": "and age < 0)"},
        tests=[f"{ROTATION}::test_a_spent_token_after_its_window_ends_the_grant_and_all_its_access_tokens"],
    ),
    "a window of zero is ignored": Mutation(
        module=_RULE,
        instead={"strict = policy.retry_window == 0": "strict = False"},
        tests=[f"{RETRIES}::test_a_window_of_zero_makes_any_second_use_theft"],
    ),
    "the late limit is ignored": Mutation(
        module=_RULE,
        instead={"if policy.late_limit is not None and streak >= policy.late_limit:": "if streak < 0:"},
        tests=[f"{RETRIES}::test_late_retries_in_three_generations_in_a_row_are_theft"],
    ),
    "the proof of arrival is ignored": Mutation(
        module=_RULE,
        instead={"if grant.confirmed >= grant.generation:": "if grant.confirmed < 0:"},
        tests=[f"{RETRIES}::test_an_access_token_in_use_proves_its_answer_arrived_and_closes_the_window"],
    ),
    "an answer counts as arrived as soon as a retry counts as late": Mutation(
        module="oauth/tokens/confirmation.py",
        instead={"> policy.arrival_after:": "> policy.late_after:"},
        tests=[f"{RETRIES}::test_an_access_token_used_within_two_minutes_leaves_the_window_open_for_another_tab"],
    ),
    "the retry limit is ignored": Mutation(
        module=_RULE,
        instead={"if grant.retries >= policy.retry_limit:": "if grant.retries < 0:"},
        tests=[f"{RETRIES}::test_more_retries_than_the_policy_allows_are_refused_and_the_grant_lives"],
    ),
    "no key is the same as no key": Mutation(
        module=_RULE,
        instead={"same_attempt = bool(idempotency_key) and": "same_attempt ="},
        tests=[f"{RETRIES}::test_no_key_is_not_the_same_attempt_as_no_key"],
    ),
    "a retry extends the grant": Mutation(
        module=_GRANT,
        instead={_COUNTED: f"{_COUNTED} used_at=now,"},
        tests=[f"{LIFETIMES}::test_a_retry_extends_nothing"],
    ),
    "a retry moves its window": Mutation(
        module=_GRANT,
        instead={_COUNTED: f"{_COUNTED} rotated_at=now,"},
        tests=[f"{LIFETIMES}::test_a_retry_does_not_move_the_window_it_came_in"],
    ),
    "the secret in the row is not compared": Mutation(
        module="oauth/tokens/refresh_tokens.py",
        instead={"return hmac.compare_digest(self.secret, grant.secret)": "return bool(grant.secret)"},
        tests=[f"{SECRECY}::test_who_has_the_servers_secret_but_not_the_database_forges_nothing"],
    ),
    "the idle lifetime is ignored": Mutation(
        module="oauth/lifetimes.py",
        instead={"idle_at = None if idle is None else grant.used_at + idle": "idle_at = None"},
        tests=[f"{LIFETIMES}::test_a_grant_that_is_not_used_for_its_idle_lifetime_ends"],
    ),
    "the absolute lifetime slides": Mutation(
        module="oauth/lifetimes.py",
        instead={_ABSOLUTE: _ABSOLUTE.replace("created_at", "used_at")},
        tests=[f"{LIFETIMES}::test_a_grant_ends_at_its_absolute_lifetime_however_often_it_is_used"],
    ),
    "a client's secret is not checked": Mutation(
        module="oauth/clients/authentication.py",
        instead={_MATCHES: f"True or {_MATCHES}"},
        tests=[f"{REFRESHING}::test_a_confidential_client_must_authenticate_and_a_failure_spends_nothing"],
    ),
    "a code works twice": Mutation(
        module=_CODE,
        instead={"if spend is Spend.SUPERSEDED:": "if spend is None:"},
        tests=[f"{CODES}::test_of_two_that_redeem_one_code_at_once_one_is_refused_and_nothing_lives"],
    ),
    "a replayed code ends nothing": Mutation(
        module=_CODE,
        instead={"    await end_grant(grant, ended, server)\n": ""},
        tests=[f"{CODES}::test_a_code_redeemed_twice_is_refused_and_ends_what_it_gave"],
    ),
    "the verifier is not compared": Mutation(
        module=_CODE,
        instead={"if not hmac.compare_digest(challenge, binding.code_challenge):": "if not challenge:"},
        tests=[f"{PKCE}::test_a_verifier_that_does_not_fit_is_refused_and_the_code_stays_good"],
    ),
}


def _copy(tmp_path: Path) -> Path:
    copied = tmp_path / "src" / "everbearer"
    shutil.copytree(PACKAGE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    return copied


def _mutate(path: Path, instead: Mapping[str, str]) -> None:
    text = path.read_text()
    for old, new in instead.items():
        assert text.count(old) == 1, f"the mutation must be rewritten: {path.name} has not once {old!r}"
        text = text.replace(old, new)
    path.write_text(text)


def _environment(copied: Path) -> dict[str, str]:
    """Return an environment that has the copy imported, and not measured: its branches are not the package's."""
    of_this_run = ("PYTEST", "COV_", "COVERAGE_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(of_this_run)}
    return {**inherited, "PYTHONPATH": str(copied.parent), "PYTHONDONTWRITEBYTECODE": ""}


def _run(copied: Path, tests: Sequence[str], backend: str) -> subprocess.CompletedProcess[str]:
    # Most of the time goes into starting; some plugins come with other packages and load much.
    without = ["cacheprovider", "randomly", "xdist", "hypothesispytest", "playwright", "faker", "anyio"]
    options = ["-q", "-x", "-k", backend, *(f"-pno:{plugin}" for plugin in without)]
    return subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=ROOT,
        env=_environment(copied),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def assert_noticed(mutation: Mutation, folder: Path) -> None:
    """Make the mistake in a copy in the folder, and see that the tests notice it."""
    copied = _copy(folder)
    _mutate(copied / mutation.module, mutation.instead)

    run = _run(copied, mutation.tests, mutation.backend)

    assert run.returncode == FAILED, f"the mutation survived, or could not be tried:\n{run.stdout}{run.stderr}"
    assert "SyntaxError" not in run.stdout


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_tests_notice(name: str, tmp_path: Path) -> None:
    assert_noticed(MUTATIONS[name], tmp_path)


@pytest.mark.parametrize("backend", ["memory", "blocking"])
def test_the_same_tests_pass_without_a_mutation(backend: str, tmp_path: Path) -> None:
    tests = sorted({test for one in MUTATIONS.values() if one.backend == backend for test in one.tests})

    run = _run(_copy(tmp_path), tests, backend)

    assert run.returncode == 0, run.stdout + run.stderr


def test_a_copy_is_what_the_tests_import(tmp_path: Path) -> None:
    copied = _copy(tmp_path)

    shown = subprocess.run(
        [sys.executable, "-c", "import everbearer.oauth.tokens.rotation as module; print(module.__file__)"],
        env=_environment(copied),
        capture_output=True,
        text=True,
        check=True,
    )

    assert Path(shown.stdout.strip()) == copied / "oauth" / "tokens" / "rotation.py"
