"""What all tables of the configuration file have in common, and the kinds of values that stand in them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

Seconds: TypeAlias = Annotated[int, Meta(extra={"kind": "duration"})]
"""Seconds; in the file also text such as "15m"."""
FilePath: TypeAlias = Annotated[str, Meta(extra={"kind": "path"})]
"""A path, made absolute when the configuration is read."""
Alg: TypeAlias = Literal["ES256", "RS256", "PS256", "EdDSA"]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all tables of the file have in common: no key that is not known."""
