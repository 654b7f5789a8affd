"""How a resource server proves who it is with a key instead of a secret (`private_key_jwt`, RFC 7523 §2.2)."""

from __future__ import annotations

from collections.abc import Callable

from everbearer.oauth.arguments import check_arguments
from everbearer.oauth.crypto import jws
from everbearer.oauth.crypto.keys import SigningKey
from everbearer.oauth.randomness import random_id
from everbearer.resource_server.clock import unix_now
from everbearer.resource_server.settings_rules import ADVICE

LIFETIME = 60
"""Seconds for which an assertion is good."""


def private_key_jwt(client_id: str, key: SigningKey, *, now: Callable[[], int] = unix_now) -> Callable[[str], str]:
    """Return what makes assertions of a client for an audience, each good once and for a minute.

    The audience should be the issuer, and it alone (RFC 10070 §4).

    Raises:
        ValueError: it cannot be made of these; the message says what to change.
    """
    check_arguments(private_key_jwt, ADVICE, client_id=client_id, key=key, now=now)

    def client_assertion(audience: str) -> str:
        at = now()
        claims = {"iss": client_id, "sub": client_id, "aud": audience, "jti": random_id(), "iat": at}
        return jws.sign({**claims, "exp": at + LIFETIME}, key, typ="client-authentication+jwt")

    return client_assertion
