"""Writes the reference of the public names from their docstrings and types, and the list of their signatures.

`python tests/api_reference.py` writes both anew.
"""

from __future__ import annotations

import enum
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import everbearer
import everbearer.resource_server
import everbearer.resource_server.asgi
import everbearer.resource_server.django
import everbearer.resource_server.fastapi
import everbearer.resource_server.flask
import everbearer.resource_server.litestar
import everbearer.resource_server.starlette
import everbearer.resource_server.wsgi
import everbearer.storage.postgresql
import everbearer.storage.sqlite
import everbearer.testing
from everbearer import store_rules

MODULES: dict[str, ModuleType] = {
    "everbearer.store_rules": store_rules,
    "everbearer.storage.sqlite": everbearer.storage.sqlite,
    "everbearer.storage.postgresql": everbearer.storage.postgresql,
    "everbearer.testing": everbearer.testing,
    "everbearer.resource_server": everbearer.resource_server,
    **{
        f"everbearer.resource_server.{module.__name__.rpartition('.')[2]}": module
        for module in (
            everbearer.resource_server.asgi,
            everbearer.resource_server.wsgi,
            everbearer.resource_server.starlette,
            everbearer.resource_server.fastapi,
            everbearer.resource_server.django,
            everbearer.resource_server.flask,
            everbearer.resource_server.litestar,
        )
    },
}
"""What is public beside `everbearer` itself, by the names to import it by."""

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference.md"
SURFACE = ROOT / "docs/api-surface.txt"
_WIDTH = 110

_HEAD = """# Reference

The public names: these, and nothing else, stay what they are from one minor version to the next. Written by
`python tests/api_reference.py` from docstrings and types; a test fails where it is stale.

First the names of `everbearer`, a group for each module that they come from; import them from `everbearer`. Then those
of the modules that are imported by themselves, because they need more installed or are for something else:
"""
_SURFACE_HEAD = """# The public surface: names and signatures. Written by `python tests/api_reference.py`.
# A line that changes or goes breaks somebody's application: say so in CHANGELOG.md.
"""


def public(module: ModuleType) -> dict[str, Any]:
    """Return the public names of a module with what they stand for."""
    names = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
    ]
    return {name: getattr(module, name) for name in sorted(names) if not name.startswith("_")}


def surface() -> str:
    """Return the list of all public names and signatures, a line each."""
    lines = [line for name, value in public(everbearer).items() for line in _lines(name, value)]
    for imported, module in MODULES.items():
        prefix = imported.removeprefix("everbearer.")
        lines += [f"{prefix}.{line}" for name, value in public(module).items() for line in _lines(name, value)]
    return _SURFACE_HEAD + "\n".join(dict.fromkeys(lines)) + "\n"


def page() -> str:
    """Return the reference as Markdown."""
    groups: dict[str, list[str]] = {}
    for name, value in public(everbearer).items():
        groups.setdefault(_home(name, value), []).append(_entry(name, value))
    parts = [_HEAD, "\n", *(f"- [`{name}`](#{name.replace('.', '')})\n" for name in MODULES)]
    for home in sorted(groups):
        parts += [f"\n## {home}\n", *groups[home]]
    for imported, module in MODULES.items():
        entries = (_entry(name, value) for name, value in public(module).items())
        parts += [f"\n## {imported}\n", f"\n{_prose(inspect.getdoc(module))}\n", *entries]
    return "".join(parts)


def _home(name: str, value: object) -> str:
    if inspect.ismodule(value):
        return value.__name__
    home = getattr(value, "__module__", "")
    return home if home.startswith("everbearer.") else _module_of_constant(name)


def _module_of_constant(name: str) -> str:
    source = inspect.getsource(everbearer)
    found = re.search(rf"^from (everbearer\.[\w.]+) import (?:\([^)]*)?\b{name}\b", source, re.MULTILINE)
    return found[1] if found else "everbearer"


def _entry(name: str, value: object) -> str:
    # Of a suite its tests are not told one by one.
    signature = "\n".join(_broken(line) for line in _lines(name, value) if f" {name}.test_" not in line)
    code = f"\n### {name}\n\n```text\n{signature}\n```\n"
    text = (
        _prose(inspect.getdoc(value))
        if inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value)
        else ""
    )
    return code + (f"\n{text}\n" if text else "") + "".join(_members(value))


