"""Request objects: authorization requests as JWTs, by value or by reference (RFC 9101, OpenID Connect Core §6).

What stands in a request object counts before what stands beside it. Of a request as RFC 9101 describes it, nothing
beside it counts; of one as OpenID Connect Core does, with `scope=openid` outside, what the object leaves out counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

from everbearer.oauth.authorization.request_uris import is_own, request_object_at, resume, resumption_of
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.clients.assertions import LEEWAY
from everbearer.oauth.crypto.client_keys import algorithm_named
from everbearer.oauth.crypto.client_signatures import SECRET_ALGORITHM, NotSigned, check_signature
from everbearer.oauth.crypto.jws import Unverified, take_apart
from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.oauth.errors import (
    InvalidClient,
    InvalidRequest,
    InvalidRequestObject,
    OAuthError,
    RequestNotSupported,
)
from everbearer.oauth.parameters import MAY_REPEAT, Parameters, printable
from everbearer.oauth.scope import OPENID

REQUEST_OBJECT_TYPE = "oauth-authz-req+jwt"
UNSIGNED = "none"
LONGEST = 16 * 1024
"""Characters of a request object. What it asks for goes through the browser while the user signs in."""

_OF_JWTS = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
"""What a JWT says of itself, and no parameter has as its name (RFC 9101 §9.1)."""
_OF_OBJECTS = frozenset({"claims", "registration", "authorization_details"})
"""Parameters that are JSON themselves, and stand in a request object as such (OpenID Connect Core §5.5)."""
_JWE_DOTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an authorization request asks for, wherever that stood."""

    parameters: Parameters
    resumption: Parameters
    """What asks for the same once more: the parameters themselves, or what was checked of a request object, sealed."""
    refused: OAuthError | None = None
    """What is wrong with a request object that the client made."""


async def read_request_object(parameters: Parameters, client: Client, server: AuthorizationServer) -> Asked:
    """Return what a request asks for, out of its request object where it has one.

    Raises:
        OAuthError: it has none and must, or one that is not known to be the client's.
    """
    uri = parameters.get("request_uri")
    if uri is not None and is_own(uri):
        return Asked(parameters=resume(uri, client, server), resumption=parameters)
    if "request" not in parameters and uri is None:
        # "the server MUST reject the authorization request from the client that does not conform to this specification"
        # (RFC 9101 §10.5).
        if client.require_signed_request_object:
            raise InvalidRequest("this client must send a signed request object, as request or request_uri (RFC 9101)")
        return Asked(parameters=parameters, resumption=parameters)
    # "If this parameter is present in the authorization request, request_uri MUST NOT be present" (§5).
    if "request" in parameters and uri is not None:
        raise InvalidRequest("request and request_uri are both sent; send one of them")
    text = parameters["request"] if uri is None else await request_object_at(uri, client, server)
    claims = await _verified(text, client, server)
    asked = _assembled(parameters, _parameters_of(claims), client)
    return Asked(
        parameters=asked,
        resumption=resumption_of(asked, client, server),
        refused=_problem(claims, parameters, client, server),
    )


async def _verified(text: str, client: Client, server: AuthorizationServer) -> Mapping[str, Any]:
    if not _may_send(client, server):
        raise RequestNotSupported(
            "this client cannot sign request objects: register its keys, or send plain parameters"
        )
    if len(text) > LONGEST:
        raise InvalidRequestObject(f"the request object is longer than {LONGEST} characters")
    if text.count(".") == _JWE_DOTS:
        raise InvalidRequestObject("the request object is encrypted, which is not supported; sign it only")
    jwt = take_apart(text)
    if jwt is None:
        raise InvalidRequestObject("the request object is not a JWT")
    _check_header(jwt, client, server)
    if jwt.header["alg"] == UNSIGNED:
        return jwt.claims
    try:
        await check_signature(jwt, client, server, name="the request object")
    except NotSigned as problem:
        raise InvalidRequestObject(str(problem)) from None
    except InvalidClient as error:
        raise InvalidRequestObject(error.description, reason=error.reason) from None
    return jwt.claims


def _may_send(client: Client, server: AuthorizationServer) -> bool:
    signs = client.jwks or client.jwks_uri or client.sealed_secrets
    return bool(signs) or _may_send_unsigned(client, server)


def _may_send_unsigned(client: Client, server: AuthorizationServer) -> bool:
    registered = client.request_object_signing_alg
    allowed = registered == UNSIGNED or (not registered and server.profile.unsigned_request_objects)
    return allowed and not client.require_signed_request_object


def _check_header(jwt: Unverified, client: Client, server: AuthorizationServer) -> None:
    alg = algorithm_named(jwt.header.get("alg"))
    if alg == UNSIGNED:
        _check_unsigned(jwt, client, server)
    elif alg not in _algorithms(client):
        raise InvalidRequestObject(
            f"the request object of this client must be signed with {' or '.join(_algorithms(client)) or 'nothing'}"
        )
    # "If any of the listed extension Header Parameters are not understood and supported by the recipient, then the JWS
    # is invalid" (RFC 7515 §4.1.11).
    if "crit" in jwt.header:
        raise InvalidRequestObject("the request object has a crit header, of which nothing is supported here")
    # What the same key signed for another purpose does not pass for a request object (RFC 8725 §3.11).
    if jwt.typ not in {"", "jwt", REQUEST_OBJECT_TYPE}:
        raise InvalidRequestObject(f"typ of the request object must be {REQUEST_OBJECT_TYPE} or JWT")


