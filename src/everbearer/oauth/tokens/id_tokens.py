"""ID tokens (OpenID Connect Core §2 and §12.2), and reading them back as hints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256, sha512
from types import MappingProxyType

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.crypto import jws
from everbearer.oauth.crypto.encryption import encryption_for
from everbearer.oauth.crypto.jwe import Encryption, encrypt
from everbearer.oauth.encoding import base64url
from everbearer.oauth.models import Grant
from everbearer.oauth.scope import OPENID, Scope
from everbearer.oauth.tokens.access_tokens import authentication_claims
from everbearer.oauth.users.claims import NO_CLAIMS, id_token_claims
from everbearer.oauth.users.sid import sid_for
from everbearer.oauth.users.subjects import subject_for

JWT_TYPE = "JWT"
NOTHING_BESIDE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTokenParts:
    """What goes into an ID token and is neither the grant's nor the server's: all that has to be waited for."""

    user_claims: Mapping[str, object]
    """Those that stand in it for this request and this client."""
    encryption: Encryption | None
    """None where its client reads it as it is signed."""


NO_PARTS = IdTokenParts(user_claims=NO_CLAIMS, encryption=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What an `id_token_hint` says: one this server signed, whether or not it has expired."""

    subject: str
    client_id: str
    sid: str
    """Empty where it says none."""


async def id_token_parts(
    grant: Grant, scope: Scope, client: Client, server: AuthorizationServer, *, alone: bool = False
) -> IdTokenParts:
    """Return what an ID token of this scope is made of; to be awaited before anything is spent.

    `alone` says that no access token will ever come, to get the user's claims with.

    Raises:
        InvalidClientMetadata: it is to be encrypted, and the client has no key that fits.
        TemporarilyUnavailable: the client's keys cannot be fetched at this moment.
    """
    if OPENID not in scope:
        return NO_PARTS
    claims = await id_token_claims(grant, scope, client, server, alone=alone)
    alg, enc = client.id_token_encrypted_response_alg, client.id_token_encrypted_response_enc
    if alg is None:
        return IdTokenParts(user_claims=claims, encryption=None) if claims else NO_PARTS
    return IdTokenParts(user_claims=claims, encryption=await encryption_for(client, alg, enc, server))


def mint_id_token(
    client: Client,
    grant: Grant,
    parts: IdTokenParts,
    server: AuthorizationServer,
    *,
    now: int,
    nonce: str = "",
    beside: Mapping[str, str] = NOTHING_BESIDE,
) -> str:
    """Return an ID token. `nonce` is that of the authorization request, and left out at a refresh (§12.2).

    `beside` is what comes with it by the browser, each value under the claim that is to hold its hash: `at_hash` or
    `c_hash`.
    """
    claims: dict[str, object] = {
        **parts.user_claims,
        "iss": server.issuer,
        "sub": subject_for(client, grant.subject, server),
        "aud": client.client_id,
        "iat": now,
        "exp": now + client.lifetimes.id_token,
        # "if the ID Token contains an auth_time Claim, its value MUST represent the time of the original
        # authentication - not the time that the new ID token is issued" (§12.2).
        **authentication_claims(grant),
    }
    if grant.authentication.session_id:
        claims["sid"] = sid_for(client.client_id, grant.authentication.session_id)
    if nonce:
        claims["nonce"] = nonce
    key = server.keys().signer(client.id_token_signed_response_alg)
    for name, value in beside.items():
        claims[name] = _left_half(value, key.alg)
    signed = jws.sign(claims, key, typ=JWT_TYPE)
    # "If the ID Token is encrypted, it MUST be signed then encrypted, with the result being a Nested JWT" (§2).
    return encrypt(signed.encode(), parts.encryption, nested=True) if parts.encryption else signed


def read_id_token_hint(text: str, server: AuthorizationServer) -> Hint | None:
    """Return what an ID token says of its user; None if this server never signed it.

    "The OP MUST accept ID Tokens when the RP identified by the ID Token's aud claim and/or sid claim has a current
    session or had a recent session at the OP, even when the exp time has passed" (RP-Initiated Logout §4).
    """
    claims = jws.verify(text, server.keys(), typ=JWT_TYPE)
    # A signed userinfo response is a JWT too, and never expires.
    if claims is None or claims.get("iss") != server.issuer or "exp" not in claims:
        return None
    return Hint(subject=claims["sub"], client_id=claims["aud"], sid=claims.get("sid", ""))


def _left_half(value: str, alg: str) -> str:
    # "the base64url encoding of the left-most half of the hash of the octets of the ASCII representation of the
    # access_token value, where the hash algorithm used is the hash algorithm used in the alg Header Parameter of the ID
    # Token's JOSE Header" (§3.1.3.6). That of Ed25519 is SHA-512.
    digest = (sha512 if alg == "EdDSA" else sha256)(value.encode()).digest()
    return base64url(digest[: len(digest) // 2])
