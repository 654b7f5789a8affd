"""Back-channel logout (OpenID Connect Back-Channel Logout 1.0): what a client is told when a session ends."""

from __future__ import annotations

from dataclasses import dataclass

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.crypto import jws
from everbearer.oauth.crypto.encryption import encryption_for
from everbearer.oauth.crypto.jwe import encrypt
from everbearer.oauth.randomness import random_id
from everbearer.oauth.users.sid import sid_for
from everbearer.oauth.users.subjects import subject_for

JWT_TYPE = "logout+jwt"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME = 2 * 60
"""Seconds. "OPs are encouraged to use short expiration times in Logout Tokens, preferably at most two minutes in the
future, to prevent captured Logout Tokens from being replayable" (§4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logout:
    """A client is to be told that a session has ended."""

    session_id: str
    client_id: str
    subject: str
    """Whose session it was."""
    ended_at: int
    attempts: int = 0
    """How often it was tried to tell it, a try that is under way included."""
    due_at: int | None = None
    """When to try, or to try again where a try that is under way comes to no end; None where it was given up."""
    problem: str = ""
    """Why the last try failed; empty where none has."""


async def mint_logout_token(client: Client, logout: Logout, server: AuthorizationServer) -> str:
    """Return a fresh logout token (§2.4).

    Raises:
        InvalidClientMetadata: the client's ID tokens are encrypted, and it has no key that fits.
        TemporarilyUnavailable: the client's keys cannot be fetched at this moment.
    """
    now = server.now()
    # "A nonce Claim MUST NOT be present. Its use is prohibited to make a Logout Token syntactically invalid if used in
    # a forged Authentication Response in place of an ID Token" (§2.4).
    claims: dict[str, object] = {
        "iss": server.issuer,
        "sub": subject_for(client, logout.subject, server),
        "aud": client.client_id,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": random_id(),
        "events": {LOGOUT_EVENT: {}},
        "sid": sid_for(client.client_id, logout.session_id),
    }
    signed = jws.sign(claims, server.keys().signer(client.id_token_signed_response_alg), typ=JWT_TYPE)
    # "The same keys are used to sign and encrypt Logout Tokens as are used for ID Tokens" (§2.4).
    alg, enc = client.id_token_encrypted_response_alg, client.id_token_encrypted_response_enc
    if alg is None:
        return signed
    return encrypt(signed.encode(), await encryption_for(client, alg, enc, server), nested=True)
