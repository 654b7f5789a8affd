"""Answers that only their client can read: which of its keys they are encrypted to (OpenID Connect Core §10.2)."""

from __future__ import annotations

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.crypto.client_keys import UnusableKeys
from everbearer.oauth.crypto.jwe import DEFAULT_CONTENT_ENCRYPTION, Encryption, EncryptionKey, key_for
from everbearer.oauth.errors import InvalidClient, InvalidClientMetadata
from everbearer.oauth.events import Event, EventKind


async def encryption_for(client: Client, alg: str, enc: str | None, server: AuthorizationServer) -> Encryption:
    """Return how an answer is encrypted to a client that is registered for these algorithms.

    It may have to fetch the client's keys: to be awaited before anything is spent.

    Raises:
        InvalidClientMetadata: the client has no key that fits, or its keys cannot be fetched.
        TemporarilyUnavailable: they cannot be fetched for a reason that passes.
    """
    try:
        key = await _key(client, alg, server)
    except (UnusableKeys, InvalidClient) as problem:
        raise _refusal(str(problem), client, server) from None
    return Encryption(key=key, alg=alg, enc=enc or DEFAULT_CONTENT_ENCRYPTION)


async def _key(client: Client, alg: str, server: AuthorizationServer) -> EncryptionKey:
    if client.jwks:
        return _found(alg, client.jwks, "jwks")
    try:
        return key_for(alg, await server.jwks(client.jwks_uri, anew=False))
    except UnusableKeys:
        # It may have published one since.
        return _found(alg, await server.jwks(client.jwks_uri, anew=True), "jwks_uri")


def _found(alg: str, document: str, where: str) -> EncryptionKey:
    try:
        return key_for(alg, document)
    except UnusableKeys as problem:
        raise UnusableKeys(f"the {where} of this client {problem}") from None


def _refusal(problem: str, client: Client, server: AuthorizationServer) -> InvalidClientMetadata:
    server.notify(
        Event(
            kind=EventKind.CLIENT_KEYS_UNUSABLE,
            at=server.now(),
            actor=f"client:{client.client_id}",
            client_id=client.client_id,
            details={"reason": problem},
        )
    )
    return InvalidClientMetadata(f"the answer cannot be encrypted: {problem}", reason="no encryption key")
