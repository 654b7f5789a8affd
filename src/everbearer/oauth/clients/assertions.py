"""Client authentication by assertion: `private_key_jwt` and `client_secret_jwt` (RFC 7523 §3, OpenID Connect Core §9).

A client signs a JWT that names itself and this server, lasts for minutes, and is good once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeGuard, cast
from urllib.parse import urlsplit

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import AuthMethod, Client
from everbearer.oauth.crypto.client_keys import algorithm_named
from everbearer.oauth.crypto.client_signatures import SECRET_ALGORITHM as SECRET_ALGORITHM
from everbearer.oauth.crypto.client_signatures import NotSigned, check_signature
from everbearer.oauth.crypto.client_signatures import seal_client_secret as seal_client_secret
from everbearer.oauth.crypto.jws import Unverified, take_apart
from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.oauth.encoding import base64url, compact_json
from everbearer.oauth.errors import InvalidClient, InvalidRequest
from everbearer.oauth.messages import Request
from everbearer.oauth.parameters import Parameters
from everbearer.oauth.paths import PATHS

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CLIENT_AUTHENTICATION_TYPE = "client-authentication+jwt"
"""The explicit type of assertions that are made as RFC 10070 §4 wants it."""
LEEWAY = 60
"""Seconds by which the clocks of client and server may differ."""
LONGEST = 3600
"""Seconds that an assertion may be good for: so long has to be remembered that it was used."""
USED = "client assertion"
"""The purpose under which used assertions are remembered."""

ALGORITHMS_OF: Mapping[AuthMethod, tuple[str, ...]] = {
    AuthMethod.PRIVATE_KEY_JWT: ALGORITHMS,
    AuthMethod.SECRET_JWT: (SECRET_ALGORITHM,),
}
"""What assertions may be signed with, by method; never `none`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What a client asserts of itself. Nothing of it is proven yet."""

    client_id: str
    jwt: Unverified
    audiences: frozenset[str]
    """What this server is called at the endpoint that it was sent to."""


def has_assertion(parameters: Parameters) -> bool:
    """Return whether a request says that its client authenticates by assertion."""
    return "client_assertion" in parameters or "client_assertion_type" in parameters


def read_assertion(request: Request, parameters: Parameters, server: AuthorizationServer) -> Assertion:
    """Return the assertion in a request whose client uses no other method (RFC 7521 §4.2).

    Raises:
        InvalidRequest: `client_id` in the body names another client than the assertion does.
        InvalidClient: there is none, of this kind, that names a client.
    """
    # "The value of the "client_assertion_type" is "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"" (RFC 7523
    # §2.2).
    if parameters.get("client_assertion_type") != JWT_BEARER:
        raise InvalidClient(f"client_assertion_type must be {JWT_BEARER}")
    jwt = take_apart(parameters.get("client_assertion", ""))
    if jwt is None:
        raise InvalidClient("client_assertion is missing, or not a signed JWT")
    client_id = _text(jwt, "sub")
    # "The JWT MUST contain an "iss" (issuer) claim [...] For client authentication, the subject MUST be the "client_id"
    # of the OAuth client" (RFC 7523 §3), and the issuer is the same (OpenID Connect Core §9).
    if not client_id or jwt.claims.get("iss") != client_id:
        raise InvalidClient("iss and sub of client_assertion must both be the client_id")
    # "The "client_id" is unnecessary for client assertion authentication [...] If present, [it] MUST identify the same
    # client as is identified by the client assertion" (RFC 7521 §4.2).
    if parameters.get("client_id", client_id) != client_id:
        raise InvalidRequest("client_id in the body names another client than client_assertion does")
    return Assertion(client_id=client_id, jwt=jwt, audiences=_audiences(request, server))


async def check_assertion(assertion: Assertion, client: Client, server: AuthorizationServer) -> None:
    """Return if an assertion proves that it comes from the client it names, and use it up.

    Raises:
        InvalidClient: it does not, or did so once before.
        TemporarilyUnavailable: the client's keys cannot be fetched at this moment.
    """
    algs = ALGORITHMS_OF.get(client.token_endpoint_auth_method) if client.token_endpoint_auth_method else None
    if algs is None:
        raise InvalidClient(f"this client must authenticate by {_other_method(client)}")
    _check_header(assertion.jwt, client, algs)
    _check_audience(assertion, server)
    expires_at = _check_times(assertion.jwt, server.now())
    value = _use_of(assertion)
    try:
        await check_signature(assertion.jwt, client, server, name="client_assertion")
    except NotSigned as problem:
        raise InvalidClient(str(problem)) from None
    # Last: what is refused for another reason is not used up by it, and nobody else can use it up.
    if not await server.store.remember(USED, value, until=expires_at + LEEWAY):
        raise InvalidClient("client_assertion was used before: make a new one for each request")


def _text(jwt: Unverified, name: str) -> str:
    """Return a claim that is a text; empty where it is none, or holds what no store can look up."""
    value = jwt.claims.get(name)
    return value if isinstance(value, str) and value.isprintable() else ""


def _audiences(request: Request, server: AuthorizationServer) -> frozenset[str]:
    # RFC 10070 wants the issuer. "The token endpoint URL of the authorization server MAY be used" (RFC 7523 §3), and
    # clients in the field put in the endpoint that they call.
    parts = urlsplit(server.base)
    called = f"{parts.scheme}://{parts.netloc}{request.path}"
    return frozenset({server.issuer, server.base + PATHS["token_endpoint"], called})


def _other_method(client: Client) -> str:
    if client.public:
        return "client_id alone, for it is public"
    return str(client.token_endpoint_auth_method or "its secret")


def _check_header(jwt: Unverified, client: Client, algs: tuple[str, ...]) -> None:
    wanted = algorithm_named(client.token_endpoint_auth_signing_alg)
    allowed = algs if wanted is None else tuple(alg for alg in algs if alg == wanted)
    if algorithm_named(jwt.header.get("alg")) not in allowed:
        raise InvalidClient(f"client_assertion of this client must be signed with {' or '.join(allowed)}")
    # "If any of the listed extension Header Parameters are not understood and supported by the recipient, then the JWS
    # is invalid" (RFC 7515 §4.1.11).
    if "crit" in jwt.header:
        raise InvalidClient("client_assertion has a crit header, of which nothing is supported here")
    # A JWT that the same key signed for another purpose does not pass for an assertion (RFC 8725 §3.11).
    if jwt.typ not in {"", "jwt", CLIENT_AUTHENTICATION_TYPE}:
        raise InvalidClient(f"typ of client_assertion must be JWT or {CLIENT_AUTHENTICATION_TYPE}")


def _check_audience(assertion: Assertion, server: AuthorizationServer) -> None:
    named = assertion.jwt.claims.get("aud")
    names = cast("list[object]", named) if isinstance(named, list) else [named]
    # "The authorization server MUST reject any JWT that does not contain its issuer identifier as its sole audience
    # value" (RFC 10070 §4): so are those taken that say that they are made by it.
    if assertion.jwt.typ == CLIENT_AUTHENTICATION_TYPE:
        if names != [server.issuer]:
            raise InvalidClient(f"aud of client_assertion must be {server.issuer} alone")
    # What is good for another server as well, that one could use here.
    elif not names or not all(isinstance(name, str) and name in assertion.audiences for name in names):
        raise InvalidClient(f"aud of client_assertion must be {server.issuer}, and nothing that is not this server's")


def _check_times(jwt: Unverified, now: int) -> int:
    """Return the second in which an assertion expires, if that is neither past nor too far away."""
    expires_at = jwt.claims.get("exp")
    # "The JWT MUST contain an "exp" (expiration time) claim [...] Note that the authorization server may reject JWTs
    # with an "exp" claim value that is unreasonably far in the future" (RFC 7523 §3). Written so that no NaN passes.
    if not _is_number(expires_at) or not now - LEEWAY < expires_at <= now + LONGEST + LEEWAY:
        raise InvalidClient(f"client_assertion has expired, or has no exp, or one more than {LONGEST} seconds ahead")
    for name in ("iat", "nbf"):
        begins_at = jwt.claims.get(name, now)
        if not _is_number(begins_at) or not begins_at <= now + LEEWAY:
            raise InvalidClient(f"{name} of client_assertion is in the future: set the client's clock")
    return math.ceil(expires_at)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _use_of(assertion: Assertion) -> str:
    """Return what is remembered of an assertion that was used."""
    jti = _text(assertion.jwt, "jti")
    # "jti REQUIRED [...] These tokens MUST only be used once" (OpenID Connect Core §9).
    if not jti:
        raise InvalidClient("client_assertion has no jti: put in a random one that is new each time")
    return base64url(sha256(compact_json([assertion.client_id, jti])).digest())
