"""Overrides from the environment: `EVERBEARER_SECTION__KEY`, or `EVERBEARER_KEY` for keys outside of a section."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from msgspec import inspect

from everbearer.server.config.reading import Reading, prepare
from everbearer.server.config.words import config_type, keys_of, marked, nearest, plain

PREFIX = "EVERBEARER_"


def variable_of(key: str) -> str:
    """Return the name of the variable that overrides a key such as `server.port`."""
    return PREFIX + key.upper().replace(".", "__")


def environment_overrides(environ: Mapping[str, str], reading: Reading) -> dict[str, Any]:
    """Return what the environment sets, as the file would have it; problems are noted in `reading`."""
    overrides: dict[str, Any] = {}
    sections = keys_of(config_type())
    for variable in sorted(environ):
        name = variable.removeprefix(PREFIX).lower()
        section, separator, key = name.partition("__")
        if not variable.startswith(PREFIX):
            continue
        if separator:
            _override(overrides, (section, key), environ[variable], reading)
        # Without a `__` it may be somebody else's: container platforms make EVERBEARER_SERVICE_HOST and the like.
        elif section in sections:
            kind = sections[section]
            overrides[section] = prepare(as_toml(environ[variable], kind), kind, reading, variable)
        elif name in _misspelt() and not environ[variable].startswith("tcp://"):
            reading.refuse(variable, f"is not read; write {_misspelt()[name]}, with two underscores after the section")
    return overrides


def _misspelt() -> Mapping[str, str]:
    """Return what the variables of settings would be called with one underscore, and what they are called."""
    return {
        f"{section}_{key}": variable_of(f"{section}.{key}")
        for section, kind in keys_of(config_type()).items()
        for key in keys_of(kind)
    }


def _override(overrides: dict[str, Any], where: tuple[str, str], text: str, reading: Reading) -> None:
    section, key = where
    variable = variable_of(".".join(where))
    sections = keys_of(config_type())
    tables = [name for name, kind in sections.items() if isinstance(plain(kind), inspect.StructType | inspect.DictType)]
    if section not in tables:
        return reading.refuse(variable, f"{section} is not a section with keys; {nearest(section, tables)}")
    bare = plain(sections[section])
    kind = bare.value_type if isinstance(bare, inspect.DictType) else keys_of(bare).get(key)
    if kind is None:
        return reading.refuse(variable, f"{key} is not a known key of {section}; {nearest(key, keys_of(bare))}")
    value = prepare(as_toml(text, kind), kind, reading, variable)
    overrides.setdefault(section, {})[key] = value
    return None


def as_toml(text: str, kind: inspect.Type) -> Any:  # noqa: ANN401 - as TOML has it
    """Return text as it is where text is wanted, else what it would be in the file."""
    if isinstance(plain(kind), inspect.StrType | inspect.LiteralType) or marked(kind) == "duration":
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
