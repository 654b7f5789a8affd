"""What can be called as it will be: functions, whether their answers are awaited, and the verbs of stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from inspect import Parameter, isasyncgenfunction, iscoroutinefunction, signature, unwrap
from types import FunctionType, MethodType
from typing import cast, get_args, get_origin, get_type_hints

_AWAITABLE = ("Awaitable", "Coroutine", "Future", "Task")
"""What a function that is not `async` itself says it returns where its answer can be awaited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a function is called, and what it is to return."""

    positional: int | None
    """How many arguments it is given; None for any number."""
    named: tuple[str, ...]
    awaited: bool
    """Its answer is awaited."""
    makes: object
    """What it returns, or what that is once awaited."""


def wanted_by(hint: object) -> Wanted | None:
    """Return what function an annotation is of; None for any other annotation."""
    if get_origin(hint) is Callable:
        arguments, makes = get_args(hint)
        awaited, count = get_origin(makes) is Awaitable, None if arguments is Ellipsis else len(arguments)
        return Wanted(positional=count, named=(), awaited=awaited, makes=makes)
    call = vars(hint).get("__call__") if isinstance(hint, type) and getattr(hint, "_is_protocol", False) else None
    if call is None:
        return None
    parameters = list(signature(call).parameters.values())[1:]
    named = tuple(each.name for each in parameters if each.kind is Parameter.KEYWORD_ONLY)
    return Wanted(
        positional=len(parameters) - len(named),
        named=named,
        awaited=iscoroutinefunction(call),
        makes=get_type_hints(call)["return"],
    )


def misfit(value: object, wanted: Wanted) -> str:
    """Return what a value is that cannot be called as it will be; empty where it can, as far as that shows."""
    if not callable(value):
        return "nothing to call"
    if isinstance(value, type):
        # One that makes what is to be returned, such as a context manager, does what a function would do.
        made = get_origin(wanted.makes) or wanted.makes
        return "" if isinstance(made, type) and issubclass(value, made) else "a class"
    kind = _kind_of(value)
    if kind == "async" and not wanted.awaited:
        return "an async one"
    if kind == "generator":
        return "an async generator"
    if kind == "blocking" and wanted.awaited:
        return "one that is not async"
    return "" if _takes(value, wanted) else "one that takes other arguments"


def _kind_of(function: Callable[..., object]) -> str:
    """Return whether a function is async, an async generator or blocking; empty where nothing tells."""
    while isinstance(function, partial):
        function = cast("partial[object]", function).func
    called = function if isinstance(function, FunctionType | MethodType) else type(function).__call__
    # What is no function may say so of itself, such as the stand-ins of an application's tests.
    if iscoroutinefunction(function) or iscoroutinefunction(called):
        return "async"
    if isasyncgenfunction(called):
        return "generator"
    wrapped = unwrap(called)
    unknown = iscoroutinefunction(wrapped) or isasyncgenfunction(wrapped) or not _says_it_is_blocking(called)
    return "" if unknown else "blocking"


def _says_it_is_blocking(called: Callable[..., object]) -> bool:
    # What stands in for another function, such as one of a decorator, may return what can be awaited and say nothing.
    returns = str(cast("Mapping[str, object]", getattr(called, "__annotations__", {})).get("return", ""))
    if returns or not isinstance(called, FunctionType):
        return bool(returns) and not any(each in returns for each in _AWAITABLE)
    return called.__name__ != "<lambda>" and not called.__closure__


def _takes(function: Callable[..., object], wanted: Wanted) -> bool:
    if wanted.positional is None:
        return True
    # Some of those that are not written in Python do not tell what they take.
    with suppress(ValueError):
        try:
            signature(function).bind(*[None] * wanted.positional, **dict.fromkeys(wanted.named))
        except TypeError:
            return False
    return True


@cache
def verbs_of(kind: object) -> Mapping[str, bool]:
    """Return the verbs of a protocol, such as a store's, and whether each is async; none of what is no protocol."""
    if not getattr(kind, "_is_protocol", False):
        return {}
    protocols = [each for each in cast("type", kind).__mro__ if getattr(each, "_is_protocol", False)]
    found = {
        name: verb for each in reversed(protocols) for name, verb in vars(each).items() if not name.startswith("_")
    }
    return {name: iscoroutinefunction(verb) for name, verb in found.items()}


def lacking(value: object, verbs: Mapping[str, bool]) -> tuple[str, ...]:
    """Return which of these verbs a value has not, or not as they are awaited."""
    # A class has them all, and none for whom to do it.
    return tuple(
        name
        for name, awaited in verbs.items()
        if isinstance(value, type)
        or not callable(verb := getattr(value, name, None))
        or (awaited and _kind_of(verb) == "blocking")
    )
