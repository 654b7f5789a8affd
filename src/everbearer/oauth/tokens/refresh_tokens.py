"""Refresh tokens and codes as sealed values: a grant, a generation of it and the grant's secret.

Nothing that is presented is looked up by itself; it is unsealed, which tells authentically which generation of which
grant it is, and compared with the secret in the grant's row. A stolen database therefore forges nothing without the
server's secret, and a stolen server secret forges nothing without the database.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.encoding import base64url, from_base64url
from everbearer.oauth.models import DeviceAuthorization, Grant

REFRESH_TOKEN_PREFIX = "erb_"
CODE_PREFIX = "erc_"
DEVICE_CODE_PREFIX = "erd_"
_PURPOSES = {
    REFRESH_TOKEN_PREFIX: "refresh token",
    CODE_PREFIX: "authorization code",
    DEVICE_CODE_PREFIX: "device code",
}

ID_LENGTH = SECRET_LENGTH = 16
GENERATION_LENGTH = 7
"""With the key's number and the seal's tag the whole is a multiple of three bytes: base64url leaves no slack."""
LENGTH = ID_LENGTH + GENERATION_LENGTH + SECRET_LENGTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What a presented code or refresh token says of itself, authentically."""

    grant_id: str
    generation: int
    secret: bytes = field(repr=False)

    def belongs_to(self, grant: Grant | DeviceAuthorization) -> bool:
        """Return whether the row of the grant, or of what will be it, holds the same secret; in constant time."""
        return hmac.compare_digest(self.secret, grant.secret)


def seal_refresh_token(grant: Grant, sealer: Sealer) -> str:
    """Return the refresh token of the grant's generation: always the same for the same generation and server secret."""
    return _seal(REFRESH_TOKEN_PREFIX, grant, grant.generation, sealer)


def seal_code(grant: Grant, sealer: Sealer) -> str:
    """Return the authorization code of a grant that is not redeemed yet."""
    return _seal(CODE_PREFIX, grant, grant.generation, sealer)


def seal_device_code(device: DeviceAuthorization, sealer: Sealer) -> str:
    """Return the device code that a device polls with (RFC 8628 §3.2)."""
    return _seal(DEVICE_CODE_PREFIX, device, 0, sealer)


def open_refresh_token(token: str, sealer: Sealer) -> Presented | None:
    """Return what a refresh token says; None if this server never sealed it."""
    return _open(REFRESH_TOKEN_PREFIX, token, sealer)


def open_code(code: str, sealer: Sealer) -> Presented | None:
    """Return what an authorization code says; None if this server never sealed it."""
    return _open(CODE_PREFIX, code, sealer)


def open_device_code(code: str, sealer: Sealer) -> Presented | None:
    """Return what a device code says; None if this server never sealed it."""
    return _open(DEVICE_CODE_PREFIX, code, sealer)


def _seal(prefix: str, grant: Grant | DeviceAuthorization, generation: int, sealer: Sealer) -> str:
    grant_id = from_base64url(grant.grant_id) or b""
    plain = grant_id + generation.to_bytes(GENERATION_LENGTH, "big") + grant.secret
    return prefix + base64url(sealer.seal(_PURPOSES[prefix], plain))


def _open(prefix: str, token: str, sealer: Sealer) -> Presented | None:
    sealed = from_base64url(token[len(prefix) :]) if token.startswith(prefix) else None
    plain = sealer.unseal(_PURPOSES[prefix], sealed) if sealed else None
    if plain is None or len(plain) != LENGTH:
        return None
    return Presented(
        grant_id=base64url(plain[:ID_LENGTH]),
        generation=int.from_bytes(plain[ID_LENGTH:-SECRET_LENGTH], "big"),
        secret=plain[-SECRET_LENGTH:],
    )
