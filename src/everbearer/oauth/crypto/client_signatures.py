"""Whether a client signed a JWT: with a key of its own, or by its secret (OpenID Connect Core §9 and §10.1)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from hashlib import sha256

from everbearer.oauth.arguments import check_arguments
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.crypto.client_keys import UnusableKeys, fitting, read_jwks, signed_by
from everbearer.oauth.crypto.jws import Unverified
from everbearer.oauth.crypto.sealing import Sealer
from everbearer.oauth.encoding import base64url, compact_json, from_base64url

SECRET_ALGORITHM = "HS256"
"""What a secret authenticates by."""
_SEALED_SECRET = "client secret"


class NotSigned(Exception):
    """A JWT is not signed by its client; the message is a sentence for the client's developer."""


async def check_signature(jwt: Unverified, client: Client, server: AuthorizationServer, *, name: str) -> None:
    """Return if a client signed a JWT, called `name` to its developer. That its algorithm is allowed has been checked.

    Raises:
        NotSigned: the client did not.
        InvalidClient: the client's keys cannot be fetched.
        TemporarilyUnavailable: the same, at this moment.
    """
    if jwt.header["alg"] == SECRET_ALGORITHM:
        if not any(_is_authenticated(jwt, secret) for secret in _secrets(client, server.sealer)):
            raise NotSigned(f"{name} is not authenticated by this client's secret")
    elif client.jwks:
        _check_signer(jwt, client.jwks, "jwks", name)
    elif not client.jwks_uri:
        raise NotSigned(f"{name} is signed, but this client has no keys: register jwks_uri, or jwks")
    elif not _is_signer(jwt, await server.jwks(client.jwks_uri, anew=False)):
        # It may have published a new key.
        _check_signer(jwt, await server.jwks(client.jwks_uri, anew=True), "jwks_uri", name)


def seal_client_secret(client_id: str, secret: str, sealer: Sealer) -> str:
    """Return what `Client.sealed_secrets` keeps of a secret; it can be unsealed as that client's alone.

    Raises:
        ValueError: the secret or the client's id is no text, or the sealer none.
    """
    check_arguments(seal_client_secret, client_id=client_id, secret=secret, sealer=sealer)
    return base64url(sealer.seal(_SEALED_SECRET, compact_json([client_id, secret])))


def _secrets(client: Client, sealer: Sealer) -> Iterator[bytes]:
    for sealed in client.sealed_secrets:
        plain = sealer.unseal(_SEALED_SECRET, from_base64url(sealed) or b"")
        owner, secret = json.loads(plain) if plain else ("", "")
        if owner == client.client_id:
            yield secret.encode()


def _is_authenticated(jwt: Unverified, secret: bytes) -> bool:
    # "The HMAC (Hash-based Message Authentication Code) is calculated using the octets of the UTF-8 representation of
    # the client_secret as the shared key" (OpenID Connect Core §9).
    return hmac.compare_digest(hmac.digest(secret, jwt.signing_input, sha256), jwt.signature)


def _is_signer(jwt: Unverified, document: str) -> bool:
    try:
        return signed_by(jwt, fitting(read_jwks(document), jwt))
    except UnusableKeys:
        return False


def _check_signer(jwt: Unverified, document: str, where: str, name: str) -> None:
    try:
        keys = fitting(read_jwks(document), jwt)
    except UnusableKeys as problem:
        raise NotSigned(f"the {where} of this client {problem}") from None
    if not keys:
        raise NotSigned(f"the {where} of this client has no key of the kid and alg that {name} names")
    if not signed_by(jwt, keys):
        raise NotSigned(f"{name} is not signed with a key of this client")
