"""Writes `docs/configuration.md` from the types of the configuration and the words that stand in them."""

from __future__ import annotations

import inspect as python
import json
from collections.abc import Iterator

import msgspec
from msgspec import NODEFAULT, inspect

from everbearer.oauth.authorization_server import CLAIMS_OF_SCOPE
from everbearer.oauth.models import DAY, HOUR, MINUTE, WEEK
from everbearer.server.config import KNOWN_SCOPES
from everbearer.server.config.environment import variable_of
from everbearer.server.config.words import config_type, description, marked, plain, what_to_write

_INTRODUCTION = """\
# Configuration

Everbearer reads one [TOML](https://toml.io) file: the one named by `--config` or `EVERBEARER_CONFIG`, else
`everbearer.toml` in the current folder. Every setting has a default, so the smallest file is an issuer:

```toml
issuer = "https://id.example.com"
secret_file = "/run/secrets/everbearer"
```

- `everbearer config check` tells all that is wrong with a file, `everbearer config show` what is in force.
- Keys that are not known are refused, with the nearest one that is.
- Durations are seconds or text: `"90s"`, `"15m"`, `"12h"`, `"30d"`, `"52w"`. Where there can be none: `"none"`.
- Paths are relative to the folder of the file; in the environment, to the current folder.
- The environment overrides the file: the variable of each setting stands beside it. Lists and tables are written there
  as in TOML.

## The server's secret

It seals everything: refresh tokens, codes, cookies, signing keys at rest. It is read from `EVERBEARER_SECRET`, from the
file that `EVERBEARER_SECRET_FILE` names, or from `secret_file`. It must be random and at least 32 bytes long:

```sh
python3 -c "import secrets; print(secrets.token_urlsafe(48))"
```

To change it, write the new one before the old one, separated by a comma or a line end. The first seals, all unseal.
When the old one may be taken out is told in [Operations](operations.md#the-servers-secret).

This page is made by `everbearer config reference`.
"""


def reference() -> str:
    """Return the whole reference in Markdown."""
    return "\n".join([_INTRODUCTION, *_sections(config_type())])


def settings() -> list[dict[str, str]]:
    """Return every setting with what it is, may be and defaults to, for programs."""
    return list(_settings(config_type(), ""))


def _settings(struct: inspect.StructType, prefix: str) -> Iterator[dict[str, str]]:
    for entry in struct.fields:
        bare, item = plain(entry.type), _item(entry)
        key = f"{prefix}{entry.encode_name}"
        if item is not None:
            yield from _settings(item, f"{key}[].")
        elif isinstance(bare, inspect.StructType) and not prefix:
            yield from _settings(bare, f"{key}.")
        else:
            yield {
                "key": key,
                "description": description(entry.type),
                "write": what_to_write(entry.type),
                "default": "" if entry.required else _default(entry),
                "variable": "" if "[]" in key else variable_of(key),
            }


def _sections(config: inspect.StructType) -> Iterator[str]:
    top = [entry for entry in config.fields if not isinstance(plain(entry.type), inspect.StructType | inspect.DictType)]
    yield from _table("## Outside of any section", "", [each for each in top if _item(each) is None], prefix="")
    for entry in config.fields:
        bare = plain(entry.type)
        item = _item(entry)
        if isinstance(bare, inspect.StructType):
            yield from _table(f"## [{entry.name}]", _words(bare), bare.fields, prefix=f"{entry.name}.")
            for inner in bare.fields:
                if (item := _item(inner)) is not None:
                    yield from _table(f"## [[{entry.name}.{inner.name}]]", _words(item), item.fields, prefix=None)
        elif isinstance(bare, inspect.DictType):
            yield from _of_scopes(entry)
        elif item is not None:
            yield from _table(f"## [[{entry.name}]]", _words(item), item.fields, prefix=None)


def _item(entry: inspect.Field) -> inspect.StructType | None:
    bare = plain(entry.type)
    item = plain(bare.item_type) if isinstance(bare, inspect.VarTupleType) else None
    return item if isinstance(item, inspect.StructType) else None


def _words(struct: inspect.StructType) -> str:
    return python.cleandoc(struct.cls.__doc__ or "")


def _table(
    heading: str, words: str, entries: tuple[inspect.Field, ...] | list[inspect.Field], *, prefix: str | None
) -> Iterator[str]:
    yield f"{heading}\n"
    if words:
        yield f"{words}\n"
    if prefix is None:
        yield f"In the environment: `{variable_of(heading.strip('# []'))}`, all of them as one TOML list.\n"
    for entry in entries:
        default = "required" if entry.required else f"default `{_default(entry)}`"
        variable = "" if prefix is None else f" · `{variable_of(prefix + entry.encode_name)}`"
        yield f"### `{entry.encode_name}`\n\n{description(entry.type)}\n"
        yield f"{_capital(what_to_write(entry.type))} · {default}{variable}\n"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _default(entry: inspect.Field) -> str:
    value = entry.default if entry.default is not NODEFAULT else entry.default_factory()
    if value is None:
        return '"none"'
    if isinstance(value, msgspec.Struct):
        return "{}"
    if marked(entry.type) == "duration":
        return duration_text(value)
    return json.dumps(value, ensure_ascii=False)


def duration_text(seconds: int) -> str:
    """Return a duration as one would write it in the file."""
    for unit, letter in ((WEEK, "w"), (DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if seconds and seconds % unit == 0:
            return f'"{seconds // unit}{letter}"'
    return str(seconds)


def _of_scopes(entry: inspect.Field) -> Iterator[str]:
    yield f"## [{entry.name}]\n\n{description(entry.type)}\n"
    if entry.name == "claims":
        yield (
            'One key a scope, with all the claims that it gives: `employee = ["department", "staff_number"]`. Without '
            "a word of it here, these give:\n"
        )
        yield "\n".join(f"- `{value}`: {_names(names)}" for value, names in CLAIMS_OF_SCOPE.items()) + "\n"
    else:
        yield 'One key a scope: `"orders.read" = "See your orders"`. These are always known:\n'
        yield "\n".join(f"- `{value}`: {words}" for value, words in KNOWN_SCOPES.items()) + "\n"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
