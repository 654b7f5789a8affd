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
KeyEncryption: TypeAlias = Literal[
    "RSA-OAEP-256", "RSA-OAEP", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW"
]
ContentEncryption: TypeAlias = Literal[
    "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM"
]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all tables of the file have in common: no key that is not known."""
