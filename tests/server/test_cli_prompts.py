"""What commands ask at a terminal: passwords, which are not shown, and whether something is really to be done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from everbearer.login.models import User
from everbearer.login.passwords import password_matches
from everbearer.server.cli import app
from everbearer.storage.sqlite import SQLiteStore
from server.terminal import Terminal, at_terminal

SECRET = "Zr8-q1ZbT0vXn4kPq7Lw2aYc5eHd9sJu"
PASSWORD = "a long enough phrase"
ENVIRON = {"EVERBEARER_SECRET": SECRET}

At = Callable[..., AbstractContextManager[Terminal]]


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> At:
    """Run a command in a folder with a database."""
    monkeypatch.chdir(tmp_path)
    command("migrate")
    return partial(at_terminal, tmp_path, environ=ENVIRON)


def command(*arguments: str, stdin: str = "") -> str:
    result = CliRunner().invoke(app, list(arguments), input=stdin, env=ENVIRON)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def user(login: str) -> User | None:
    async def read() -> User | None:
        store = SQLiteStore("everbearer.db")
        try:
            return await store.user_by_login(login)
        finally:
            await store.close()

    return asyncio.run(read())


def test_a_password_is_asked_for_twice_and_not_shown(at: At) -> None:
    with at("user", "create", "ada") as terminal:
        terminal.expect("Password: ")
        terminal.type(PASSWORD)
        terminal.expect("Repeat for confirmation: ")
        terminal.type(PASSWORD)

        assert terminal.end() == 0
    stored = user("ada")
    assert stored is not None
    assert password_matches(stored.password_hash, PASSWORD)
    assert PASSWORD not in terminal.shown


def test_who_mistypes_a_password_is_asked_again(at: At) -> None:
    with at("user", "create", "ada") as terminal:
        terminal.expect("Password: ")
        terminal.type("a long enough phrasee")
        terminal.expect("Repeat for confirmation: ")
        terminal.type(PASSWORD)
        terminal.expect("do not match")
        for question in ("Password: ", "Repeat for confirmation: "):
            terminal.expect(question)
            terminal.type(PASSWORD)

        assert terminal.end() == 0
    stored = user("ada")
    assert stored is not None
    assert password_matches(stored.password_hash, PASSWORD)


def test_a_new_password_is_asked_for_at_the_terminal(at: At) -> None:
    command("user", "create", "ada", stdin=PASSWORD)
    with at("user", "set-password", "ada") as terminal:
        for question in ("Password: ", "Repeat for confirmation: "):
            terminal.expect(question)
            terminal.type("another long phrase")
        terminal.expect("ada has a new password")

        assert terminal.end() == 0
    assert "another long phrase" not in terminal.shown


def test_a_weak_password_typed_at_the_terminal_is_told(at: At) -> None:
    with at("user", "create", "ada") as terminal:
        for question in ("Password: ", "Repeat for confirmation: "):
            terminal.expect(question)
            terminal.type("short")
        terminal.expect("the password is shorter than 8 characters")

        assert terminal.end() == 2
    assert user("ada") is None


def test_who_is_asked_and_agrees_has_a_user_deleted(at: At) -> None:
    command("user", "create", "ada", stdin=PASSWORD)
    with at("user", "delete", "ada") as terminal:
        terminal.expect("Delete ada and end all sessions and grants? [y/N]: ")
        terminal.type("y")
        terminal.expect("ada is deleted")

        assert terminal.end() == 0
    assert user("ada") is None


@pytest.mark.parametrize("typed", ["n", ""])
def test_who_does_not_agree_has_nothing_done(at: At, typed: str) -> None:
    command("user", "create", "ada", stdin=PASSWORD)
    with at("user", "delete", "ada") as terminal:
        terminal.expect("[y/N]: ")
        terminal.type(typed)
        terminal.expect("Nothing was done.")

        assert terminal.end() == 1
    assert user("ada") is not None


def test_who_leaves_at_the_question_has_nothing_done(at: At) -> None:
    command("user", "create", "ada", stdin=PASSWORD)
    with at("user", "delete", "ada") as terminal:
        terminal.expect("[y/N]: ")
        terminal.type("\x04")
        terminal.expect("Aborted")

        assert terminal.end() == 1
    assert user("ada") is not None


def test_who_says_yes_beforehand_is_not_asked(at: At) -> None:
    command("user", "create", "ada", stdin=PASSWORD)
    with at("user", "delete", "ada", "--yes") as terminal:
        assert terminal.end() == 0

    assert "[y/N]" not in terminal.shown


@pytest.mark.parametrize(
    ("noun", "question"),
    [("client", "Delete {} and end all its grants? [y/N]: "), ("key", "Withdraw {}? All tokens that it signed are")],
)
def test_clients_and_keys_do_not_go_unasked(at: At, noun: str, question: str) -> None:
    command("key", "rotate", "--alg", "ES256")
    command("client", "create", "--id", "m", "--type", "machine")
    kid = command("key", "list").splitlines()[1].split()[0]
    verb, name = {"client": ("delete", "m"), "key": ("withdraw", kid)}[noun]
    before = command(noun, "list")
    with at(noun, verb, name) as terminal:
        terminal.expect(question.format(name))
        terminal.type("n")

        assert terminal.end() == 1
    assert command(noun, "list") == before
