"""Settings of a client about request objects that contradict each other (RFC 9101 §10.5)."""

from __future__ import annotations

from collections.abc import Iterator

from everbearer.oauth.authorization.request_objects import UNSIGNED
from everbearer.oauth.authorization.request_uris import LONGEST_URI
from everbearer.oauth.client import Client
from everbearer.oauth.crypto.client_keys import algorithm_named
from everbearer.oauth.crypto.client_signatures import SECRET_ALGORITHM
from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.oauth.uris import is_safe_to_fetch

_ALGORITHMS = (*ALGORITHMS, SECRET_ALGORITHM, UNSIGNED)


def request_object_problems(client: Client) -> Iterator[str]:
    """Yield what is wrong, a sentence each that says what to change."""
    named, keyed = client.request_object_signing_alg, bool(client.jwks or client.jwks_uri)
    alg = algorithm_named(named)
    if alg not in {"", *_ALGORITHMS}:
        yield f"request_object_signing_alg {named!r} is not one of {', '.join(_ALGORITHMS)}"
    if alg == SECRET_ALGORITHM and not client.sealed_secrets:
        yield f'request_object_signing_alg {alg} is for token_endpoint_auth_method "client_secret_jwt": set that too'
    if alg in ALGORITHMS and not keyed:
        yield f"request_object_signing_alg {named} needs the client's public keys: set jwks_uri, or jwks"
    if client.require_signed_request_object and (alg == UNSIGNED or not (keyed or client.sealed_secrets)):
        yield "require_signed_request_object needs something to sign with: set jwks_uri, or jwks, and no algorithm none"
    for uri in client.request_uris:
        if not is_safe_to_fetch(uri.partition("#")[0]) or len(uri) > LONGEST_URI:
            yield f"request_uris: {uri[:80]!r} must be an https URL without user name, at most {LONGEST_URI} characters"
