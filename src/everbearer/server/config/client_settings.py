"""The settings of one client, each as KEY=VALUE in the words of the file: for commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from everbearer.oauth.client import CLIENT_CREDENTIALS, AuthMethod, Client
from everbearer.oauth.randomness import random_bytes
from everbearer.oauth.scope import format_scope
from everbearer.server.config import Config
from everbearer.server.config.clients import ClientSection
from everbearer.server.config.environment import as_toml
from everbearer.server.config.file import MADE_FOR_ALL, check_types, merge
from everbearer.server.config.reading import ConfigError, Reading, is_table, prepare
from everbearer.server.config.reference import duration_text
from everbearer.server.config.words import config_type, keys_of, marked, toml_text

SOURCE = "--set"

_SECRETS = frozenset({"client_secret", "client_secrets"})
_ALGORITHMS = ("access_token_signing_alg", "id_token_signed_response_alg")
_OF_SECRETS = "is not changed so; run: everbearer client rotate-secret"
_READ_BY_OTHERS = "a command line can be read by others; leave it out to have one made, or write client_secret_file"
_NEVER_CHANGED = {
    "client_id": "never changes; create another client",
    "type": "never changes, but what it stands for can: see grant_types, require_pkce and scope",
    "client_secret": _OF_SECRETS,
    "client_secret_file": _OF_SECRETS,
    "client_secrets": _OF_SECRETS,
}
"""What a client has from its creation, or is changed by another command."""
_WHOLE = {"claims"}
"""The tables whose keys are anybody's."""
_WHOEVER = {"client_id": "whoever", "type": "web"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting that is in force."""

    value: object
    text: str
    """What would stand after KEY=."""


def new_section(short: dict[str, Any], texts: Iterable[str], config: Config) -> ClientSection:
    """Return the section of a new client, of what short options say and what `--set` says.

    Raises:
        ConfigError: some of it is refused.

    """
    reading = Reading(source=SOURCE, folder=Path().absolute())
    table = read_settings(texts, reading)
    for key in sorted(short.keys() & table.keys()):
        reading.refuse(key, "is given by its short option too; keep one")
    for key in sorted(_SECRETS & table.keys()):
        reading.refuse(key, _READ_BY_OTHERS)
    options = Reading(source="client", folder=reading.folder)
    check_client_types(short, options)
    if options.problems or reading.problems:
        raise ConfigError(*options.problems, *reading.problems)
    # Not every server has a key of the usual algorithm.
    algorithm = "ES256" if "ES256" in config.keys.algorithms else config.keys.algorithms[0]
    made_for_all = {name: msgspec.structs.asdict(getattr(config, name)) for name in MADE_FOR_ALL}
    return msgspec.convert(
        {"client_id": random_bytes(8).hex(), **dict.fromkeys(_ALGORITHMS, algorithm)}
        | merge(made_for_all, short | table),
        ClientSection,
    )


def changed_section(client: Client, texts: Iterable[str]) -> ClientSection:
    """Return the section of a client with other settings.

    Raises:
        ConfigError: some of them are refused.

    """
    reading = Reading(source=SOURCE, folder=Path().absolute())
    table = read_settings(texts, reading)
    if not table and not reading.problems:
        reading.problems.append("nothing to change was given; write --set KEY=VALUE")
    for key in sorted(table.keys() & _NEVER_CHANGED.keys()):
        reading.refuse(key, _NEVER_CHANGED[key])
    # What a scope gives is told as a whole, so that it can be taken back too.
    changed = merge(_table_of(client), table) | {name: table[name] for name in table.keys() & _WHOLE}
    if not reading.problems:
        # An application of its own may have stored what this server has no words for.
        check_client_types(changed, reading)
    if reading.problems:
        raise ConfigError(*reading.problems)
    return msgspec.convert(changed, ClientSection)


def read_settings(texts: Iterable[str], reading: Reading) -> dict[str, Any]:
    """Return what settings such as `lifetimes.access_token=10m` say, as the table of a client; paths from `reading`.

    Problems are noted in `reading`, in the words that the file is refused with.
    """
    table: dict[str, Any] = {}
    keys: set[str] = set()
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator:
            reading.refuse(key, "has no value; write it as KEY=VALUE")
        elif key in keys:
            reading.refuse(key, "is given twice; keep one")
        else:
            one = prepare(_nested(key, value), _client_type(), reading, "")
            check_client_types(one, reading)
            table = merge(table, one)
        keys.add(key)
    return table


def check_client_types(table: dict[str, Any], reading: Reading) -> None:
    """Note in `reading` what in the table of a client, or in a part of one, is not what a setting takes."""
    check_types(
        {"clients": [_WHOEVER | table]}, reading, lambda key: f"{reading.source}: {key.removeprefix('clients[0].')}"
    )


def _client_type() -> inspect.Type:
    described = keys_of(config_type())["clients"]
    if not isinstance(described, inspect.VarTupleType):
        raise TypeError("the clients are a list")
    return described.item_type


def _nested(key: str, text: str) -> dict[str, Any]:
    """Return what the file would hold; a key that is not known has its text, for others to refuse."""
    kind: inspect.Type | None = _client_type()
    names = key.split(".")
    for name in names:
        kind = keys_of(kind).get(name) if kind else None
    value: Any = as_toml(text, kind) if kind else text
    for name in reversed(names):
        value = {name: value}
    return dict(value)


def settings_of(client: Client) -> dict[str, Setting]:
    """Return all settings of a client that are in force, by their keys."""
    return dict(_settings(_table_of(client), _client_type(), ""))


def changed_settings(before: Client, after: Client) -> dict[str, tuple[Setting, Setting]]:
    """Return the settings that differ between two states of a client, each as it was and as it is."""
    was, now = settings_of(before), settings_of(after)
    return {key: (was[key], now[key]) for key in now if now[key] != was[key]}


def _table_of(client: Client) -> dict[str, Any]:
    """Return the table that declares a client, but for its secrets."""
    machine = client.grant_types == (CLIENT_CREDENTIALS,)
    method = client.token_endpoint_auth_method
    names = keys_of(_client_type()).keys() - _NEVER_CHANGED.keys()
    settings = {name: getattr(client, name) for name in names} | {
        "client_id": client.client_id,
        "type": "spa" if client.public else "machine" if machine else "web",
        "scope": format_scope(client.scope),
        "token_endpoint_auth_method": None if method is AuthMethod.NONE else method,
    }
    table: dict[str, Any] = msgspec.to_builtins(settings)
    return table


def _settings(table: dict[str, Any], kind: inspect.Type, prefix: str) -> Iterator[tuple[str, Setting]]:
    for name, inner in keys_of(kind).items():
        if not prefix and name in _NEVER_CHANGED:
            continue
        value = table[name]
        if is_table(value) and keys_of(inner):
            yield from _settings(value, inner, f"{name}.")
        else:
            yield f"{prefix}{name}", Setting(value=value, text=_text(value, inner))


def _text(value: object, kind: inspect.Type) -> str:
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    if isinstance(value, int) and marked(kind) == "duration":
        return duration_text(value).strip('"')
    return toml_text(value)
