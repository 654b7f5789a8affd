"""Whether a value is of a type, as annotations write it, or plainly means one that is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from enum import Enum
from functools import cache, partial
from types import UnionType
from typing import Any, TypeAlias, Union, cast, get_args, get_origin

from everbearer.oauth.arguments.functions import lacking, misfit, verbs_of, wanted_by

Fits: TypeAlias = Callable[[object], bool]
Settle: TypeAlias = Callable[[Any], object]

_MEANT: Mapping[type, tuple[type, ...]] = {tuple: (tuple, list), frozenset: (frozenset, set, tuple, list)}
"""What is taken for a tuple or a frozenset, which frozen values hold."""


def meant_by(kind: Any) -> tuple[type, ...]:  # noqa: ANN401 - a type that holds several
    """Return the types of what is taken for one of a type."""
    return _MEANT.get(kind, (kind,))


@cache
def fits(hint: object) -> Fits:
    """Return what says whether a value is of a type."""
    wanted = wanted_by(hint)
    if wanted is not None:
        return lambda value: not misfit(value, wanted)
    of_parts = _OF_PARTS.get(get_origin(hint))
    if of_parts is not None:
        return of_parts(*map(fits, (each for each in get_args(hint) if each is not Ellipsis)))
    return _SIMPLE.get(hint) or _one(get_origin(hint) or hint)


def _anything(value: object) -> bool:  # noqa: ARG001 - the shape of `Fits`
    return True


def _one(kind: Any) -> Fits:  # noqa: ANN401 - a type, or what stands for any
    verbs = verbs_of(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda value: isinstance(value, kind) or value in _values_of(kind)
    return (lambda value: not lacking(value, verbs)) if verbs else (lambda value: isinstance(value, kind))


def _either(*kinds: Fits) -> Fits:
    return lambda value: any(fit(value) for fit in kinds)


def _values_of(kind: type[Enum]) -> list[object]:
    return [member.value for member in kind]


def _several(kind: type | tuple[type, ...], each: Fits) -> Fits:
    def all_fit(value: object) -> bool:
        # Bytes and texts are several of their kind too. What can be gone through only once is left to who does.
        if not isinstance(value, kind) or isinstance(value, str | bytes):
            return False
        return not isinstance(value, Collection) or all(map(each, cast("Collection[object]", value)))

    return all_fit


def _container(each: Fits) -> Fits:  # noqa: ARG001 - what is in some can only be asked
    return _several(cast("type", Container), _anything)


def _mapping(key: Fits, member: Fits) -> Fits:
    def all_fit(value: object) -> bool:
        if not isinstance(value, Mapping):
            return False
        members = cast("Mapping[object, object]", value)
        return all(map(key, members)) and all(map(member, members.values()))

    return all_fit


_OF_PARTS: Mapping[object, Callable[..., Fits]] = {
    Union: _either,
    UnionType: _either,
    tuple: partial(_several, _MEANT[tuple]),
    frozenset: partial(_several, _MEANT[frozenset]),
    Sequence: partial(_several, Sequence),
    Iterable: partial(_several, Iterable),
    Collection: partial(_several, Collection),
    Container: _container,
    Mapping: _mapping,
    dict: _mapping,
}
_SIMPLE: Mapping[object, Fits] = {
    object: _anything,
    Any: _anything,
    # True is a number too, and was hardly meant as one.
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


@cache
def settling(hint: object) -> Settle | None:
    """Return what makes of a value that means one of a type that very one; None where nothing needs to be done."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind in (Union, UnionType):
        return next(filter(None, map(settling, parts)), None)
    if kind in _MEANT:
        return partial(_all_settled, cast("type", kind), settling(parts[0]) or _as_it_is)
    if kind is Mapping and (each := settling(parts[1])) is not None:
        return partial(_members_settled, each)
    return partial(_member, hint) if isinstance(hint, type) and issubclass(hint, Enum) else None


def _as_it_is(value: object) -> object:
    return value


def _all_settled(kind: type, each: Settle, value: object) -> object:
    if not isinstance(value, _MEANT[kind]) or (each is _as_it_is and isinstance(value, kind)):
        return value
    return kind([each(part) for part in cast("Iterable[object]", value)])


def _members_settled(each: Settle, value: Mapping[object, object]) -> object:
    return {name: each(member) for name, member in value.items()}


def _member(kind: type[Enum], value: object) -> object:
    return kind(value) if value in _values_of(kind) else value
