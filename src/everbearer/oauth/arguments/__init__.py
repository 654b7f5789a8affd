"""Whether the arguments of public names are what their annotations say, and sentences that tell where they are not.

Not everybody who embeds this has a type checker to tell. A value that is made of the wrong things refuses to be made,
in words that say what to give instead, and of what was given nothing but its type: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from operator import attrgetter
from types import MappingProxyType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from everbearer.oauth.arguments.fitting import Fits, Settle, fits, settling
from everbearer.oauth.arguments.sentences import sentence

NO_ADVICE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Argument:
    name: str
    hint: object
    usual: type | None
    """What its type mostly is."""
    default: object
    """What it is where it is not given."""
    fits: Fits
    settle: Settle | None


def refuse(problems: Iterable[str]) -> None:
    """Return if there are no problems.

    Raises:
        ValueError: there are some; the message says of each what to change.
    """
    told = "; ".join(problems)
    if told:
        raise ValueError(told)


def check_fields(value: object, advice: Mapping[str, str] = NO_ADVICE) -> None:
    """Return if the fields of a dataclass are of their types; `advice` says what to write, by the names of fields.

    A list that is to be a tuple becomes one, a set a frozenset, and the text of an enumeration its member.

    Raises:
        ValueError: they are not.
    """
    unusual = _unusual_fields(value)
    refuse(_problems(unusual, advice))
    for argument, given in unusual:
        if argument.settle is not None:
            object.__setattr__(value, argument.name, argument.settle(given))


def field_problems(value: object, advice: Mapping[str, str] = NO_ADVICE) -> Iterator[str]:
    """Tell which fields of a dataclass are of other types than theirs."""
    return _problems(_unusual_fields(value), advice)


def check_arguments(function: Callable[..., object], advice: Mapping[str, str] = NO_ADVICE, **given: object) -> None:
    """Return if arguments of a function are of their types.

    Raises:
        ValueError: they are not.
    """
    refuse(_problems([(each, given[each.name]) for each in _arguments_of(function) if each.name in given], advice))


def _problems(given: Iterable[tuple[_Argument, object]], advice: Mapping[str, str]) -> Iterator[str]:
    for argument, value in given:
        if not argument.fits(value):
            yield sentence(argument.name, argument.hint, value, advice.get(argument.name, ""))


def _unusual_fields(value: object) -> list[tuple[_Argument, object]]:
    # Some values are made at each request, of what a store has read: what is plainly right costs next to nothing.
    arguments, given_to = _fields_of(cast("Any", type(value)))
    return [
        (each, given)
        for each, given in zip(arguments, given_to(value), strict=True)
        if type(given) is not each.usual and given is not each.default
    ]


@cache
def _fields_of(kind: type[Any]) -> tuple[tuple[_Argument, ...], Callable[[object], tuple[object, ...]]]:
    hints = get_type_hints(kind)
    given = [field for field in fields(kind) if field.init]
    arguments = tuple(_argument(field.name, hints[field.name], field.default) for field in given)
    names = [field.name for field in given]
    return arguments, attrgetter(*names) if len(names) > 1 else lambda value: (getattr(value, names[0]),)


@cache
def _arguments_of(function: Callable[..., object]) -> tuple[_Argument, ...]:
    hints = get_type_hints(function).items()
    return tuple(_argument(name, hint, MISSING) for name, hint in hints if name != "return")


def _argument(name: str, hint: object, default: object) -> _Argument:
    return _Argument(name, hint, _usual(hint), default, fits(hint), settling(hint))


def _usual(hint: object) -> type | None:
    kinds: list[type] = [each for each in get_args(hint) or (hint,) if each in (str, bool, int)]
    return kinds[0] if len(kinds) == 1 and get_origin(hint) in (None, Union, UnionType) else None
