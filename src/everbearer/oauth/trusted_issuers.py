"""Issuers whose assertions are taken as grants, and the checks of one such JWT (RFC 7523 §3, RFC 7521 §5.2)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import cast

from everbearer.oauth.arguments import check_fields
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.crypto.client_keys import algorithm_named
from everbearer.oauth.crypto.issuer_signatures import is_signed_by_issuer
from everbearer.oauth.crypto.jws import Unverified, take_apart
from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.oauth.encoding import base64url, compact_json
from everbearer.oauth.errors import InvalidClient, InvalidGrant
from everbearer.oauth.models import HOUR
from everbearer.oauth.paths import PATHS
from everbearer.oauth.scope import Scope

LEEWAY = 60
"""Seconds by which clocks may differ."""
_TYPES = frozenset({"", "jwt"})


class SubjectIs(StrEnum):
    """Whom the `sub` of an assertion names."""

    USER = "user"
    """Somebody whom this server knows: its tokens end with that user."""
    EXTERNAL = "external"
    """Whoever the issuer says, a pipeline or a workload: tokens name it behind the issuer's prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIssuer:
    """Somebody whose word is good: what it signs is a grant, as far as this reaches."""

    issuer: str
    jwks: str = ""
    """Its public keys: a JWK Set (RFC 7517 §5), in JSON."""
    jwks_uri: str = ""
    """Where its public keys are published, instead of `jwks`."""
    subject_is: SubjectIs = SubjectIs.USER
    prefix: str | None = None
    """What stands before external subjects in our tokens; None for the issuer and `#`, so that none is taken for a user
    of ours."""
    subjects: tuple[str, ...] = ()
    """Whom it may speak for, each exactly or with `*` for any characters; none for all."""
    clients: tuple[str, ...] = ()
    """Who may bring what it signs; none for every client that may use this grant."""
    scope: Scope = ()
    """All that comes of it, as far as the client may have it."""
    longest: int = HOUR
    """Seconds that an assertion may be good for: so long has to be remembered that it was used."""

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asserted:
    """An assertion that is good: what it says is true, as far as its issuer is trusted."""

    issuer: TrustedIssuer
    subject: str
    claims: dict[str, object]
    expires_at: int
    use: str
    """What is remembered of it, so that it is good once."""


async def read_asserted(
    text: str, issuers: dict[str, TrustedIssuer], client_id: str, server: AuthorizationServer
) -> Asserted:
    """Return what an assertion says that one of the issuers signed for this server and client.

    Raises:
        InvalidGrant: it is not good.
        TemporarilyUnavailable: its issuer's keys cannot be fetched at this moment.
    """
    # "If the assertion is not valid [...], the authorization server constructs an error response [...] The value of the
    # "error" parameter MUST be the "invalid_grant" error code" (RFC 7523 §3.1).
    jwt = take_apart(text)
    if jwt is None:
        raise InvalidGrant("assertion is not a signed JWT", reason="not a JWT")
    issuer = issuers.get(_text(jwt, "iss"))
    if issuer is None:
        raise InvalidGrant("the iss of assertion is nobody whose assertions are taken here", reason="unknown issuer")
    if issuer.clients and client_id not in issuer.clients:
        raise InvalidGrant("this client may not bring assertions of that issuer", reason="not for this client")
    _check_header(jwt)
    _check_audience(jwt, server)
    expires_at = _check_times(jwt, issuer, server.now())
    subject, use = _subject(jwt, issuer), _use(jwt)
    await _check_signature(jwt, issuer, server)
    return Asserted(issuer=issuer, subject=subject, claims=dict(jwt.claims), expires_at=expires_at, use=use)


def _text(jwt: Unverified, name: str) -> str:
    """Return a claim that is a text; empty where it is none, or holds what no store can look up."""
    value = jwt.claims.get(name)
    return value if isinstance(value, str) and value.isprintable() else ""