def _members(value: object) -> Iterator[str]:
    if not inspect.isclass(value):
        return
    told = _told_of_attributes(value)
    kept = {each.name for each in fields(value) if not _is_told(each)} if is_dataclass(value) else set[str]()
    names = [name for name in told if told[name] and name not in kept]
    if names:
        yield "\n" + "".join(f"- `{name}`: {told[name]}\n" for name in names)


def _told_of_attributes(value: type) -> dict[str, str]:
    """Return what stands below each attribute of a class, as a text in its source."""
    try:
        source = textwrap.dedent(inspect.getsource(value))
    except (OSError, TypeError):
        return {}
    found = re.findall(r'^    (\w+)(?:: [^\n]*| = [^\n]*)\n    """(.*?)"""$', source, re.MULTILINE | re.DOTALL)
    return {name: " ".join(text.split()) for name, text in found}


def _prose(text: str | None) -> str:
    """Return a docstring as Markdown: what it raises and its attributes as lists."""
    sections = re.sub(r"^(Raises|Attributes|Returns):$", r"**\1**\n", text or "", flags=re.MULTILINE)
    return re.sub(r"^    (\w+): ", r"- `\1`: ", sections, flags=re.MULTILINE)


def _lines(name: str, value: object) -> list[str]:
    if inspect.ismodule(value):
        return [f"module {name}"]
    if inspect.isclass(value):
        return _class(name, value)
    if inspect.isroutine(value):
        return [f"{_async(value)}def {name}{_signature(value)}"]
    return [f"{name}: {_kind(value)}"]


def _kind(value: object) -> str:
    return type(value).__name__ if not str(value).startswith(("typing.", "collections.abc.")) else str(value)


def _class(name: str, value: type) -> list[str]:
    bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
    lines = [f"class {name}({bases})" if bases else f"class {name}"]
    if issubclass(value, enum.Enum):
        return [*lines, *(f"{name}.{each.name} = {each.value!r}" for each in value)]
    own = fields(value) if is_dataclass(value) else ()
    lines += [f"{name}.{field.name}: {field.type}{_default(field)}" for field in own if _is_told(field)]
    known = {field.name for field in own}
    for member, found in sorted(_own_members(value).items()):
        if not member.startswith("_") and member not in known:
            lines += _member(name, member, found)
    if not is_dataclass(value) and "__init__" in vars(value) and not getattr(value, "_is_protocol", False):
        lines.append(f"{name}{_signature(value)}")
    return lines


def _is_told(field: Field[Any]) -> bool:
    """Return whether a field is for applications, and not what a value keeps for us."""
    return field.init and not field.name.startswith("_")


def _own_members(value: type) -> dict[str, Any]:
    """Return the members of a class, with those of bases in our storage, which are not public themselves."""
    bases = [base for base in reversed(value.__mro__) if base.__module__.startswith("everbearer.storage.")]
    return {name: member for base in [*bases, value] for name, member in vars(base).items()}


def _member(owner: str, name: str, found: object) -> list[str]:
    if isinstance(found, property):
        return [f"{owner}.{name}: property"]
    if isinstance(found, staticmethod | classmethod):
        found = found.__func__
    if inspect.isfunction(found):
        return [f"{_async(found)}def {owner}.{name}{_signature(found)}"]
    return [f"{owner}.{name} = {found!r}"] if isinstance(found, str | int) else []


def _signature(function: Callable[..., object]) -> str:
    """Return a signature without what is different in each process or version."""
    text = str(inspect.signature(function))
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", re.sub(r"<function (\w+) at 0x\w+>", r"\1", text))


def _broken(line: str) -> str:
    """Return a signature with a parameter a line, where it is long."""
    if len(line) <= _WIDTH or "(" not in line:
        return line
    head, _, rest = line.partition("(")
    inner, arrow, result = rest.rpartition(") -> ")
    if not arrow:
        return line
    parameters = re.split(r", (?=\*|\w+[:=,]|\w+$)", inner)
    return f"{head}(\n" + "".join(f"    {each},\n" for each in parameters) + f"){arrow[1:]}{result}"


def _async(function: object) -> str:
    return "async " if inspect.iscoroutinefunction(function) else ""


def _default(field: Field[Any]) -> str:
    if isinstance(field.default, frozenset):
        return f" = {{{', '.join(sorted(map(str, cast('frozenset[object]', field.default))))}}}"
    if field.default is not MISSING:
        shown = field.default.__name__ if inspect.isroutine(field.default) else repr(field.default)
        return f" = {shown}"
    return " = ..." if field.default_factory is not MISSING else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    SURFACE.write_text(surface(), encoding="utf-8")