def _check_unsigned(jwt: Unverified, client: Client, server: AuthorizationServer) -> None:
    if jwt.signature or not _may_send_unsigned(client, server):
        raise InvalidRequestObject("the request object is not signed; sign it with a key of this client")


def _algorithms(client: Client) -> tuple[str, ...]:
    algs = (*ALGORITHMS, *((SECRET_ALGORITHM,) if client.sealed_secrets else ()))
    wanted = algorithm_named(client.request_object_signing_alg)
    return tuple(alg for alg in algs if wanted in ("", alg))


def _parameters_of(claims: Mapping[str, Any]) -> Parameters:
    # "request and request_uri parameters MUST NOT be included in Request Objects" (OpenID Connect Core §6.1).
    for name in ("request", "request_uri"):
        if name in claims:
            raise InvalidRequestObject(f"the request object holds {name}, which it must not")
    single: dict[str, str] = {}
    repeated: dict[str, tuple[str, ...]] = {}
    for name, value in claims.items():
        if name in _OF_JWTS:
            continue
        values = tuple(_texts(name, value)) if _text(name, name) else ()
        if values and name in MAY_REPEAT:
            repeated[name] = values
        # "Parameters sent without a value MUST be treated as if they were omitted from the request" (RFC 6749 §3.1).
        if values:
            single[name] = values[-1]
    return Parameters(single, repeated)


def _texts(name: str, value: object) -> list[str]:
    many = cast("list[object]", value) if name in MAY_REPEAT and isinstance(value, list) else [value]
    return [text for text in (_text(name, each) for each in many) if text]


def _text(name: str, value: object) -> str:
    try:
        if value is None or isinstance(value, str):
            return printable(value or "")
        # "numerical values are included as JSON numbers" (RFC 9101 §4).
        if isinstance(value, int):
            return json.dumps(value)
        if name in _OF_OBJECTS and isinstance(value, dict | list):
            return printable(json.dumps(value, ensure_ascii=False))
    except (InvalidRequest, RecursionError):
        raise InvalidRequestObject(f"{name[:40]} in the request object is no text, or nested too deep") from None
    raise InvalidRequestObject(f"{name[:40]} in the request object must be a string")


def _of_openid(outside: Parameters, client: Client) -> bool:
    # "a scope parameter MUST always be passed using the OAuth 2.0 request syntax containing the openid scope value to
    # indicate to the underlying OAuth 2.0 logic that this is an OpenID Connect request" (OpenID Connect Core §6.1).
    return OPENID in outside.get("scope", "").split() and not client.require_signed_request_object


def _assembled(outside: Parameters, inside: Parameters, client: Client) -> Parameters:
    # "the authorization server supporting this specification MUST only use the parameters included in the Request
    # Object" (RFC 9101 §5).
    if not _of_openid(outside, client):
        return inside
    # "the OpenID Connect request parameter values contained in the JWT supersede those passed using the OAuth 2.0
    # request syntax" (OpenID Connect Core §6.1).
    merged = {name: value for name, value in outside.items() if name not in {"request", "request_uri"}}
    every = {name: inside.every(name) or outside.every(name) for name in MAY_REPEAT}
    return Parameters({**merged, **inside}, {name: values for name, values in every.items() if values})


def _problem(
    claims: Mapping[str, Any], outside: Parameters, client: Client, server: AuthorizationServer
) -> OAuthError | None:
    """Return what is wrong with what a request object says of itself and of the request that it came with."""
    problem = _of_parties(claims, outside, client, server) or _of_times(claims, server.now())
    return InvalidRequestObject(problem) if problem else None


def _of_parties(claims: Mapping[str, Any], outside: Parameters, client: Client, server: AuthorizationServer) -> str:
    of_openid = _of_openid(outside, client)
    # "The client ID values in the client_id request parameter and in the Request Object client_id claim MUST be
    # identical" (RFC 9101 §6.3); of OpenID requests "MUST match those in the Request Object, if present" (Core §6.1).
    if claims.get("client_id", client.client_id if of_openid else None) != client.client_id:
        return "client_id in the request object must be that of the request"
    if of_openid and claims.get("response_type", outside.get("response_type")) != outside.get("response_type"):
        return "response_type in the request object is not that of the request; send the same in both"
    if claims.get("iss", client.client_id) != client.client_id:
        return "iss of the request object must be the client_id"
    named = claims.get("aud", server.issuer)
    if server.issuer not in (cast("list[object]", named) if isinstance(named, list) else [named]):
        return f"aud of the request object must be {server.issuer}"
    # Who sees it pass through the browser could authenticate by it: "A simple way to prevent this is to never use the
    # client ID as the sub value in a Request Object" (RFC 9101 §10.8).
    return "sub of the request object must not be the client_id" if claims.get("sub") == client.client_id else ""


def _of_times(claims: Mapping[str, Any], now: int) -> str:
    # Written so that no NaN passes.
    expires_at = claims.get("exp", now)
    if not _is_number(expires_at) or not now - LEEWAY < expires_at:
        return "the request object has expired; make a new one for each request"
    for name in ("iat", "nbf"):
        begins_at = claims.get(name, now)
        if not _is_number(begins_at) or not begins_at <= now + LEEWAY:
            return f"{name} of the request object is in the future: set the client's clock"
    return ""


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
