"""Access tokens, of two kinds: JWTs (RFC 9068) and opaque, sealed ones. Neither has a row in the store.

A token's id tells which grant and generation it came from, so that the server's own endpoints can see the grant's end.
An opaque token holds a proof besides, of what only the store knows: the server's secret alone forges none. A token that
another was exchanged for (RFC 8693) is of the same grant, and ends with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import AccessTokenFormat, Client
from everbearer.oauth.crypto import jws
from everbearer.oauth.encoding import base64url, compact_json, from_base64url
from everbearer.oauth.issuance_hooks import NOTHING, OF_TOKENS
from everbearer.oauth.models import Grant
from everbearer.oauth.randomness import random_id
from everbearer.oauth.resource import Target
from everbearer.oauth.scope import Scope, format_scope
from everbearer.oauth.users.subjects import subject_for

ACCESS_TOKEN_PREFIX = "era_"
JWT_TYPE = "at+jwt"
EXCHANGED = "~"
"""How the id of a token ends that another was exchanged for."""
_PURPOSE = "access token"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """What an access token says, authentically. It may have expired, and its grant may have ended."""

    token_id: str
    """GRANT.GENERATION.RANDOM, or EPOCH.RANDOM for a client's own token, with the client's epoch at issue; and `~` at
    the end of one that another was exchanged for."""
    client_id: str
    subject: str
    """The user as the client knows them, or the client itself."""
    scope: Scope
    issued_at: int
    expires_at: int
    audiences: tuple[str, ...]
    """Whom it is for."""
    proof: bytes = field(default=b"", repr=False)
    """Of an opaque token: the secret of its grant, or a hash of what the store keeps of its client's."""
    claims: Mapping[str, object] = field(default_factory=lambda: NOTHING, repr=False)
    """All that it says, or all that it says besides."""

    @property
    def aud(self) -> str | list[str]:
        """Return whom it is for, as that stands in tokens (RFC 7519 §4.1.3): one alone, several as a list."""
        return self.audiences[0] if len(self.audiences) == 1 else list(self.audiences)

    @property
    def exchanged(self) -> bool:
        """Return whether another token was exchanged for it."""
        return self.token_id.endswith(EXCHANGED)

    @property
    def grant_id(self) -> str:
        """Return the id of its grant; empty for a client's own token."""
        return self.token_id.split(".")[0] if self.token_id.count(".") == 2 else ""  # noqa: PLR2004 - see token_id

    @property
    def generation(self) -> int:
        """Return the number that its id carries: its grant's generation at issue, or its client's epoch."""
        return int(self.token_id.split(".")[-2])

    @property
    def more_claims(self) -> Mapping[str, object]:
        """Return what it says beyond what every token does."""
        # Most say no more.
        if OF_TOKENS.issuperset(self.claims):
            return NOTHING
        return {name: value for name, value in self.claims.items() if name not in OF_TOKENS}


def mint_access_token(
    client: Client,
    scope: Scope,
    server: AuthorizationServer,
    *,
    about: Grant | str,
    now: int,
    expires_in: int,
    target: Target | None = None,
    claims: Mapping[str, object] = NOTHING,
) -> str:
    """Return a fresh access token `about` a grant or, where there is none, about a subject: mostly the client itself.

    It is for the resources of `target` where there is one, and has its scope. `claims` are those that it has besides.
    """
    grant = None if isinstance(about, str) else about
    stem = f"{grant.grant_id}.{grant.generation}" if grant else str(client.epoch)
    token = AccessToken(
        token_id=f"{stem}.{random_id()}",
        client_id=client.client_id,
        # "In cases of access tokens obtained through grants where no resource owner is involved, such as the client
        # credentials grant, the value of "sub" SHOULD correspond to an identifier the authorization server uses to
        # indicate the client application" (RFC 9068 §2.2).
        subject=about if isinstance(about, str) else subject_for(client, about.subject, server),
        scope=target.scope if target else scope,
        issued_at=now,
        expires_at=now + expires_in,
        audiences=target.audiences if target else (client.audience or server.issuer,),
        proof=grant.secret if grant else _own_proof(client),
        claims=claims,
    )
    return _minted(token, grant, target or client, server)


