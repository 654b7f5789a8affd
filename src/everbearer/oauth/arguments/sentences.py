"""Sentences that say of an argument what it must be, what it is and what to write instead."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from datetime import timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin

from everbearer.oauth.arguments.fitting import fits, meant_by
from everbearer.oauth.arguments.functions import Wanted, lacking, misfit, verbs_of, wanted_by

_NAMES: Mapping[object, str] = {
    NoneType: "None",
    bool: "True or False",
    float: "a number",
    bytes: "bytes",
    object: "anything",
}
_SEVERAL: Mapping[object, str] = {
    tuple: "a tuple",
    frozenset: "a frozenset",
    Sequence: "a list",
    Iterable: "a list",
    Collection: "a collection",
    Container: "a collection",
}
_NO_KEY = object()
_LISTS = (list, set, frozenset, tuple, dict)
_ADVICE: tuple[tuple[object, type | tuple[type, ...], str], ...] = (
    (tuple, str, 'write {to}("...",)'),
    (tuple, _LISTS, "write {to}tuple(...)"),
    (frozenset, _LISTS, "write {to}frozenset(...)"),
    (Sequence, (str, bytes), "write {to}[...]"),
    (int, timedelta, "write {to}int(delta.total_seconds())"),
    (int, float, "write a whole number"),
    (str, bytes, "decode it"),
    (bytes, str, "encode it"),
)
"""What to write where something of the first kind is wanted, and something of the second is given."""


def sentence(name: str, hint: object, value: object, advice: str) -> str:
    """Return what is wrong with a value that is not of a type; `advice` is better than what follows from the types."""
    given, plain = _given(hint, value, to=f"{name}=")
    told, what = f"{name} must be {wanted_words(hint)}, not {given}", advice or plain
    return f"{told}: {what}" if what else told


def wanted_words(hint: object) -> str:
    """Return what a type is called in sentences."""
    wanted, origin = wanted_by(hint), get_origin(hint)
    if wanted is not None:
        return _function_words(wanted)
    if origin in (Union, UnionType):
        return " or ".join(map(wanted_words, get_args(hint)))
    if origin in _SEVERAL:
        return f"{_SEVERAL[origin]} of {_bare(get_args(hint)[0])}"
    if origin is Mapping:
        key, member = get_args(hint)
        return f"a mapping of {_bare(key)} to {_bare(member)}"
    return _NAMES.get(hint) or _with_article(_bare(hint))


def _function_words(wanted: Wanted) -> str:
    kind = "an async function" if wanted.awaited else "a function"
    if wanted.positional is None:
        return kind
    count = wanted.positional
    return f"{kind} of {count} argument{'' if count == 1 else 's'}" if count else f"{kind} without arguments"


def _bare(hint: object) -> str:
    """Return the name of a type without an article, as it stands behind `of`."""
    if isinstance(hint, type) and hint not in _NAMES:
        return hint.__name__
    words = "anything" if hint is Any else wanted_words(hint)
    return words.removeprefix("a ").removeprefix("an ")


def _with_article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _given(hint: object, value: object, *, to: str = "") -> tuple[str, str]:
    """Return what a value is that is not of a type, without showing it, and what to write in its place."""
    hint = _nearest(hint, value)
    wanted, verbs, origin = wanted_by(hint), verbs_of(hint), get_origin(hint)
    if wanted is not None and callable(value) and not isinstance(value, type):
        return misfit(value, wanted), ""
    if verbs and value is not None and not isinstance(value, type):
        lacks = ", ".join(lacking(value, verbs))
        return f"{_kind(value)}, which has no {'async ' if any(verbs.values()) else ''}{lacks}", ""
    if origin is Mapping and isinstance(value, Mapping):
        return _in_mapping(get_args(hint), cast("Mapping[object, object]", value))
    if origin in _SEVERAL and isinstance(value, meant_by(origin)) and not isinstance(value, str | bytes):
        part = get_args(hint)[0]
        given, what = _given(part, next(each for each in cast("Iterable[object]", value) if not fits(part)(each)))
        return f"one with {given} in it", what
    return _kind(value), _advice(hint, value, to)


def _nearest(hint: object, value: object) -> object:
    """Return which of several types a value was meant to be of."""
    if get_origin(hint) not in (Union, UnionType):
        return hint
    kinds = [each for each in get_args(hint) if each is not NoneType]
    alike = (each for each in kinds if isinstance(value, cast("type", get_origin(each) or object)))
    return next(alike, kinds[0])


def _in_mapping(hints: tuple[object, ...], value: Mapping[object, object]) -> tuple[str, str]:
    key, member = hints
    wrong = next((name for name in value if not fits(key)(name)), _NO_KEY)
    if wrong is not _NO_KEY:
        given, what = _given(key, wrong)
        return f"one with {given} among its keys", what
    name, wrong = next((name, each) for name, each in value.items() if not fits(member)(each))
    given, what = _given(member, wrong)
    return f"one with {given} at {str(name)[:80]!r}", what


def _kind(value: object) -> str:
    if value is None or isinstance(value, bytes):
        return _NAMES[type(value)]
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return _with_article(type(value).__name__)


def _advice(hint: object, value: object, to: str) -> str:
    """Return what to write `to` a name; empty where that is plain."""
    kind = cast("type", get_origin(hint) or hint)
    if isinstance(value, type):
        return f"write {value.__name__}(...)"
    if issubclass(kind, Enum):
        same = next((member.name for member in kind if member.value == value), "")
        return f"write {kind.__name__}.{same or next(iter(kind)).name}{'' if same else ' or another of it'}"
    wanted = wanted_by(hint)
    if wanted is not None:
        return "" if wanted.awaited or wanted.positional != 0 else f"write {to}lambda: ..."
    return _written(get_origin(hint) or hint, value).format(to=to)


def _written(kind: object, value: object) -> str:
    wanted = (text for of, given, text in _ADVICE if of is kind and isinstance(value, given))
    return next(wanted, "")
