"""Secrets, from the environment, from files, or from the configuration."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from everbearer.oauth.crypto.sealing import SHORTEST_SECRET
from everbearer.server.config import Config
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.reading import ConfigError

SECRET = "EVERBEARER_SECRET"
SECRET_FILE = "EVERBEARER_SECRET_FILE"
SHORTEST_CLIENT_SECRET = 16
"""Characters below which a client's secret is refused: guessing it would be possible."""
ENOUGH_FOR_CLIENT = 32
"""Characters below which a client's secret is warned of."""
HOW_TO_MAKE_ONE = 'make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'

_LENGTH_PER_DIFFERENT = 3
"""Random text of 32 characters has more than 10 different ones, even in hexadecimal, and one of 16 more than 5; a word
repeated has fewer."""


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
        problem = _server_secret_problem(secret)
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


def _server_secret_problem(secret: str) -> str:
    if len(secret.encode()) < SHORTEST_SECRET:
        return f"is shorter than {SHORTEST_SECRET} bytes"
    return _repetition(secret, SHORTEST_SECRET)


def client_secret_problem(secret: str) -> str:
    """Return what is wrong with a client's secret, as the end of a sentence; empty where nothing is."""
    if len(secret) < SHORTEST_CLIENT_SECRET:
        return f"is shorter than {SHORTEST_CLIENT_SECRET} characters"
    return _repetition(secret, SHORTEST_CLIENT_SECRET)


def _repetition(secret: str, shortest: int) -> str:
    few = len(set(secret)) < shortest // _LENGTH_PER_DIFFERENT
    return "repeats too few different characters to be random" if few else ""


def client_secrets(section: ClientSection) -> tuple[str, ...]:
    """Return a declared client's secrets, newest first.

    Raises:
        ConfigError: their file cannot be read, or one is too short to be a secret.

    """
    if not section.client_secret_file:
        return (section.client_secret, *section.client_secrets) if section.client_secret else section.client_secrets
    where = f"client {section.client_id}: client_secret_file"
    secrets = split_secrets(read_secret_file(Path(section.client_secret_file)))
    if not secrets:
        raise ConfigError(f"{where}: {section.client_secret_file} is empty; write a secret in it")
    for secret in secrets:
        problem = client_secret_problem(secret)
        if problem:
            raise ConfigError(f"{where}: a secret in it {problem}; use 43 random characters")
    return secrets


def secret_warnings(config: Config, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return a sentence for each file of secrets that others can read, and for each client with a short secret."""
    return (*_files_for_all(config, environ), *filter(None, map(_short_secret, config.clients)))


def _short_secret(client: ClientSection) -> str:
    try:
        short = any(len(secret) < ENOUGH_FOR_CLIENT for secret in client_secrets(client))
    except ConfigError:
        # It is refused, with its reason, where it is needed.
        return ""
    words = f"client {client.client_id}: has a secret shorter than {ENOUGH_FOR_CLIENT} characters; use 43 random ones"
    return words if short else ""


def _files_for_all(config: Config, environ: Mapping[str, str]) -> Iterator[str]:
    files = (
        environ.get(SECRET_FILE) or ("" if environ.get(SECRET) else config.secret_file),
        config.server.tls_key,
        *(client.client_secret_file for client in config.clients),
        *(user.password_file for user in config.users),
    )
    for file in files:
        if file and _readable_by_others(Path(file)):
            yield f"{file}: other accounts of this machine can read this secret; run: chmod 600 {file}"


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
