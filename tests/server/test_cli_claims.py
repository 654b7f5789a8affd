"""Claims of users by command: NAME=VALUE, JSON where it is JSON."""

from __future__ import annotations

from typing import Any

import pytest

from server.shell import PASSWORD, Shell


@pytest.fixture
def with_user(shell: Shell) -> Shell:
    claims = ("--claim", "email=ada@example.com", "--claim", "name=Ada")
    assert shell.run("user", "create", "ada", *claims, stdin=PASSWORD).code == 0
    return shell


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("email_verified=true", True),
        ("updated_at=1700000000", 1700000000),
        ('address={"country": "DE"}', {"country": "DE"}),
        ('groups=["a", "b"]', ["a", "b"]),
        ('badge="0042"', "0042"),
        ("badge=0042", "0042"),
        ("badge=NaN", "NaN"),
        ("badge=1e999", "1e999"),
        ("nickname=a=b", "a=b"),
        ("name=true", "true"),
        ("phone_number=15551234", "15551234"),
    ],
)
def test_a_claim_is_json_where_it_is_json_and_no_standard_text(with_user: Shell, text: str, value: Any) -> None:
    changed = with_user.run("user", "change", "ada", "--claim", text, "--json").json

    assert changed["claims"] == {"email": "ada@example.com", "name": "Ada", text.partition("=")[0]: value}


def test_a_claim_is_removed_and_the_others_stay(with_user: Shell) -> None:
    changed = with_user.run("user", "change", "ada", "--claim", "name=", "--claim", "email=a@b.example", "--json")

    assert changed.json["claims"] == {"email": "a@b.example"}


def test_an_empty_claim_makes_none(shell: Shell) -> None:
    created = shell.run("user", "create", "ada", "--no-password", "--claim", "name=", "--json")

    assert created.json["claims"] == {}


def test_a_change_of_claims_stands_in_the_audit_trail_and_ends_nothing(with_user: Shell) -> None:
    subject = with_user.run("user", "show", "ada", "--json").json["subject"]
    with_user.run("user", "change", subject, "--claim", "name=Ada L.")

    newest, *_ = with_user.store(lambda store: store.events(subject=subject))
    user = with_user.store(lambda store: store.user(subject))
    assert (newest.kind.value, newest.details) == ("user_changed", {"change": "claims"})
    assert newest.actor.startswith("admin:")
    assert user is not None
    assert user.epoch == 0


def test_a_change_to_what_is_so_already_is_no_event(with_user: Shell) -> None:
    subject = with_user.run("user", "show", "ada", "--json").json["subject"]
    with_user.run("user", "change", "ada", "--claim", "name=Ada", "--claim", "nickname=")

    assert len(with_user.store(lambda store: store.events(subject=subject))) == 1


def test_a_user_that_the_file_declares_is_warned_of(with_user: Shell) -> None:
    (with_user.folder / "everbearer.toml").write_text('[[users]]\nlogin = "Ada"\n')

    result = with_user.run("user", "change", "ada", "--claim", "name=A")

    assert result.code == 0
    assert result.err.startswith("warning: ada is declared in the configuration, and the next start gives the claims")
