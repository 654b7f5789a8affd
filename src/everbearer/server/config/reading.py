"""One source of settings being read, and the words and paths in it made ready for the types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from msgspec import inspect

from everbearer.server.config.words import keys_of, marked, nearest, optional, plain

_DURATION = re.compile(r"(\d{1,12})\s*([smhdw]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class ConfigError(Exception):
    """The configuration is refused; each problem says where, what is wrong and what to write."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(slots=True, kw_only=True)
class Reading:
    """What a source is called, what its paths are relative to, and what has been found wrong in it."""

    source: str
    folder: Path
    problems: list[str] = field(default_factory=list[str])

    def refuse(self, key: str, problem: str) -> None:
        """Note what is wrong at a key."""
        self.problems.append(f"{self.source}: {key}: {problem}")


def is_table(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a value is a table: TOML's keys are always text."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Return whether a value is a list, or what became of one."""
    return isinstance(value, list | tuple)


def prepare(value: Any, kind: inspect.Type, reading: Reading, key: str) -> Any:  # noqa: ANN401 - as TOML has it
    """Return a value with its words (`none`, "30d") and paths as the types expect, refusing keys that are not known."""
    bare = plain(kind)
    if isinstance(bare, inspect.StructType) and is_table(value):
        return _prepare_table(value, kind, reading, key)
    if isinstance(bare, inspect.VarTupleType) and is_list(value):
        return [prepare(inner, bare.item_type, reading, f"{key}[{at}]") for at, inner in enumerate(value)]
    if isinstance(bare, inspect.DictType) and is_table(value):
        return {name: prepare(inner, bare.value_type, reading, f"{key}.{name}") for name, inner in value.items()}
    return in_words(value, kind, reading.folder)


def in_words(value: Any, kind: inspect.Type, folder: Path) -> Any:  # noqa: ANN401 - as TOML has it
    """Return one value with its words understood; what cannot be understood is left for the types to refuse."""
    if not isinstance(value, str):
        return value
    if value == "none" and optional(kind):
        return None
    if marked(kind) == "duration":
        match = _DURATION.fullmatch(value.strip())
        return int(match[1]) * _UNITS[match[2]] if match else value
    return _absolute(value, folder) if marked(kind) == "path" else value


def _absolute(path: str, folder: Path) -> str:
    bare = path.removeprefix("sqlite:///")
    return str(folder / bare) if bare and "://" not in bare else bare


def _prepare_table(table: dict[str, Any], kind: inspect.Type, reading: Reading, key: str) -> dict[str, Any]:
    known = keys_of(kind)
    prefix = f"{key}." if key else ""
    for name in table:
        if name not in known:
            reading.refuse(f"{prefix}{name}", f"is not a known key; {nearest(name, known)}")
    return {
        name: prepare(inner, known[name], reading, f"{prefix}{name}") for name, inner in table.items() if name in known
    }
