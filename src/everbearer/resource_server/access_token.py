"""What a valid access token says, by whichever way it was asked: as a JWT (RFC 9068) or by introspection (RFC 7662)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from everbearer.oauth.scope import Scope
from everbearer.resource_server.errors import InvalidToken


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A valid access token: what it says, and not its text."""

    issuer: str
    subject: str
    """The user as the client knows them, or the client itself where no user takes part; empty where the issuer's
    introspection does not tell."""
    client_id: str
    """Who the token was issued to; empty where the issuer's introspection does not tell."""
    scope: Scope
    audience: tuple[str, ...]
    expires_at: int | None = None
    issued_at: int | None = None
    auth_time: int | None = None
    """When the user signed in (RFC 9068 §2.2.1)."""
    acr: str = ""
    """What the sign-in was worth (RFC 9068 §2.2.1)."""
    token_id: str = ""
    """Its `jti`."""
    claims: Mapping[str, Any] = field(repr=False)
    """All that it says, those of your own included."""

    def has(self, *scope: str) -> bool:
        """Return whether its scope has all these values."""
        return all(value in self.scope for value in scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Whose tokens are taken, for whom, and how far clocks may differ."""

    issuer: str
    audience: tuple[str, ...]
    """The names of this resource server; one of them will do."""
    leeway: int


def access_token(claims: Mapping[str, Any], expected: Expected, now: int) -> AccessToken:
    """Return the token that has these claims, of which `aud` alone must be there (RFC 9068 §4).

    Raises:
        InvalidToken: it is another issuer's, for somebody else, not good at this time, or bound to a key.
    """
    # "The issuer identifier for the authorization server [...] MUST exactly match the value of the "iss" claim" (§4).
    if claims.get("iss", expected.issuer) != expected.issuer:
        raise InvalidToken("the access token is not of the issuer that this resource server trusts")
    audience = _audience(claims)
    # "The JWT access token MUST be rejected if "aud" does not contain a resource indicator of the current resource
    # server as a valid audience" (§4).
    if not any(name in expected.audience for name in audience):
        raise InvalidToken("the access token is not for this resource server: its audience is another")
    # A "protected resource MUST reject a DPoP-bound access token received as a bearer token" (RFC 9449 §7.2), and one
    # that is bound to a certificate too: whoever sends it has not shown that it is his.
    if claims.get("cnf") is not None:
        raise InvalidToken("the access token is bound to a key; this resource server takes bearer tokens alone")
    _check_times(claims, expected.leeway, now)
    return AccessToken(
        issuer=expected.issuer,
        subject=_text(claims, "sub"),
        client_id=_text(claims, "client_id"),
        scope=tuple(dict.fromkeys(_text(claims, "scope").split())),
        audience=audience,
        expires_at=_moment(claims, "exp"),
        issued_at=_moment(claims, "iat"),
        auth_time=_moment(claims, "auth_time"),
        acr=_text(claims, "acr"),
        token_id=_text(claims, "jti"),
        claims=claims,
    )


def _check_times(claims: Mapping[str, Any], leeway: int, now: int) -> None:
    expires_at = _moment(claims, "exp")
    # "The current time MUST be before the time represented by the "exp" claim. Implementers MAY provide for some small
    # leeway, usually no more than a few minutes, to account for clock skew" (§4).
    if expires_at is not None and not now < expires_at + leeway:
        raise InvalidToken("the access token has expired")
    for name in ("nbf", "iat"):
        begins_at = _moment(claims, name)
        if begins_at is not None and begins_at > now + leeway:
            raise InvalidToken(f"the access token is not valid yet: its {name} is in the future")


def _audience(claims: Mapping[str, Any]) -> tuple[str, ...]:
    named: object = claims.get("aud")
    names = cast("list[object]", named) if isinstance(named, list) else [named]
    return tuple(name for name in names if isinstance(name, str))


def _text(claims: Mapping[str, Any], name: str) -> str:
    value: object = claims.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidToken(f"the access token has a claim that is not a text: {name}")
    return value or ""


def _moment(claims: Mapping[str, Any], name: str) -> int | None:
    value: object = claims.get(name)
    if value is None:
        return None
    # Written so that no NaN passes, and no infinity, which JSON as it is read in Python may hold.
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise InvalidToken(f"the access token has a claim that is not a time: {name}")
    return int(value)
