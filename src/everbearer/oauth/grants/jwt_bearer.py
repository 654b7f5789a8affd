"""The JWT bearer grant (RFC 7523 §2.1): a JWT that a trusted issuer signed stands for a grant, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from everbearer.oauth.arguments import check_arguments, refuse
from everbearer.oauth.authorization.granting import prepare_grant, store_prepared
from everbearer.oauth.authorization_server import AuthorizationServer, TokenRequest
from everbearer.oauth.clients.use import note_use
from everbearer.oauth.crypto.issuer_rules import issuer_problems
from everbearer.oauth.errors import InvalidGrant
from everbearer.oauth.lifetimes import SERVER
from everbearer.oauth.models import Authentication, Ended, EndReason
from everbearer.oauth.scope import OFFLINE_ACCESS, OPENID, Scope, narrow
from everbearer.oauth.token_response import TokenResponse
from everbearer.oauth.tokens.ending import end_grant
from everbearer.oauth.tokens.issuing import issue_own_token
from everbearer.oauth.tokens.resource_indicators import target_of_client
from everbearer.oauth.trusted_issuers import LEEWAY, Asserted, SubjectIs, TrustedIssuer, read_asserted
from everbearer.oauth.users.subjects import require_subjects

USED = "assertion"
"""The purpose under which used assertions are remembered."""

UserOf: TypeAlias = Callable[[Asserted], Awaitable[Authentication | None]]
"""Returns the user whom an assertion is about; None where there is no such user, or none who may have access."""


async def no_user(asserted: Asserted) -> None:
    """Know nobody: only external subjects have access."""


def jwt_bearer_grant(
    issuers: Iterable[TrustedIssuer], user_of: UserOf = no_user
) -> Callable[[TokenRequest, AuthorizationServer], Awaitable[TokenResponse]]:
    """Return the grant that takes assertions of these issuers, by their names.

    Raises:
        ValueError: it cannot be made of these; the message says what to change.
    """
    check_arguments(jwt_bearer_grant, issuers=issuers, user_of=user_of)
    trusted = tuple(issuers)
    check_arguments(jwt_bearer_grant, issuers=trusted)
    refuse(problem for issuer in trusted for problem in _problems(issuer))
    by_name = {issuer.issuer: issuer for issuer in trusted}

    async def grant(request: TokenRequest, server: AuthorizationServer) -> TokenResponse:
        text = request.parameters.require("assertion")
        asserted = await read_asserted(text, by_name, request.client.client_id, server)
        if await server.store.remembers(USED, asserted.use):
            raise _used_before()
        if asserted.issuer.subject_is is SubjectIs.EXTERNAL:
            return await _for_external(asserted, request, server)
        return await _for_user(asserted, request, user_of, server)

    return grant


def _problems(issuer: TrustedIssuer) -> Iterator[str]:
    yield from issuer_problems(issuer.issuer, jwks=issuer.jwks, jwks_uri=issuer.jwks_uri)
    if issuer.longest < 1:
        yield f"{issuer.issuer!r}: longest is {issuer.longest}: it must be at least 1 second"


async def _for_user(
    asserted: Asserted, request: TokenRequest, user_of: UserOf, server: AuthorizationServer
) -> TokenResponse:
    require_subjects(request.client, server)
    authentication = await user_of(asserted)
    if authentication is None:
        raise InvalidGrant("assertion is about nobody who has access here", reason="no such user")
    scope = _scope(asserted, request, without=(OFFLINE_ACCESS,))
    prepared = await prepare_grant(_short_lived(request, asserted, server), authentication, scope, server)
    await store_prepared(prepared, server)
    # Last, as every spend. A grant that comes of a second use was never answered with, and ends at once.
    if not await _is_first_use(asserted, server):
        ended = Ended(reason=EndReason.CODE_REPLAYED, actor=SERVER, at=server.now())
        await end_grant(prepared.grant, ended, server)
        raise _used_before()
    return prepared.tokens


async def _for_external(asserted: Asserted, request: TokenRequest, server: AuthorizationServer) -> TokenResponse:
    scope = _scope(asserted, request, without=(OFFLINE_ACCESS, OPENID))
    issuer = asserted.issuer
    prefix = f"{issuer.issuer}#" if issuer.prefix is None else issuer.prefix
    target = target_of_client(request.parameters, scope, request.client, server)
    tokens = await issue_own_token(
        request, prefix + asserted.subject, scope, server, target=target, until=asserted.expires_at
    )
    await note_use(request.client, server)
    if not await _is_first_use(asserted, server):
        raise _used_before()
    return tokens


def _scope(asserted: Asserted, request: TokenRequest, *, without: Scope) -> Scope:
    """Return the scope: of what the issuer and the client may have both, and what is asked for."""
    # "that will usually mean that refresh tokens are not issued in response to assertion grant requests" (RFC 7521
    # §4.1).
    allowed = (value for value in asserted.issuer.scope if value in request.client.scope and value not in without)
    return narrow(request.parameters.get("scope"), tuple(allowed))


def _short_lived(request: TokenRequest, asserted: Asserted, server: AuthorizationServer) -> TokenRequest:
    """Return the request of a client whose access tokens live no longer than an assertion."""
    # "The authorization server SHOULD NOT issue access tokens with a lifetime that exceeds the validity period of the
    # assertion by a significant period" (RFC 7521 §4.1).
    lifetimes, left = request.client.lifetimes, max(1, asserted.expires_at - server.now())
    life = min(lifetimes.access_token_of(request.grant_type), left)
    short = replace(lifetimes, access_token=life, access_token_by_grant={})
    return replace(request, client=replace(request.client, lifetimes=short))


async def _is_first_use(asserted: Asserted, server: AuthorizationServer) -> bool:
    return await server.store.remember(USED, asserted.use, until=asserted.expires_at + LEEWAY)


def _used_before() -> InvalidGrant:
    return InvalidGrant("assertion was used before: ask its issuer for a new one", reason="assertion replayed")
