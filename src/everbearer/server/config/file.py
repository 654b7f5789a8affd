"""Reads the configuration: one TOML file, overridden by the environment. All that is wrong is told at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect, structs

from everbearer.server.config import Config
from everbearer.server.config.environment import environment_overrides, variable_of
from everbearer.server.config.reading import ConfigError, Reading, is_list, is_table, prepare
from everbearer.server.config.rules import config_problems
from everbearer.server.config.words import config_type, keys_of, what_to_write

DEFAULT_FILE = "everbearer.toml"

_PATH = re.compile(r" - at `\$\.?(.*)`$")
MADE_FOR_ALL = ("lifetimes", "rotation")
"""The tables of a client that override single values of those of the same name."""
_LISTS = frozenset({"resources", "clients", "users", "trusted_issuers"})
"""The lists of tables."""


def find_config(path: Path | None) -> Path | None:
    """Return the file to read: the one named, else `everbearer.toml` in the current folder if it is there."""
    return path or (Path(DEFAULT_FILE) if Path(DEFAULT_FILE).is_file() else None)


def load_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Return the configuration of a file (or of none) and the environment.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong.

    """
    folder = (path.parent if path else Path()).absolute()
    file = Reading(source=str(path or "configuration"), folder=folder)
    data: dict[str, Any] = prepare(_read_toml(path), config_type(), file, "") if path else {}
    check_types(data, file, lambda key: f"{file.source}: {key}")
    outside = Reading(source="environment", folder=Path().absolute())
    overrides = environment_overrides(environ, outside)
    check_types(overrides, outside, lambda key: f"environment: {variable_of(key)}")
    if file.problems or outside.problems:
        raise ConfigError(*file.problems, *outside.problems)
    config = _beside(folder, msgspec.convert(_for_each_client(merge(data, overrides)), Config))
    problems = config_problems(config)
    if problems:
        raise ConfigError(*(f"{file.source}: {problem}" for problem in problems))
    return config


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; name one that exists with --config") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check its name and permissions") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}; text values need quotes") from None


def _beside(folder: Path, config: Config) -> Config:
    """Put the database beside the file where neither file nor environment says where it is."""
    database = config.server.database
    if "://" in database or Path(database).is_absolute():
        return config
    return structs.replace(config, server=structs.replace(config.server, database=str(folder / database)))


def merge(data: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with others put over them; tables are merged key by key."""
    merged = dict(data)
    for name, value in overrides.items():
        below = merged.get(name)
        merged[name] = below | value if is_table(below) and is_table(value) else value
    return merged


def _for_each_client(data: dict[str, Any]) -> dict[str, Any]:
    """Let each client's own tables, and those of clients that register themselves, override what is made for all."""
    clients = [_overriding(data, client) for client in data.get("clients", ())]
    return data | {"clients": clients, "registration": _overriding(data, data.get("registration", {}))}


def _overriding(data: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    return table | {name: data.get(name, {}) | table.get(name, {}) for name in MADE_FOR_ALL}


def check_types(data: Mapping[str, Any], reading: Reading, place: Callable[[str], str]) -> None:
    """Convert piece by piece, so that a problem in each piece is told and not only the first of all.

    `place` makes what a problem begins with of its key. Problems are noted in `reading`.
    """
    for piece, index in _pieces(data):
        try:
            msgspec.convert(piece, Config)
        except msgspec.ValidationError as error:
            # Nothing of a refused value is shown: it may be a secret.
            words, _, _ = str(error).partition(" - at ")
            found = _PATH.search(str(error))
            key = (found[1] if found else "").replace("[0]", f"[{index}]", 1 if index is not None else 0)
            reading.problems.append(f"{place(key)}: {_in_words(key, words)}")


def _pieces(data: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], int | None]]:
    for name, value in data.items():
        if name in _LISTS and is_list(value):
            yield from (({name: [item]}, at) for at, item in enumerate(value))
        elif is_table(value) and keys_of(_type_of(name)):
            yield from (({name: {key: inner}}, None) for key, inner in value.items())
        else:
            yield {name: value}, None


def _type_of(name: str) -> inspect.Type:
    return keys_of(config_type())[name]


def _in_words(key: str, words: str) -> str:
    missing = re.search(r"missing required field `(\w+)`", words)
    if missing:
        return f"{missing[1]} is missing; write {missing[1]} = {_example(key, missing[1])}"
    kind: inspect.Type = config_type()
    for name in re.sub(r"\[[^\]]*\]", "", key).split("."):
        kind = keys_of(kind).get(name, kind)
    return f"is not what this setting takes; write {what_to_write(kind)}"


def _example(key: str, name: str) -> str:
    section = re.sub(r"\[[^\]]*\]", "", key)
    return what_to_write(keys_of(_type_of(section))[name])
