"""The page for those who come from another library names nothing that is not there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import everbearer
from everbearer.resource_server.flask import Bearer
from everbearer.storage.store import AdminStore

PAGE = (Path(__file__).parents[2] / "docs/migrating.md").read_text("utf-8")
_CODE = re.compile(r"`([^`]+)`")
_NAME = re.compile(r"\b(?:eb\.)?([A-Za-z_]\w+)")


def told() -> set[str]:
    """Return the names in the columns that say what something is called here."""
    rows = [line.split(" | ")[1] for line in PAGE.splitlines() if line.startswith("| ") and "there | here" not in line]
    code = re.sub(r'"[^"]*"', "", " ".join(each for row in rows for each in _CODE.findall(row)))
    return {name for name in _NAME.findall(code) if name not in {"eb", "True", "False", "newest", "older"}}


def known() -> set[str]:
    """Return all public names, with those of fields, parameters, verbs and members."""
    values = [everbearer.Client, everbearer.AuthorizationServer, everbearer.Lifetimes, everbearer.RotationPolicy]
    members = {each.name for value in [*values, everbearer.IssuanceHooks] for each in fields(value)}
    others = {*dir(everbearer.AuthorizationRequest), *dir(everbearer.EventKind), *dir(AdminStore), *dir(Bearer)}
    # Arguments, and what stands for a value of the reader's own.
    said = {
        "everbearer",
        "examples",
        "django",
        "iss",
        "aud",
        "resource_server",
        "passphrase",
        "check_permissions",
        "check",
        "path",
        "query",
        "request",
        "server",
    }
    written = {"asked", "bearer", "client", "error", "response", "openid", "store", "OAuthClient", "OAuthGrant"}
    return {*everbearer.__all__, *members, *others, *said, *written}


def test_what_it_is_called_here_is_there() -> None:
    assert len(told()) > 40
    assert told() - known() == set()
