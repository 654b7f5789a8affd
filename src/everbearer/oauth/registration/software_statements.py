"""Software statements: metadata of a client that somebody else signed (RFC 7591 §2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client_registration import ClientRegistration, StatementIssuer
from everbearer.oauth.crypto.client_keys import algorithm_named
from everbearer.oauth.crypto.issuer_signatures import is_signed_by_issuer
from everbearer.oauth.crypto.jws import Unverified, take_apart
from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.oauth.errors import InvalidClient, InvalidSoftwareStatement, UnapprovedSoftwareStatement

LEEWAY = 60
"""Seconds by which clocks may differ."""
_TYPES = frozenset({"", "jwt", "software-statement+jwt"})
_ABOUT_SOFTWARE = frozenset({"software_id", "client_name", "client_uri", "redirect_uris", "jwks", "jwks_uri"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """The members of a request, those of its software statement among them."""

    members: Mapping[str, object]
    issuer: str
    """Who signed the statement; empty where there is none."""


async def with_statement(
    members: Mapping[str, object], registration: ClientRegistration, server: AuthorizationServer
) -> Stated:
    """Return the members of a request with what its software statement says in their place.

    Raises:
        InvalidSoftwareStatement: it is malformed, expired or not signed by who it says.
        UnapprovedSoftwareStatement: nobody who is trusted here signed it, or there is none and must be one.
        TemporarilyUnavailable: the keys of its issuer cannot be fetched at this moment.
    """
    statement = members.get("software_statement")
    if statement in (None, ""):
        if registration.require_software_statement:
            raise UnapprovedSoftwareStatement("software_statement is missing: clients register here by one alone")
        return Stated(members=members, issuer="")
    jwt = take_apart(statement) if isinstance(statement, str) else None
    if jwt is None:
        raise InvalidSoftwareStatement("software_statement is not a signed JWT")
    issuer = _issuer(jwt, registration)
    _check_header(jwt)
    _check_times(jwt, server.now())
    await _check_signature(jwt, issuer, server)
    # "client metadata values conveyed in the software statement MUST take precedence over those conveyed using plain
    # JSON elements" (§3.1.1). Of the keys that came in either way, the statement's are the client's.
    own = {name: value for name, value in members.items() if name not in _replaced(jwt)}
    return Stated(members={**own, **jwt.claims, "software_statement": statement}, issuer=issuer.issuer)


def _replaced(jwt: Unverified) -> set[str]:
    keys = {"jwks", "jwks_uri"}
    return {*jwt.claims, *(keys if keys & jwt.claims.keys() else ())}


def _issuer(jwt: Unverified, registration: ClientRegistration) -> StatementIssuer:
    # "The software statement [...] MUST contain an "iss" (issuer) claim denoting the party attesting to the claims in
    # the software statement" (§2.3).
    named = jwt.claims.get("iss")
    for issuer in registration.statement_issuers:
        if issuer.issuer == named:
            return issuer
    raise UnapprovedSoftwareStatement("the iss of software_statement is nobody whose statements are taken here")


def _check_header(jwt: Unverified) -> None:
    if algorithm_named(jwt.header.get("alg")) not in ALGORITHMS:
        raise InvalidSoftwareStatement(f"software_statement must be signed with one of: {', '.join(ALGORITHMS)}")
    # "If any of the listed extension Header Parameters are not understood and supported by the recipient, then the JWS
    # is invalid" (RFC 7515 §4.1.11).
    if "crit" in jwt.header:
        raise InvalidSoftwareStatement("software_statement has a crit header, of which nothing is supported here")
    # What its issuer signed for another purpose, such as an ID token, is no statement (RFC 8725 §3.11).
    kind = str(jwt.header.get("typ", "")).lower().removeprefix("application/")
    if kind not in _TYPES or not jwt.claims.keys() & _ABOUT_SOFTWARE:
        raise InvalidSoftwareStatement("software_statement is a JWT for something else: it says nothing of a client")


def _check_times(jwt: Unverified, now: int) -> None:
    for name in ("exp", "nbf", "iat"):
        at = jwt.claims.get(name, now)
        is_number = isinstance(at, int | float) and not isinstance(at, bool)
        # Written so that no NaN passes.
        if not is_number or not (now - LEEWAY < at if name == "exp" else at <= now + LEEWAY):
            raise InvalidSoftwareStatement(f"software_statement has expired or is not valid yet, by its {name}")


async def _check_signature(jwt: Unverified, issuer: StatementIssuer, server: AuthorizationServer) -> None:
    try:
        signed = await is_signed_by_issuer(jwt, server, jwks=issuer.jwks, jwks_uri=issuer.jwks_uri)
    except InvalidClient as problem:
        raise InvalidSoftwareStatement(
            "the keys of the issuer of software_statement cannot be had", reason=problem.description
        ) from None
    if not signed:
        raise InvalidSoftwareStatement("software_statement is not signed with a key of its issuer")
