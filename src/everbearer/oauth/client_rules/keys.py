"""Settings of a client about keys that contradict each other: how its answers are signed and encrypted, and its own."""

from __future__ import annotations

from collections.abc import Iterator

from everbearer.oauth.client import AuthMethod, Client
from everbearer.oauth.crypto.client_keys import UnusableKeys, read_jwks
from everbearer.oauth.crypto.jwe import CONTENT_ENCRYPTION, KEY_ENCRYPTION, key_for
from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.oauth.uris import is_safe_to_fetch

SIGNED = ("access_token_signing_alg", "id_token_signed_response_alg")
SIGNED_IF_SET = ("userinfo_signed_response_alg", "introspection_signed_response_alg")
ENCRYPTED_IF_SET = (
    "id_token_encrypted_response_alg",
    "userinfo_encrypted_response_alg",
    "introspection_encrypted_response_alg",
)


def key_problems(client: Client) -> Iterator[str]:
    """Yield what is wrong, a sentence each that says what to change."""
    for name in (*SIGNED, *SIGNED_IF_SET):
        alg = getattr(client, name)
        if alg not in ALGORITHMS and not (alg is None and name in SIGNED_IF_SET):
            yield f"{name} {alg!r} is not one of {', '.join(ALGORITHMS)}"
    for name in ENCRYPTED_IF_SET:
        yield from _encryption(client, name)
    yield from _keys(client)


def encryption_algs(client: Client) -> tuple[str, ...]:
    """Return the algorithms that answers can be encrypted to a client with, each once."""
    algs = [getattr(client, name) for name in ENCRYPTED_IF_SET]
    return tuple(dict.fromkeys(alg for alg in algs if alg in KEY_ENCRYPTION))


def _encryption(client: Client, name: str) -> Iterator[str]:
    alg, enc_name = getattr(client, name), name.removesuffix("alg") + "enc"
    enc = getattr(client, enc_name)
    if alg is not None and alg not in KEY_ENCRYPTION:
        yield f"{name} {alg!r} is not one of {', '.join(KEY_ENCRYPTION)}"
    if enc is not None and enc not in CONTENT_ENCRYPTION:
        yield f"{enc_name} {enc!r} is not one of {', '.join(CONTENT_ENCRYPTION)}"
    if enc is not None and alg is None:
        # "When userinfo_encrypted_response_enc is included, userinfo_encrypted_response_alg MUST also be provided"
        # (OpenID Connect Registration §2), and the same of the others.
        yield f"{enc_name} says how to encrypt, but nothing is encrypted without {name}: set that too, or take it out"


def _keys(client: Client) -> Iterator[str]:
    signs, algs = client.token_endpoint_auth_method is AuthMethod.PRIVATE_KEY_JWT, encryption_algs(client)
    if (signs or algs) and not client.jwks and not client.jwks_uri:
        what = "private_key_jwt needs" if signs else f"{', '.join(algs)} needs"
        yield f"{what} the client's public keys: set jwks_uri, or jwks"
    if client.jwks and client.jwks_uri:
        # "The "jwks_uri" and "jwks" parameters MUST NOT both be present in the same request or response" (RFC 7591 §2).
        yield "jwks and jwks_uri are both set: keep one of them"
    if client.jwks_uri and not is_safe_to_fetch(client.jwks_uri):
        yield f"jwks_uri: {client.jwks_uri!r} must be an https URL without a fragment or user name"
    if client.jwks:
        # Any client may sign request objects.
        yield from _jwks(client.jwks, algs, signs=signs or not algs)


def _jwks(document: str, algs: tuple[str, ...], *, signs: bool) -> Iterator[str]:
    try:
        if signs:
            read_jwks(document)
        for alg in algs:
            key_for(alg, document)
    except UnusableKeys as problem:
        yield f"jwks {problem}"