def _check_header(jwt: Unverified) -> None:
    if algorithm_named(jwt.header.get("alg")) not in ALGORITHMS:
        raise InvalidGrant(f"assertion must be signed with one of: {', '.join(ALGORITHMS)}", reason="alg")
    # "If any of the listed extension Header Parameters are not understood and supported by the recipient, then the JWS
    # is invalid" (RFC 7515 §4.1.11).
    if "crit" in jwt.header:
        raise InvalidGrant("assertion has a crit header, of which nothing is supported here", reason="crit")
    # What its issuer signed for another purpose, such as an access token, is no assertion (RFC 8725 §3.11).
    if jwt.typ not in _TYPES:
        raise InvalidGrant("typ of assertion must be JWT", reason="typ")


def _check_audience(jwt: Unverified, server: AuthorizationServer) -> None:
    # "The JWT MUST contain an "aud" (audience) claim containing a value that identifies the authorization server as an
    # intended audience. The token endpoint URL of the authorization server MAY be used" (RFC 7523 §3). What is good for
    # another server as well, that one could use here.
    own = {server.issuer, server.base + PATHS["token_endpoint"]}
    named = jwt.claims.get("aud")
    names = cast("list[object]", named) if isinstance(named, list) else [named]
    if not names or not all(isinstance(name, str) and name in own for name in names):
        only = f"aud of assertion must be {server.issuer}, and nothing that is not this server's"
        raise InvalidGrant(only, reason="aud")


def _check_times(jwt: Unverified, issuer: TrustedIssuer, now: int) -> int:
    """Return the second in which an assertion expires, if that is neither past nor too far away."""
    expires_at = jwt.claims.get("exp")
    # "The authorization server MUST reject any JWT with an expiration time that has passed, subject to allowable clock
    # skew [...] may reject JWTs with an "exp" claim value that is unreasonably far in the future" (RFC 7523 §3).
    if not _at(expires_at, after=now - LEEWAY, until=now + issuer.longest + LEEWAY):
        raise InvalidGrant(
            f"assertion has expired, or has no exp, or one more than {issuer.longest} seconds ahead", reason="exp"
        )
    for name in ("iat", "nbf"):
        if not _at(jwt.claims.get(name, now), after=-math.inf, until=now + LEEWAY):
            raise InvalidGrant(f"{name} of assertion is in the future: set the issuer's clock", reason=name)
    return math.ceil(cast("float", expires_at))


def _at(value: object, *, after: float, until: float) -> bool:
    # Written so that no NaN passes.
    return isinstance(value, int | float) and not isinstance(value, bool) and after < value <= until


def _subject(jwt: Unverified, issuer: TrustedIssuer) -> str:
    subject = _text(jwt, "sub")
    if not subject:
        raise InvalidGrant("assertion has no sub", reason="no sub")
    if issuer.subjects and not any(_pattern(text).fullmatch(subject) for text in issuer.subjects):
        raise InvalidGrant("the issuer of assertion may not speak for its sub here", reason="sub")
    return subject


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))))


def _use(jwt: Unverified) -> str:
    # "The authorization server MAY ensure that JWTs are not replayed by maintaining the set of used "jti" values" (RFC
    # 7523 §3): here it does. "The JWT MAY contain a "jti" (JWT ID) claim": without one it is known by all that is
    # signed; the signature itself can be made anew.
    if "jti" not in jwt.claims:
        return base64url(sha256(jwt.signing_input).digest())
    jti = _text(jwt, "jti")
    if not jti:
        raise InvalidGrant("jti of assertion must be a text", reason="jti")
    return base64url(sha256(compact_json([jwt.claims["iss"], jti])).digest())


async def _check_signature(jwt: Unverified, issuer: TrustedIssuer, server: AuthorizationServer) -> None:
    try:
        signed = await is_signed_by_issuer(jwt, server, jwks=issuer.jwks, jwks_uri=issuer.jwks_uri)
    except InvalidClient as problem:
        raise InvalidGrant("the keys of the issuer of assertion cannot be had", reason=problem.description) from None
    if not signed:
        raise InvalidGrant("assertion is not signed with a key of its issuer", reason="signature")
