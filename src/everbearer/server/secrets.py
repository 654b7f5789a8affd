"""Secrets, from the environment, from files, or from the configuration."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from everbearer.oauth.sealing import SHORTEST_SECRET
from everbearer.server.config import Config
from everbearer.server.config_reading import ConfigError

SECRET = "EVERBEARER_SECRET"
SECRET_FILE = "EVERBEARER_SECRET_FILE"
SHORTEST_CLIENT_SECRET = 32
HOW_TO_MAKE_ONE = 'make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'

_FEWEST_CHARACTERS = 10
"""Random text of 32 characters has more different ones, even in hexadecimal; a word repeated has fewer."""


def server_secrets(config: Config, environ: Mapping[str, str]) -> tuple[bytes, ...]:
    """Return the server's secrets, newest first.

    Raises:
        ConfigError: there is none, it cannot be read, or one is too short or too regular to be a secret.

    """
    source, text = _secret_text(config, environ)
    secrets = split_secrets(text)
    if not secrets:
        raise ConfigError(f"{source}: holds no secret; {HOW_TO_MAKE_ONE}")
    for at, secret in enumerate(secrets, start=1):
        problem = secret_problem(secret, SHORTEST_SECRET)
        if problem:
            raise ConfigError(f"{source}: secret {at} {problem}; {HOW_TO_MAKE_ONE}")
    return tuple(secret.encode() for secret in secrets)


def _secret_text(config: Config, environ: Mapping[str, str]) -> tuple[str, str]:
    if environ.get(SECRET) and environ.get(SECRET_FILE):
        raise ConfigError(f"environment: {SECRET} and {SECRET_FILE} are both set; unset one of the two")
    if environ.get(SECRET):
        return f"environment: {SECRET}", environ[SECRET]
    if environ.get(SECRET_FILE):
        return f"environment: {SECRET_FILE}", read_secret_file(Path(environ[SECRET_FILE]))
    if config.secret_file:
        return f"secret_file {config.secret_file}", read_secret_file(Path(config.secret_file))
    raise ConfigError(
        f"the server's secret is missing; set {SECRET} or {SECRET_FILE}, or secret_file in the file; " + HOW_TO_MAKE_ONE
    )


def split_secrets(text: str) -> tuple[str, ...]:
    """Return the secrets in a text that separates them by commas or line ends."""
    return tuple(part.strip() for part in re.split(r"[,\n]", text) if part.strip())


def read_secret_file(path: Path) -> str:
    """Return what a file of secrets holds, without the line end at its end.

    Raises:
        ConfigError: it cannot be read.

    """
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigError(
            f"{path}: the secret cannot be read ({error.strerror}); check its name and permissions"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: the secret is not text; write it in base64 or hexadecimal") from None


def secret_problem(secret: str, shortest: int) -> str:
    """Return what is wrong with a secret, as the end of a sentence; empty where nothing is."""
    if len(secret.encode()) < shortest:
        return f"is shorter than {shortest} bytes"
    if len(set(secret)) < _FEWEST_CHARACTERS:
        return "repeats too few different characters to be random"
    return ""


def secret_warnings(config: Config, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence for each file of secrets that other accounts of this machine can read."""
    files = (
        environ.get(SECRET_FILE) or ("" if environ.get(SECRET) else config.secret_file),
        *(client.client_secret_file for client in config.clients),
        *(user.password_file for user in config.users),
    )
    return tuple(
        f"{file}: other accounts of this machine can read this secret; run: chmod 600 {file}"
        for file in files
        if file and _readable_by_others(Path(file))
    )


def _readable_by_others(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return os.name == "posix" and bool(mode & (stat.S_IRGRP | stat.S_IROTH))


def one_secret(entries: Mapping[str, str]) -> str:
    """Return the one setting of several alternatives that is set; empty where none is.

    Raises:
        ValueError: more than one is set; the message names them.

    """
    given = [name for name, value in entries.items() if value]
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} are both set; keep one of them")
    return given[0] if given else ""
