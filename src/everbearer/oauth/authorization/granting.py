"""Granting access for a user in one step: what grants without a code do, those of your own among them."""

from __future__ import annotations

from dataclasses import dataclass

from everbearer.oauth.authorization.rules import scope_of
from everbearer.oauth.authorization_server import AuthorizationServer, TokenRequest
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.models import Authentication, Grant, Happening, HistoryEntry
from everbearer.oauth.randomness import random_bytes, random_id
from everbearer.oauth.response_types import CODE
from everbearer.oauth.scope import OFFLINE_ACCESS, Scope, format_scope
from everbearer.oauth.token_response import TokenResponse
from everbearer.oauth.tokens.issuing import issue_tokens
from everbearer.oauth.tokens.refresh_tokens import SECRET_LENGTH
from everbearer.oauth.tokens.resource_indicators import authorized_resources, target_of_grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A grant and its tokens, minted and not stored yet."""

    grant: Grant
    event: Event
    tokens: TokenResponse


def requested_scope(request: TokenRequest, server: AuthorizationServer) -> Scope:
    """Return the scope that a token request asks a user for, by the rules of an authorization request.

    Raises:
        InvalidScope: there is none, or one that is not known here or not allowed to this client.
    """
    return scope_of(request.parameters, request.client, CODE, server)


async def grant_tokens(
    request: TokenRequest,
    authentication: Authentication,
    scope: Scope,
    server: AuthorizationServer,
    *,
    consent_epoch: int | None = None,
) -> TokenResponse:
    """Store a grant of a user to the client that asks, and return its tokens: a refresh token with `offline_access`.

    The access token is for the resources that the request names (RFC 8707), as it is at every refresh.
    Whoever calls this has made sure that the user is who `authentication` says, and agrees. `consent_epoch` is that of
    the user's consent, where there is one that can be withdrawn.

    Raises:
        InvalidTarget: the request names a resource that the client may not ask for.
        InvalidClientMetadata: the ID token cannot be encrypted to the client.
        StoreUnavailable: the grant cannot be stored.
        ValueError: a field of `authentication` is of another type than its own.
    """
    authentication.check()
    prepared = await prepare_grant(request, authentication, scope, server, consent_epoch=consent_epoch)
    await store_prepared(prepared, server)
    return prepared.tokens


async def prepare_grant(
    request: TokenRequest,
    authentication: Authentication,
    scope: Scope,
    server: AuthorizationServer,
    *,
    consent_epoch: int | None = None,
) -> Prepared:
    """Return what `grant_tokens` would store and answer."""
    client, now = request.client, server.now()
    resources = authorized_resources(request.parameters, scope, client, server)
    target = target_of_grant(request.parameters, resources, scope, client, server)
    entry = HistoryEntry(now, Happening.ISSUED, 1, request.http.remote_address, request.http.user_agent)
    grant = Grant(
        grant_id=random_id(),
        client_id=client.client_id,
        subject=authentication.subject,
        scope=scope,
        secret=random_bytes(SECRET_LENGTH),
        offline=OFFLINE_ACCESS in scope,
        authentication=authentication,
        created_at=now,
        rotated_at=now,
        used_at=now,
        generation=1,
        resources=resources,
        client_epoch=client.epoch,
        consent_epoch=consent_epoch,
        history=(entry,),
    )
    tokens = await issue_tokens(request, grant, scope, server, now=now, target=target)
    return Prepared(grant=grant, event=_created(grant, request), tokens=tokens)


async def store_prepared(prepared: Prepared, server: AuthorizationServer) -> None:
    """Store a prepared grant, and tell of it."""
    await server.store.create_grant(prepared.grant, prepared.event)
    server.tell(prepared.event)


def _created(grant: Grant, request: TokenRequest) -> Event:
    return Event(
        kind=EventKind.GRANT_CREATED,
        at=grant.created_at,
        actor=f"client:{grant.client_id}",
        grant_id=grant.grant_id,
        client_id=grant.client_id,
        subject=grant.subject,
        address=request.http.remote_address,
        agent=request.http.user_agent,
        details={"scope": format_scope(grant.scope), "grant_type": request.grant_type},
    )
