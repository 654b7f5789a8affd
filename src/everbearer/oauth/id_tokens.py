"""ID tokens (OpenID Connect Core §2 and §12.2), and reading them back as hints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from everbearer.oauth import jws
from everbearer.oauth.access_tokens import authentication_claims
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.claims import NO_CLAIMS
from everbearer.oauth.client import Client
from everbearer.oauth.models import Grant
from everbearer.oauth.subjects import subject_for

JWT_TYPE = "JWT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What an `id_token_hint` says: one this server signed, whether or not it has expired."""

    subject: str
    client_id: str
    session_id: str


def mint_id_token(
    client: Client,
    grant: Grant,
    server: AuthorizationServer,
    *,
    now: int,
    nonce: str = "",
    user_claims: Mapping[str, object] = NO_CLAIMS,
) -> str:
    """Return an ID token. `nonce` is that of the authorization request, and left out at a refresh (§12.2).

    `user_claims` are those that the request asked for by name.
    """
    claims: dict[str, object] = {
        **user_claims,
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
        claims["sid"] = grant.authentication.session_id
    if nonce:
        claims["nonce"] = nonce
    key = server.keys().signer(client.id_token_signed_response_alg)
    return jws.sign(claims, key, typ=JWT_TYPE)


def read_id_token_hint(text: str, server: AuthorizationServer) -> Hint | None:
    """Return what an ID token says of its user; None if this server never signed it.

    "The OP MUST accept ID Tokens when the RP identified by the ID Token's aud claim and/or sid claim has a current
    session or had a recent session at the OP, even when the exp time has passed" (RP-Initiated Logout §4).
    """
    claims = jws.verify(text, server.keys(), typ=JWT_TYPE)
    if claims is None or claims.get("iss") != server.issuer:
        return None
    return Hint(subject=claims["sub"], client_id=claims["aud"], session_id=claims.get("sid", ""))
