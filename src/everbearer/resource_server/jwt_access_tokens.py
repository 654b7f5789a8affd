"""Access tokens that are JWTs, validated by the issuer's published keys (RFC 9068 §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from everbearer.oauth.crypto.client_keys import ClientKey, algorithm_named, fitting, signed_by
from everbearer.oauth.crypto.jws import Unverified
from everbearer.resource_server.access_token import AccessToken, Expected, access_token
from everbearer.resource_server.errors import InvalidToken
from everbearer.resource_server.fetching import Steps
from everbearer.resource_server.kept import Kept

JWT_TYPE = "at+jwt"
_REQUIRED = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")
"""What every access token of this profile has (§2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtAccessTokens:
    """Validates JWTs as access tokens of an issuer."""

    expected: Expected
    algorithms: tuple[str, ...]
    """What they may be signed with; `none` and what needs a shared secret are never among them."""
    keys: Kept[tuple[ClientKey, ...]]
    now: Callable[[], int]

    def validate(self, jwt: Unverified) -> Steps[AccessToken]:
        """Return the access token that a JWT is.

        What costs nothing is checked first, so that a JWT that would be refused anyway makes nobody fetch keys.

        Raises:
            InvalidToken: it is none, or not one for this resource server at this time.
            TemporarilyUnavailable: the keys cannot be known at this moment.
        """
        self._check_header(jwt)
        missing = next((name for name in _REQUIRED if jwt.claims.get(name) is None), None)
        if missing is not None:
            raise InvalidToken(f"the access token has no {missing}")
        token = access_token(jwt.claims, self.expected, self.now())
        yield from self._check_signature(jwt)
        return token

    def _check_header(self, jwt: Unverified) -> None:
        # "The resource server MUST verify that the "typ" header value is "at+jwt" or "application/at+jwt" and reject
        # tokens carrying any other value" (§4): so no ID token passes for an access token. Media types have no case.
        if str(jwt.header.get("typ", "")).lower().removeprefix("application/") != JWT_TYPE:
            raise InvalidToken(f"the JWT is no access token: its typ is not {JWT_TYPE}")
        # "The resource server MUST reject any JWT in which the value of "alg" is "none"" (§4).
        if algorithm_named(jwt.header.get("alg")) not in self.algorithms:
            raise InvalidToken("the access token is signed with an algorithm that is not accepted here")
        # "If any of the listed extension Header Parameters are not understood and supported by the recipient, then the
        # JWS is invalid" (RFC 7515 §4.1.11).
        if "crit" in jwt.header:
            raise InvalidToken("the access token has a crit header, of which nothing is supported here")

    def _check_signature(self, jwt: Unverified) -> Steps[None]:
        # "The resource server MUST use the keys provided by the authorization server" (§4): no key that a header holds
        # or leads to.
        keys = yield from self.keys.get()
        if _is_signed(jwt, keys):
            return
        if "kid" in jwt.header and fitting(keys, jwt):
            raise InvalidToken("the signature of the access token is wrong")
        # The issuer may have a new key.
        if not _is_signed(jwt, (yield from self.keys.newer())):
            raise InvalidToken("the access token is not signed with a key of its issuer")


def _is_signed(jwt: Unverified, keys: Iterable[ClientKey]) -> bool:
    return signed_by(jwt, fitting(keys, jwt))
