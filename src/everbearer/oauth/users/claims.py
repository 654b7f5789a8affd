"""Claims about users: which a scope asks for, which a request asks for by name, and who may see them.

OpenID Connect Core §5.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar, cast

from everbearer.oauth.authorization_server import CLAIMS_OF_SCOPE as CLAIMS_OF_SCOPE
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.errors import InvalidRequest
from everbearer.oauth.models import AskedClaims, Grant, RequestedClaims
from everbearer.oauth.scope import Scope

T = TypeVar("T")

NO_CLAIMS: Mapping[str, object] = MappingProxyType({})

LONGEST_CLAIMS_PARAMETER = 4096
"""Characters. What it asks for is kept with the grant."""
MOST_OBJECTS = 200
"""How many objects and arrays it may hold: far fewer than a parser can bear nested."""
OF_THE_PROTOCOL = frozenset(
    {
        *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "acr", "amr", "azp", "sid"),
        *("at_hash", "c_hash", "s_hash", "client_id", "scope", "cnf"),
    }
)
"""What the server says itself, and no user's claims in its stead."""

_ANY: tuple[str, ...] = ()
"""Any value of a claim will do."""
_NOTHING_REQUESTED = RequestedClaims()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsParameter:
    """A `claims` parameter that was read (§5.5)."""

    requested: RequestedClaims
    subjects: tuple[str, ...] = ()
    """The users it says it is for, as its client knows them: only they will do."""
    required_acr: tuple[str, ...] = ()
    """Of these the sign-in must be; empty where none is required."""


def read_claims_parameter(text: str) -> ClaimsParameter:
    """Return what a `claims` parameter asks for, whoever may have it.

    Raises:
        InvalidRequest: it is not what §5.5 describes.
    """
    if len(text) > LONGEST_CLAIMS_PARAMETER or text.count("{") + text.count("[") > MOST_OBJECTS:
        raise InvalidRequest(f"claims is longer than {LONGEST_CLAIMS_PARAMETER} characters, or asks for too much")
    try:
        document: object = json.loads(text)
    except ValueError:
        document = None
    # "Other members MAY be present. Any members used that are not understood MUST be ignored" (§5.5).
    places = _object(document, "claims")
    userinfo = _asked(places, "userinfo")
    id_token = _asked(places, "id_token")
    subjects = [value for asked in (userinfo, id_token) for value in _texts(asked.get("sub", ()), "sub")]
    return ClaimsParameter(
        requested=RequestedClaims(userinfo=_of_users(userinfo), id_token=_of_users(id_token)),
        subjects=tuple(dict.fromkeys(subjects)),
        required_acr=_required_acr(places, id_token),
    )


def within_reach(requested: RequestedClaims, client: Client, server: AuthorizationServer) -> RequestedClaims | None:
    """Return what of the claims its client may have, None where that is nothing: those of scope values it may ask for.

    No error is made of the others: "the Authorization Server MUST NOT generate an error when Claims are not returned,
    whether they are Essential or Voluntary" (§5.5.1).
    """
    userinfo = _reached(requested.userinfo, client, server)
    id_token = _reached(requested.id_token, client, server)
    if not (userinfo or id_token or requested.locales):
        return None
    return RequestedClaims(userinfo=userinfo, id_token=id_token, locales=requested.locales)


def scope_of_claims(requested: RequestedClaims | None, client: Client, server: AuthorizationServer) -> Scope:
    """Return the scope values under which users know the claims that are asked for by name."""
    names = (*requested.userinfo, *requested.id_token) if requested else ()
    values = (_scope_value_of(_plain(name), client, server) for name in names)
    return tuple(dict.fromkeys(value for value in values if value is not None))


def userinfo_claims(
    claims: Mapping[str, object], scope: Scope, grant: Grant, client: Client, server: AuthorizationServer
) -> dict[str, object]:
    """Return what a client may see at userinfo: all for a first party, else what scope and request ask for."""
    asked = dict.fromkeys(claims, _ANY) if client.first_party else _of_scope(scope, client, server)
    if grant.claims is None:
        return _shown(claims, asked, ())
    return _shown(claims, {**_reached(grant.claims.userinfo, client, server), **asked}, grant.claims.locales)


async def id_token_claims(
    grant: Grant, scope: Scope, client: Client, server: AuthorizationServer, *, alone: bool = False
) -> Mapping[str, object]:
    """Return the user's claims for the ID token: those that the request asked for there, and that its client has there.

    Other claims of a scope are for userinfo "when a response_type value is used that results in an Access Token being
    issued. However, when no Access Token is issued [...], the resulting Claims are returned in the ID Token" (§5.4):
    it comes `alone`.
    """
    requested = grant.claims or _NOTHING_REQUESTED
    if not requested.id_token and not client.id_token_claims and not alone:
        return NO_CLAIMS
    claims = await server.claims(grant.subject) or {}
    asked = {**_reached(requested.id_token, client, server), **_always_there(claims, scope, client, server)}
    if alone:
        asked |= _of_scope(scope, client, server)
    return _of_users(_shown(claims, asked, requested.locales))


