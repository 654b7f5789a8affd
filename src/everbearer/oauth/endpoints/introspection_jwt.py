"""The introspection response as a JWT, for callers that ask for one (RFC 9701)."""

from __future__ import annotations

from collections.abc import Mapping

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.crypto import jws
from everbearer.oauth.crypto.encryption import encryption_for
from everbearer.oauth.crypto.jwe import encrypt
from everbearer.oauth.messages import NO_STORE, Request, Response

JWT_TYPE = "token-introspection+jwt"
MEDIA_TYPE = f"application/{JWT_TYPE}"
USUAL_ALG = "RS256"
"""What callers expect that registered no algorithm (RFC 9701 §6)."""


def wants_jwt(request: Request) -> bool:
    """Return whether the caller asks for a JWT, by `Accept` (§4)."""
    accepted = request.headers.get("accept", "")
    return MEDIA_TYPE in accepted and any(each.partition(";")[0].strip() == MEDIA_TYPE for each in accepted.split(","))


async def introspection_jwt(members: Mapping[str, object], caller: Client, server: AuthorizationServer) -> Response:
    """Return what introspection says of a token as a JWT, signed and encrypted as its caller is registered for (§5).

    Raises:
        InvalidClientMetadata: it is to be encrypted, and the caller has no key that fits.
        TemporarilyUnavailable: the caller's keys cannot be fetched at this moment.
    """
    alg, enc = caller.introspection_encrypted_response_alg, caller.introspection_encrypted_response_enc
    encryption = await encryption_for(caller, alg, enc, server) if alg else None
    # Under one member, and with neither `sub` nor `exp` beside it: nobody takes it for an access token (§5, §8.1).
    claims = {"iss": server.issuer, "aud": caller.client_id, "iat": server.now(), "token_introspection": members}
    key = server.keys().signer(caller.introspection_signed_response_alg or USUAL_ALG)
    signed = jws.sign(claims, key, typ=JWT_TYPE)
    text = encrypt(signed.encode(), encryption, nested=True) if encryption else signed
    return Response(headers=(("Content-Type", MEDIA_TYPE), *NO_STORE), body=text.encode())
