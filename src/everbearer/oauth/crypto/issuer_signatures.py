"""Whether somebody who is trusted signed a JWT: an issuer of software statements, or of assertions."""

from __future__ import annotations

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.crypto.client_keys import UnusableKeys, fitting, read_jwks, signed_by
from everbearer.oauth.crypto.jws import Unverified


async def is_signed_by_issuer(jwt: Unverified, server: AuthorizationServer, *, jwks: str, jwks_uri: str) -> bool:
    """Return whether a JWT is signed with a key of its issuer: of `jwks`, or of what stands at `jwks_uri`.

    Raises:
        InvalidClient: what stands there will not do.
        TemporarilyUnavailable: it cannot be fetched at this moment.
    """
    if jwks:
        return _is_signed(jwt, jwks)
    # The issuer may have published a new key.
    return _is_signed(jwt, await server.jwks(jwks_uri, anew=False)) or _is_signed(
        jwt, await server.jwks(jwks_uri, anew=True)
    )


def _is_signed(jwt: Unverified, document: str) -> bool:
    try:
        return signed_by(jwt, fitting(read_jwks(document), jwt))
    except UnusableKeys:
        return False