def _always_there(
    claims: Mapping[str, object], scope: Scope, client: Client, server: AuthorizationServer
) -> AskedClaims:
    within = claims if client.first_party else _of_scope(scope, client, server)
    return {name: _ANY for name in client.id_token_claims if name in within}


def _of_scope(scope: Scope, client: Client, server: AuthorizationServer) -> AskedClaims:
    return {name: _ANY for value in scope if value in client.scope for name in _given(value, client, server)}


def _given(scope_value: str, client: Client, server: AuthorizationServer) -> tuple[str, ...]:
    """Return the claims that a scope value gives a client."""
    own = client.claims.get(scope_value)
    return server.claims_of_scope.get(scope_value, ()) if own is None else own


def _scope_value_of(name: str, client: Client, server: AuthorizationServer) -> str | None:
    """Return the first scope value that a client may ask for and that gives it a claim; None where none does."""
    return next((value for value in client.scope if name in _given(value, client, server)), None)


def _reached(asked: AskedClaims, client: Client, server: AuthorizationServer) -> AskedClaims:
    """Return what of the claims that are asked for by name a client may have."""
    if client.first_party:
        return asked
    return {name: asked[name] for name in asked if _scope_value_of(_plain(name), client, server) is not None}


def _object(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise InvalidRequest(f"{what} must be a JSON object")
    return cast("Mapping[str, object]", value)


def _asked(places: Mapping[str, object], place: str) -> AskedClaims:
    return {name: _values(member, name) for name, member in _members(places, place).items()}


def _members(places: Mapping[str, object], place: str) -> Mapping[str, object]:
    members = places.get(place)
    return {} if members is None else _object(members, f"{place} in claims")


def _values(member: object, name: str) -> tuple[str, ...]:
    """Return the values of a claim that will do, as JSON; none where any will."""
    if member is None:
        return ()
    asked = _object(member, f"claims: {name[:40]}")
    values = asked.get("values", [])
    if not isinstance(values, list) or not isinstance(asked.get("essential", False), bool):
        raise InvalidRequest(f"claims: {name[:40]}: values must be an array, essential true or false")
    listed = cast("list[object]", values)
    return tuple(_text(value) for value in (*([asked["value"]] if "value" in asked else []), *listed))


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _texts(values: Iterable[str], name: str) -> tuple[str, ...]:
    parsed = [json.loads(value) for value in values]
    if not all(isinstance(value, str) for value in parsed):
        raise InvalidRequest(f"claims: {name}: values must be strings")
    return tuple(parsed)


def _required_acr(places: Mapping[str, object], id_token: AskedClaims) -> tuple[str, ...]:
    values = _texts(id_token.get("acr", ()), "acr")
    asked = _members(places, "id_token").get("acr")
    essential = isinstance(asked, dict) and cast("dict[str, object]", asked).get("essential") is True
    return values if essential else ()


def _of_users(named: Mapping[str, T]) -> dict[str, T]:
    # Half a surrogate pair can be written in JSON, and stored nowhere: no name that cannot be printed names a claim.
    return {name: named[name] for name in named if name not in OF_THE_PROTOCOL and name.isprintable()}


def _plain(name: str) -> str:
    """Return a claim's name without its language tag (§5.2)."""
    return name.partition("#")[0]


def _shown(claims: Mapping[str, object], asked: AskedClaims, locales: Collection[str]) -> dict[str, object]:
    # "If a Claim is not returned, that Claim Name SHOULD be omitted [...]; it SHOULD NOT be present with a null or
    # empty string value" (§5.3.2).
    return {
        name: value
        for name, value in claims.items()
        if value not in (None, "") and _will_do(name, value, asked, locales)
    }


def _will_do(name: str, value: object, asked: AskedClaims, locales: Collection[str]) -> bool:
    plain, _, tag = name.partition("#")
    values = asked.get(name)
    if values is None and _speaks(tag, locales):
        values = asked.get(plain)
    return values is not None and (not values or _text(value) in values)


def _speaks(tag: str, locales: Collection[str]) -> bool:
    # "Language tag values used in Claim Names [are] case insensitive" (§5.2); a range stands for all that it begins.
    lower = tag.lower()
    return any(lower == locale.lower() or lower.startswith(f"{locale.lower()}-") for locale in locales)
