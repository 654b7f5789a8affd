"""Initial access tokens: who holds one may register a client (RFC 7591 §1.2 and §3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from everbearer.oauth.arguments import check_fields
from everbearer.oauth.encoding import base64url
from everbearer.oauth.randomness import random_bytes
from everbearer.oauth.scope import Scope

INITIAL_ACCESS_TOKEN_PREFIX = "eri_"
REGISTRATION_ACCESS_TOKEN_PREFIX = "erg_"
"""Of tokens, so that secret scanners find one that leaked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialAccessToken:
    """An initial access token at rest."""

    token_id: str
    """What operators call it; it proves nothing."""
    token_hash: str = field(repr=False)
    created_at: int
    expires_at: int
    uses_left: int | None = None
    """How many clients it may still register; None for any number."""
    scope: Scope | None = None
    """All that such clients may ask for, where that is less than what others may; None where it is not."""
    note: str = ""
    """Who it is for, in words of the operator."""

    def __post_init__(self) -> None:
        check_fields(self)


def new_registration_token(prefix: str) -> str:
    """Return a new token: 32 random bytes in base64url, behind what tells its kind."""
    return prefix + base64url(random_bytes(32))


def token_hash(token: str) -> str:
    """Return what is kept of a token.

    A plain hash will do, for nobody finds 32 random bytes by trying. It holds nothing of the server's secret: when that
    changes, nobody is there to give a client that registered itself another token.
    """
    return base64url(sha256(token.encode("utf-8", "surrogatepass")).digest())
