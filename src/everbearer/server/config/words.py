"""What a setting may be, in words: for error messages and the reference."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain
from typing import cast

from msgspec import inspect

from everbearer.server.config import Config


@cache
def config_type() -> inspect.StructType:
    """Return the description of the whole configuration."""
    described = inspect.type_info(Config)
    if not isinstance(described, inspect.StructType):
        raise TypeError("the configuration is a struct")
    return described


def keys_of(kind: inspect.Type) -> Mapping[str, inspect.Type]:
    """Return the keys of a table, or of each table of a list of them; empty where there are none that are fixed."""
    bare = plain(kind)
    if isinstance(bare, inspect.VarTupleType):
        bare = plain(bare.item_type)
    return {entry.encode_name: entry.type for entry in bare.fields} if isinstance(bare, inspect.StructType) else {}


def plain(kind: inspect.Type) -> inspect.Type:
    """Return a type without its metadata and without its `none`."""
    if isinstance(kind, inspect.Metadata):
        return plain(kind.type)
    if isinstance(kind, inspect.UnionType):
        lists = [each.values for each in kind.types if isinstance(each, inspect.LiteralType)]
        if lists:
            return inspect.LiteralType(values=tuple(sorted(chain(*lists), key=str)))
        return plain(next(each for each in kind.types if not isinstance(each, inspect.NoneType)))
    return kind


def optional(kind: inspect.Type) -> bool:
    """Return whether a setting may be `none`."""
    if isinstance(kind, inspect.Metadata):
        return optional(kind.type)
    return isinstance(kind, inspect.UnionType) and any(isinstance(each, inspect.NoneType) for each in kind.types)


def marked(kind: inspect.Type) -> str:
    """Return `duration` or `path` where the type is marked as such, else nothing."""
    if isinstance(kind, inspect.Metadata):
        extra = cast("dict[str, str]", kind.extra or {})  # pyright: ignore[reportUnknownMemberType] - bare in msgspec
        return extra.get("kind", "") or marked(kind.type)
    if isinstance(kind, inspect.UnionType):
        return next((word for word in map(marked, kind.types) if word), "")
    return ""


def description(kind: inspect.Type) -> str:
    """Return the words that stand beside a setting."""
    if not isinstance(kind, inspect.Metadata):
        return ""
    extra = cast("dict[str, str]", kind.extra_json_schema or {})  # pyright: ignore[reportUnknownMemberType] - the same
    return extra.get("description", "")


def what_to_write(kind: inspect.Type) -> str:
    """Return what a setting may be, as the end of "write ..."."""
    bare = plain(kind)
    words = 'seconds, or text such as "15m", "12h", "30d" or "52w"' if marked(kind) == "duration" else _bare_words(bare)
    return f'{words}, or "none"' if optional(kind) else words


def _bare_words(bare: inspect.Type) -> str:
    match bare:
        case inspect.LiteralType():
            return "one of " + ", ".join(json.dumps(value) for value in bare.values)
        case inspect.IntType() | inspect.FloatType():
            return _number_words(bare)
        case inspect.VarTupleType():
            return _list_words(bare)
        case inspect.BoolType():
            return "true or false"
        case inspect.StrType():
            return "text in quotes"
        case _:
            return _table_words(bare)


def _number_words(bare: inspect.IntType | inspect.FloatType) -> str:
    number = "a whole number" if isinstance(bare, inspect.IntType) else "a number"
    if bare.ge is not None and bare.le is not None:
        return f"{number} from {bare.ge} to {bare.le}"
    return number if bare.ge is None else f"{number}, at least {bare.ge}"


def _list_words(bare: inspect.VarTupleType) -> str:
    if isinstance(plain(bare.item_type), inspect.StructType):
        return "tables, each under its own [[heading]]"
    item = what_to_write(bare.item_type)
    return "a list in brackets of " + ("texts in quotes" if item == "text in quotes" else item)


def _table_words(bare: inspect.Type) -> str:
    values = bare.value_type if isinstance(bare, inspect.DictType) else None
    return f"a table, each key with {what_to_write(values)}" if isinstance(values, inspect.VarTupleType) else "a table"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint at the known name that was meant, or at all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known here are {', '.join(names)}"


def toml_text(value: object) -> str:
    """Return a value as TOML has it: as JSON does, but for tables, and for one character that TOML refuses."""
    if isinstance(value, Mapping):
        table = cast("Mapping[str, object]", value)
        return "{" + ", ".join(f"{toml_text(key)} = {toml_text(inner)}" for key, inner in table.items()) + "}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
