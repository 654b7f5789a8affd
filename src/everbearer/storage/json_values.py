"""The protocol's values as JSON text and back, for stores of one's own: a client, a grant, an event.

What is written can be read by any later release: members that are missing have their defaults, and members that only
a newer release knows are passed over.
"""
# ruff: noqa: ANN401 - types and JSON are whatever they are

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from everbearer.oauth.encoding import base64url

T = TypeVar("T")


def to_json(value: object) -> str:
    """Return a client, grant, device or event as JSON: with all its secrets, and as secret as they are."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def from_json(kind: type[T], text: str) -> T:
    """Return the value of a kind that `to_json` wrote.

    Raises:
        ValueError: it is not one.
    """
    try:
        return cast("T", _value(kind, json.loads(text)))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"this is not a {kind.__name__} in JSON") from error


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, bytes):
        return base64url(value)
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value)
        return {name: _plain(member) for name, member in members.items()}
    if isinstance(value, tuple):
        return [_plain(member) for member in cast("tuple[object, ...]", value)]
    return value


def _value(hint: Any, plain: Any) -> object:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return None if plain is None else _value(next(each for each in arguments if each is not type(None)), plain)
    if origin is tuple:
        return tuple(_value(arguments[0], member) for member in plain)
    if origin is not None:
        return {name: _value(arguments[1], member) for name, member in plain.items()}
    if isinstance(hint, type) and is_dataclass(hint):
        return hint(**dict(_members(hint, plain.items())))
    if hint is bytes:
        return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    return _simple(hint, plain)


def _simple(hint: Any, plain: Any) -> object:
    if hasattr(hint, "_fields"):
        return hint(*(_value(each, member) for each, member in zip(_hints(hint).values(), plain, strict=False)))
    return hint(plain) if issubclass(hint, Enum) else plain


def _members(kind: Any, items: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, object]]:
    hints = _hints(kind)
    return ((name, _value(hints[name], member)) for name, member in items if name in hints)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
