"""`everbearer config`: check, show and explain the configuration."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import typer

from everbearer.server.cli.desk import ConfigOption, JsonOption, read_config
from everbearer.server.cli.output import USAGE, fail, say, say_json, warn
from everbearer.server.config import Config
from everbearer.server.config.reading import ConfigError, is_list, is_table
from everbearer.server.config.reference import reference, settings
from everbearer.server.config.rules import serving_problems
from everbearer.server.config.secrets import client_secrets, read_secret_file, secret_warnings, server_secrets
from everbearer.server.config.tls import tls_problems
from everbearer.server.config.weakenings import weakenings
from everbearer.server.config.words import toml_text
from everbearer.server.opening import MASK, shown

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_SECRETS = frozenset({"client_secret", "client_secrets", "password", "password_hash"})


@app.command("check")
def check(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Tell all that would keep `everbearer serve` from starting with this configuration, and what it weakens."""
    loaded = read_config(config)
    problems = [*serving_problems(loaded), *tls_problems(loaded.server), *_unreadable(loaded)]
    warnings = secret_warnings(loaded, os.environ)
    for warning in warnings:
        warn(f"warning: {warning}")
    if problems:
        fail(*problems, code=USAGE)
    weaker = weakenings(loaded)
    if as_json:
        say_json({"ok": True, "warnings": warnings, "weakenings": weaker})
    else:
        say("The configuration is good.")
        for each in weaker:
            say(f"Weaker by choice: {each}.")


def _unreadable(config: Config) -> list[str]:
    readings: list[Callable[[], object]] = [
        lambda: server_secrets(config, os.environ),
        *(partial(client_secrets, client) for client in config.clients),
        *(partial(read_secret_file, Path(user.password_file)) for user in config.users if user.password_file),
    ]
    problems: list[str] = []
    for read in readings:
        try:
            read()
        except ConfigError as error:
            problems += error.problems
    return problems


@app.command("show")
def show(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Print what is in force, from the file, the environment and the defaults, without secrets."""
    members = masked_table(msgspec.to_builtins(read_config(config)))
    if as_json:
        say_json(members)
        return
    for name, value in members.items():
        if is_table(value) and value:
            say(f"\n[{name}]")
            for key, inner in value.items():
                say(f"{json.dumps(key) if '.' in key else key} = {_toml(inner)}")
        else:
            say(f"{name} = {_toml(value)}")


def masked_table(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same settings with every secret hidden."""
    return {name: MASK if name in _SECRETS and value else _masked(name, value) for name, value in table.items()}


def _masked(name: str, value: object) -> object:
    if is_table(value):
        return masked_table(value)
    if is_list(value):
        return [_masked(name, each) for each in value]
    return shown(value) if name == "database" and isinstance(value, str) else value


def _toml(value: object) -> str:
    return '"none"' if value is None else toml_text(msgspec.to_builtins(value))


@app.command("reference")
def print_reference(*, as_json: JsonOption = False) -> None:
    """Print the reference of all settings, in Markdown or JSON."""
    if as_json:
        say_json(settings())
        return
    say(reference().rstrip("\n"))
