"""What an application has to say about tokens before they are minted: their scope, their claims, their answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from everbearer.oauth.arguments import check_fields
from everbearer.oauth.client import Client
from everbearer.oauth.errors import InvalidScope
from everbearer.oauth.models import Grant
from everbearer.oauth.resource import Target
from everbearer.oauth.scope import Scope

NOTHING: Mapping[str, object] = MappingProxyType({})
OF_TOKENS = frozenset(
    {"iss", "sub", "aud", "client_id", "iat", "nbf", "exp", "jti", "scope", "auth_time", "amr", "acr", "cnf"}
)
"""What the server says itself in each access token, and nothing else in its stead."""
_ALSO_OURS = frozenset({"act"})
"""What it says itself where a token was exchanged (RFC 8693 §4.1)."""
_OF_ANSWERS = frozenset(
    {
        *("access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token", "issued_token_type"),
        *("refresh_token_timeout", "authorization_expires_in", "error", "error_description", "error_uri"),
    }
)
"""What the server says itself in each answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance:
    """Tokens that are about to be minted."""

    client: Client
    grant_type: str
    """That of the token request; `implicit` for an access token that goes by way of the browser."""
    subject: str
    """The user, as the server knows them; the client's own id where there is none."""
    scope: Scope
    """What was granted, as far as it is asked for; the access token reaches what `target` takes of it."""
    target: Target | None
    """The resources that the access token is for (RFC 8707); None where it is for none in particular."""
    grant: Grant | None
    """As it will be; None where the tokens are of no grant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuanceHooks:
    """Functions of an application's own. Each may refuse by raising an `OAuthError`: nothing is spent yet."""

    finalize_scopes: Callable[[Issuance], Awaitable[Scope]] | None = None
    """Is asked at every grant what of its scope tokens reach. It may leave out values; it can add none, and where it
    leaves none the request is refused. The grant keeps its scope, and a refresh asks again."""
    access_token_claims: Callable[[Issuance], Awaitable[Mapping[str, object]]] | None = None
    """Returns what access tokens say besides, in claims that JSON has words for; what the server says itself stays."""
    token_response_members: Callable[[Issuance], Awaitable[Mapping[str, object]]] | None = None
    """Returns further members of the token endpoint's answer (RFC 6749 §8.2)."""

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the hooks said of tokens."""

    scope: Scope
    """What tokens reach: never more than without them."""
    target: Target | None
    claims: Mapping[str, object] = field(default_factory=lambda: NOTHING)
    """What the access token says besides."""
    members: Mapping[str, object] = field(default_factory=lambda: NOTHING)
    """What the answer says besides."""


async def ask_hooks(issuance: Issuance, hooks: IssuanceHooks | None) -> Said:
    """Return what the application's functions say of tokens that are about to be minted."""
    if hooks is None:
        return Said(scope=issuance.scope, target=issuance.target)
    if hooks.finalize_scopes is not None:
        issuance = _narrowed(issuance, await hooks.finalize_scopes(issuance))
    claims = await hooks.access_token_claims(issuance) if hooks.access_token_claims else NOTHING
    members = await hooks.token_response_members(issuance) if hooks.token_response_members else NOTHING
    return Said(
        scope=issuance.scope,
        target=issuance.target,
        claims=_without(claims, OF_TOKENS | _ALSO_OURS),
        members=_without(members, _OF_ANSWERS),
    )


async def ask_for_access(issuance: Issuance, hooks: IssuanceHooks | None) -> Said:
    """Do as `ask_hooks` does, for the token endpoint, which answers with an access token always.

    Raises:
        InvalidScope: they leave nothing of its scope.
    """
    said = await ask_hooks(issuance, hooks)
    reached = said.target.scope if said.target else said.scope
    # "If the issued access token scope is different from the one requested by the client, the authorization server MUST
    # include the "scope" response parameter" (RFC 6749 §3.3), which has no word for nothing.
    if issuance.scope and not reached:
        raise InvalidScope("nothing of this scope is given to this client and user")
    return said


def _narrowed(issuance: Issuance, final: Scope) -> Issuance:
    # What a user has not allowed, no function can.
    scope, target = tuple(value for value in issuance.scope if value in final), issuance.target
    if target is not None:
        target = replace(target, scope=tuple(value for value in target.scope if value in final))
    return replace(issuance, scope=scope, target=target)


def _without(members: Mapping[str, object], reserved: frozenset[str]) -> Mapping[str, object]:
    return {name: value for name, value in members.items() if name not in reserved} if members else NOTHING
