"""Claims about users: which a scope asks for, which a request asks for by name, and who may see them.

OpenID Connect Core §5.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.errors import InvalidRequest
from everbearer.oauth.models import AskedClaims, Grant, RequestedClaims
from everbearer.oauth.scope import Scope

CLAIMS_OF_SCOPE: Mapping[str, tuple[str, ...]] = {
    "profile": (
        *("name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile"),
        *("picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"),
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
"""Which claims a scope value asks for (§5.4)."""
SCOPE_OF_CLAIM: Mapping[str, str] = {name: value for value, names in CLAIMS_OF_SCOPE.items() for name in names}

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


def within_reach(requested: RequestedClaims, client: Client) -> RequestedClaims | None:
    """Return what of the claims its client may have, None where that is nothing: those of scope values it may ask for.

    No error is made of the others: "the Authorization Server MUST NOT generate an error when Claims are not returned,
    whether they are Essential or Voluntary" (§5.5.1).
    """
    userinfo = {name: values for name, values in requested.userinfo.items() if _may_have(client, name)}
    id_token = {name: values for name, values in requested.id_token.items() if _may_have(client, name)}
    if not (userinfo or id_token or requested.locales):
        return None
    return RequestedClaims(userinfo=userinfo, id_token=id_token, locales=requested.locales)


def scope_of_claims(requested: RequestedClaims | None) -> Scope:
    """Return the scope values under which users know the claims that are asked for by name."""
    names = (*requested.userinfo, *requested.id_token) if requested else ()
    values = (SCOPE_OF_CLAIM.get(_plain(name)) for name in names)
    return tuple(dict.fromkeys(value for value in values if value is not None))


def userinfo_claims(claims: Mapping[str, object], scope: Scope, grant: Grant, client: Client) -> dict[str, object]:
    """Return what a client may see at userinfo: all for a first party, else what scope and request ask for."""
    requested = grant.claims or RequestedClaims()
    of_scope: AskedClaims = {name: () for value in scope for name in CLAIMS_OF_SCOPE.get(value, ())}
    everything: AskedClaims = dict.fromkeys(claims, ()) if client.first_party else {}
    return _shown(claims, {**requested.userinfo, **of_scope, **everything}, requested.locales, client)


async def id_token_claims(grant: Grant, client: Client, server: AuthorizationServer) -> Mapping[str, object]:
    """Return the user's claims for the ID token: those that the request asked for there.

    Claims of a scope are for userinfo alone "when a response_type value is used that results in an Access Token being
    issued" (§5.4), and here each is.
    """
    if grant.claims is None or not grant.claims.id_token:
        return NO_CLAIMS
    claims = await server.claims(grant.subject)
    return _shown(claims or {}, grant.claims.id_token, grant.claims.locales, client)


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


def _of_users(asked: AskedClaims) -> AskedClaims:
    # Half a surrogate pair can be written in JSON, and stored nowhere: no name that cannot be printed names a claim.
    return {name: asked[name] for name in asked if name not in OF_THE_PROTOCOL and name.isprintable()}


def _may_have(client: Client, name: str) -> bool:
    return client.first_party or SCOPE_OF_CLAIM.get(_plain(name)) in client.scope


def _plain(name: str) -> str:
    """Return a claim's name without its language tag (§5.2)."""
    return name.partition("#")[0]


def _shown(
    claims: Mapping[str, object], asked: AskedClaims, locales: Collection[str], client: Client
) -> dict[str, object]:
    # "If a Claim is not returned, that Claim Name SHOULD be omitted [...]; it SHOULD NOT be present with a null or
    # empty string value" (§5.3.2).
    return {
        name: value
        for name, value in claims.items()
        if value not in (None, "") and _may_have(client, name) and _will_do(name, value, asked, locales)
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
