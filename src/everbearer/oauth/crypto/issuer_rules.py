"""What is wrong with issuers whose software statements (RFC 7591) or assertions (RFC 7523) are believed."""

from __future__ import annotations

from collections.abc import Iterator

from everbearer.oauth.crypto.client_keys import UnusableKeys, read_jwks
from everbearer.oauth.uris import is_safe_to_fetch


def issuer_problems(issuer: str, *, jwks: str, jwks_uri: str) -> Iterator[str]:
    """Yield what is wrong with an issuer and with where its keys are, a sentence each that says what to change."""
    if not issuer:
        yield "issuer is empty: write the iss of what it signs"
    yield from (f"{issuer!r}: {problem}" for problem in key_problems(jwks=jwks, jwks_uri=jwks_uri))


def key_problems(*, jwks: str, jwks_uri: str) -> Iterator[str]:
    """Yield what is wrong with where the keys of an issuer are."""
    if bool(jwks) == bool(jwks_uri):
        yield "its public keys must be known by one of jwks_uri and jwks; write one of them"
    if jwks_uri and not is_safe_to_fetch(jwks_uri):
        yield f"jwks_uri must be an https URL without a fragment or user name, not {jwks_uri!r}"
    if jwks:
        try:
            read_jwks(jwks)
        except UnusableKeys as problem:
            yield f"jwks {problem}"
