"""Claims of users on the command line: NAME=VALUE (OpenID Connect Core §5.1)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from everbearer.server.cli.output import USAGE, fail

ClaimOption = Annotated[
    list[str] | None,
    typer.Option(
        "--claim",
        metavar="NAME=VALUE",
        help="A claim such as email=ada@example.com; JSON is understood, NAME= removes it; may be repeated.",
    ),
]

_TEXTS = (
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
)
"""The standard claims that are text, also where it looks like something else."""


def read_claims(texts: Iterable[str]) -> dict[str, object]:
    """Return claims by name, None for those to remove, or tell what is wrong and exit."""
    claims: dict[str, object] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not name or not separator:
            fail(f"--claim {text}: write it as NAME=VALUE", code=USAGE)
        if name == "sub":
            fail("--claim sub: the subject is given by --subject when a user is created, and never changes", code=USAGE)
        if name in claims:
            fail(f"--claim {name}: is given twice; keep one", code=USAGE)
        # "Claims ... with null or empty values" are left out of what clients see (OpenID Connect Core §5.3.2).
        claims[name] = _value(name, value) if value else None
    return claims


def _value(name: str, text: str) -> Any:  # noqa: ANN401 - as JSON has it
    if name in _TEXTS:
        return text
    try:
        value = json.loads(text)
        # Python reads more numbers than JSON has.
        json.dumps(value, allow_nan=False)
    except ValueError as error:
        if text.startswith(("{", "[", '"')):
            fail(f"--claim {name}: is not JSON ({error}); quote it for the shell as in --claim '{name}=…'", code=USAGE)
        return text
    return value
