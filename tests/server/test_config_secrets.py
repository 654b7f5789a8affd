"""Where secrets come from, and what is no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from everbearer.server.config import Config, UserSection
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.reading import ConfigError
from everbearer.server.config.secrets import client_secret_problem, client_secrets, secret_warnings, server_secrets

NEW = "q7Lw2aYc5eHd9sJuZr8-q1ZbT0vXn4kP"
OLD = "Zr8-q1ZbT0vXn4kPq7Lw2aYc5eHd9sJu"


def written(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_the_secret_comes_from_the_environment() -> None:
    assert server_secrets(Config(), {"EVERBEARER_SECRET": NEW}) == (NEW.encode(),)


@pytest.mark.parametrize("between", [",", "\n", " ,\n "])
def test_several_secrets_are_given_newest_first(between: str) -> None:
    assert server_secrets(Config(), {"EVERBEARER_SECRET": f"{NEW}{between}{OLD}\n"}) == (NEW.encode(), OLD.encode())


def test_the_secret_comes_from_a_file_that_the_environment_names(tmp_path: Path) -> None:
    assert server_secrets(Config(), {"EVERBEARER_SECRET_FILE": written(tmp_path / "s", NEW)}) == (NEW.encode(),)


def test_the_secret_comes_from_a_file_that_the_configuration_names(tmp_path: Path) -> None:
    assert server_secrets(Config(secret_file=written(tmp_path / "s", NEW + "\n")), {}) == (NEW.encode(),)


def test_the_environment_comes_before_the_configuration(tmp_path: Path) -> None:
    config = Config(secret_file=written(tmp_path / "s", OLD))

    assert server_secrets(config, {"EVERBEARER_SECRET": NEW}) == (NEW.encode(),)


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "the server's secret is missing; set EVERBEARER_SECRET or EVERBEARER_SECRET_FILE, or secret_file"),
        ({"EVERBEARER_SECRET": NEW, "EVERBEARER_SECRET_FILE": "x"}, "are both set; unset one of the two"),
        ({"EVERBEARER_SECRET": ","}, "holds no secret; make one with: python3 -c"),
        ({"EVERBEARER_SECRET": "short"}, "secret 1 is shorter than 32 bytes; make one with"),
        ({"EVERBEARER_SECRET": f"{NEW},{'a' * 40}"}, "secret 2 repeats too few different characters to be random"),
        ({"EVERBEARER_SECRET_FILE": "/nowhere"}, "/nowhere: the secret cannot be read"),
        ({"EVERBEARER_SECRET_FILE": "/bin/true"}, "/bin/true: the secret is not text"),
    ],
)
def test_what_is_no_secret_is_refused(environ: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        server_secrets(Config(), environ)

    assert told in str(refused.value)


def test_a_file_that_others_can_read_is_warned_about(tmp_path: Path) -> None:
    config = Config(
        secret_file=written(tmp_path / "a", NEW, 0o640),
        clients=(ClientSection(client_id="c", type="web", client_secret_file=written(tmp_path / "b", NEW, 0o604)),),
        users=(UserSection(login="u", password_file=written(tmp_path / "c", NEW, 0o600)),),
    )

    warnings = secret_warnings(config, {})

    assert len(warnings) == 2
    assert f"run: chmod 600 {tmp_path / 'a'}" in warnings[0]
    assert secret_warnings(Config(), {"EVERBEARER_SECRET": NEW, "EVERBEARER_SECRET_FILE": "/nowhere"}) == ()


@pytest.mark.parametrize(("length", "warned"), [(15, False), (16, True), (31, True), (32, False)])
def test_a_short_secret_of_a_client_is_warned_about(tmp_path: Path, length: int, warned: bool) -> None:
    file = written(tmp_path / "s", f"{NEW}\n{OLD[:length]}\n")
    clients = (
        ClientSection(client_id="c", type="web", client_secret_file=file),
        ClientSection(client_id="d", type="web", client_secret=NEW),
    )

    warnings = secret_warnings(Config(clients=clients), {})

    told = "client c: has a secret shorter than 32 characters; use 43 random ones"
    assert warnings == ((told,) if warned else ())


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        (OLD[:15], "is shorter than 16 characters"),
        ("ü" * 8 + OLD[:7], "is shorter than 16 characters"),
        ("abcd" * 8, "repeats too few different characters to be random"),
        ("0123401234012340", ""),
        (OLD[:16], ""),
    ],
)
def test_what_can_be_guessed_is_no_secret_of_a_client(secret: str, problem: str) -> None:
    assert client_secret_problem(secret) == problem


def test_a_file_may_hold_several_secrets_of_a_client(tmp_path: Path) -> None:
    file = written(tmp_path / "s", f"{NEW}\n{OLD}\n")

    assert client_secrets(ClientSection(client_id="c", type="web", client_secret_file=file)) == (NEW, OLD)


def test_secrets_of_a_client_may_be_listed() -> None:
    assert client_secrets(ClientSection(client_id="c", type="web", client_secrets=(NEW, OLD))) == (NEW, OLD)


@pytest.mark.parametrize(
    ("text", "told"), [("", "is empty"), ("short", "a secret in it is shorter than 16 characters")]
)
def test_a_file_without_a_good_secret_is_refused(tmp_path: Path, text: str, told: str) -> None:
    section = ClientSection(client_id="c", type="web", client_secret_file=written(tmp_path / "s", text))

    with pytest.raises(ConfigError, match=told):
        client_secrets(section)