def exchange_access_token(
    wanted: AccessToken, client: Client, server: AuthorizationServer, *, grant: Grant | None, target: Target | None
) -> str:
    """Return a fresh access token for a client in exchange for one of the same subject and grant (RFC 8693).

    `wanted` is that one, with the scope, times, claims and, where there is no `target`, audience of the new one.
    """
    stem = wanted.token_id.rpartition(".")[0] if grant else str(client.epoch)
    token = replace(
        wanted,
        token_id=f"{stem}.{random_id()}{EXCHANGED}",
        client_id=client.client_id,
        subject=subject_for(client, grant.subject, server) if grant else wanted.subject,
        scope=target.scope if target else wanted.scope,
        audiences=target.audiences if target else (client.audience or server.issuer,),
        proof=grant.secret if grant else _own_proof(client),
    )
    return _minted(token, grant, target or client, server)


def _minted(token: AccessToken, grant: Grant | None, like: Target | Client, server: AuthorizationServer) -> str:
    if like.access_token_format is AccessTokenFormat.OPAQUE and token.proof:
        return _seal(token, server)
    key = server.keys().signer(like.access_token_signing_alg)
    return jws.sign(_claims(token, grant, server), key, typ=JWT_TYPE)


def read_access_token(text: str, server: AuthorizationServer) -> AccessToken | None:
    """Return what an access token of either kind says; None if this server never issued it."""
    if text.startswith(ACCESS_TOKEN_PREFIX):
        return _unseal(text, server)
    claims = jws.verify(text, server.keys(), typ=JWT_TYPE)
    if claims is None or claims.get("iss") != server.issuer:
        return None
    return AccessToken(
        token_id=claims["jti"],
        client_id=claims["client_id"],
        subject=claims["sub"],
        scope=_scope(claims.get("scope", "")),
        issued_at=claims["iat"],
        expires_at=claims["exp"],
        audiences=_audiences(claims["aud"]),
        claims=claims,
    )


def _own_proof(client: Client) -> bytes:
    # A client with keys of its own has nothing that only the store knows: its own tokens are JWTs (see client_rules).
    return proof_of(client.secrets[0]) if client.secrets else b""


def proof_of(client_secret_hash: str) -> bytes:
    """Return what proves a client's own token, of what the store keeps of its secret."""
    return sha256(client_secret_hash.encode()).digest()[:16]


def _claims(token: AccessToken, grant: Grant | None, server: AuthorizationServer) -> Mapping[str, object]:
    claims: dict[str, object] = {
        **token.claims,
        "iss": server.issuer,
        "sub": token.subject,
        "aud": token.aud,
        "client_id": token.client_id,
        "iat": token.issued_at,
        "exp": token.expires_at,
        "jti": token.token_id,
    }
    if token.scope:
        claims["scope"] = format_scope(token.scope)
    if grant:
        claims |= authentication_claims(grant)
    return claims


def authentication_claims(grant: Grant) -> Mapping[str, object]:
    """Return when and how the user signed in, as tokens say it (OpenID Connect Core §2, RFC 9068 §2.2.1)."""
    authentication = grant.authentication
    claims: dict[str, object] = {"auth_time": authentication.auth_time}
    if authentication.amr:
        claims["amr"] = list(authentication.amr)
    if authentication.acr:
        claims["acr"] = authentication.acr
    return claims


def _scope(text: str) -> Scope:
    # Written by `format_scope`: there is nothing to check.
    return tuple(text.split())


def _audiences(aud: str | list[str]) -> tuple[str, ...]:
    return (aud,) if isinstance(aud, str) else tuple(aud)


def _seal(token: AccessToken, server: AuthorizationServer) -> str:
    members = [
        token.token_id,
        token.client_id,
        token.subject,
        format_scope(token.scope),
        token.issued_at,
        token.expires_at,
        token.aud,
        base64url(token.proof),
        # Most say no more.
        *([dict(token.claims)] if token.claims else ()),
    ]
    return ACCESS_TOKEN_PREFIX + base64url(server.sealer.seal(_PURPOSE, compact_json(members)))


def _unseal(text: str, server: AuthorizationServer) -> AccessToken | None:
    sealed = from_base64url(text.removeprefix(ACCESS_TOKEN_PREFIX))
    plain = server.sealer.unseal(_PURPOSE, sealed) if sealed else None
    if plain is None:
        return None
    token_id, client_id, subject, scope, issued_at, expires_at, audience, proof, *more = json.loads(plain.decode())
    return AccessToken(
        token_id=token_id,
        client_id=client_id,
        subject=subject,
        scope=_scope(scope),
        issued_at=issued_at,
        expires_at=expires_at,
        audiences=_audiences(audience),
        # Never empty: that would be a token that proves nothing.
        proof=from_base64url(proof) or bytes(1),
        claims=more[0] if more else NOTHING,
    )
