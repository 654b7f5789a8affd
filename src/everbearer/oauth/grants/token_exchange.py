"""The token exchange grant (RFC 8693): a service trades the access token it was sent for one to call another service.

The new token has the same subject and grant: it ends with them, and never lasts longer than what it was exchanged for.
Where one client acts for the subject of another's token, the new one says so (`act`), unless an operator allows it to
impersonate. What may be exchanged for whom is a policy: the client's settings, or a function of yours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from everbearer.oauth.arguments import check_arguments
from everbearer.oauth.authorization_server import AuthorizationServer, TokenRequest
from everbearer.oauth.client import Client
from everbearer.oauth.clients.use import note_use
from everbearer.oauth.errors import InvalidRequest, InvalidScope, InvalidTarget, UnauthorizedClient
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.issuance_hooks import Issuance, Said, ask_for_access
from everbearer.oauth.lifetimes import access_token_life
from everbearer.oauth.resource import Resources
from everbearer.oauth.scope import OFFLINE_ACCESS, Scope, format_scope, narrow
from everbearer.oauth.token_response import TokenResponse
from everbearer.oauth.tokens.access_tokens import (
    ACCESS_TOKEN_PREFIX,
    AccessToken,
    exchange_access_token,
    read_access_token,
)
from everbearer.oauth.tokens.resource_indicators import exchange_audiences, resources_among, target_of_exchange
from everbearer.oauth.tokens.standing import Standing, standing
from everbearer.oauth.users.subjects import require_subjects

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
MOST_ACTORS = 8
"""How long a chain of actors may become: each hop makes the token longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A token exchange that was asked for: both tokens are good."""

    client: Client
    """Who asks."""
    subject: AccessToken
    """The token to exchange."""
    actor: AccessToken | None
    """The token of who acts for its subject, where the client says who that is."""
    audiences: tuple[str, ...]
    """What the new token is to be for, by `resource` and `audience`; empty where it does not say."""
    resources: Resources
    """Those of them that the client may ask tokens for anyway (RFC 8707)."""
    scope: Scope

    @property
    def own(self) -> bool:
        """Return whether the client exchanges a token of its own, for itself."""
        return self.subject.client_id == self.client.client_id and self.actor is None

    @property
    def impersonates(self) -> bool:
        """Return whether the client gets a token of another's that does not say that it acts for its subject."""
        return self.actor is None and not self.own and self.client.token_exchange.impersonate


ExchangePolicy: TypeAlias = Callable[[Exchange], Awaitable[None]]
"""Returns where an exchange is allowed. Otherwise it raises `InvalidRequest`, or `InvalidTarget` for its audience."""


async def token_exchange_grant(request: TokenRequest, server: AuthorizationServer) -> TokenResponse:
    """Answer an access token in exchange for another, as the client's settings allow.

    Raises:
        UnauthorizedClient: the client is public.
        InvalidRequest: a parameter is missing, a token is not good or not one that this client may exchange.
        InvalidTarget: the client may not have a token for this audience or resource.
        InvalidScope: it asks for more than the token reaches, or than it may have itself.
    """
    return await _exchange(request, server, declared_policy)


def token_exchange_by(
    policy: ExchangePolicy,
) -> Callable[[TokenRequest, AuthorizationServer], Awaitable[TokenResponse]]:
    """Return the grant with a policy of yours instead of the clients' settings.

    Raises:
        ValueError: the policy is no async function of an `Exchange`.
    """
    check_arguments(token_exchange_by, policy=policy)

    async def grant(request: TokenRequest, server: AuthorizationServer) -> TokenResponse:
        return await _exchange(request, server, policy)

    return grant


async def declared_policy(exchange: Exchange) -> None:
    """Return where the client's settings allow an exchange (`Client.token_exchange`).

    Raises:
        InvalidRequest: they do not allow it this token.
        InvalidTarget: nor one for this audience.
    """
    client, subject, policy = exchange.client, exchange.subject, exchange.client.token_exchange
    known = {client.client_id, *policy.subject_clients}
    if subject.client_id not in known and not {client.client_id, *client.introspects} & set(subject.audiences):
        raise InvalidRequest("this client may not exchange tokens of the client that subject_token was issued to")
    allowed = (*exchange.resources, *policy.audiences)
    if any(audience not in allowed for audience in exchange.audiences):
        raise InvalidTarget("this client may not have tokens for that audience or resource")


async def _exchange(request: TokenRequest, server: AuthorizationServer, policy: ExchangePolicy) -> TokenResponse:
    client = request.client
    # "omitting client authentication allows for a compromised token to be leveraged via an STS into other tokens by
    # anyone possessing the compromised token" (§5).
    if client.public:
        raise UnauthorizedClient("token exchange is for confidential clients; this one has no secret")
    require_subjects(client, server)
    _check_requested_type(request)
    subject, state = await _good_token("subject_token", request, server)
    actor = await _actor(request, server)
    exchange = _exchange_of(request, subject, actor, server)
    _check_may_act(exchange, server)
    await policy(exchange)
    said = await _said(exchange, state, request, server)
    now, expires_in = server.now(), _life(exchange, said, request, server)
    wanted = replace(
        subject,
        scope=said.scope,
        claims={**said.claims, **_claims(exchange)},
        issued_at=now,
        expires_at=now + expires_in,
    )
    access_token = exchange_access_token(wanted, client, server, grant=state.grant, target=said.target)
    await note_use(client, server)
    await _tell(exchange, state, request, server)
    return TokenResponse(
        access_token=access_token,
        expires_in=expires_in,
        scope=said.target.scope if said.target else said.scope,
        # "A refresh token will typically not be issued when the exchange is of one temporary credential (the
        # subject_token) for a different temporary credential" (§2.2.1).
        extra={**said.members, "issued_token_type": ACCESS_TOKEN},
        grant_id=subject.grant_id,
        subject=_subject(exchange, state),
    )


def _exchange_of(
    request: TokenRequest, subject: AccessToken, actor: AccessToken | None, server: AuthorizationServer
) -> Exchange:
    audiences = exchange_audiences(request.parameters, server)
    return Exchange(
        client=request.client,
        subject=subject,
        actor=actor,
        audiences=audiences,
        resources=resources_among(audiences, request.client, server),
        scope=_scope(request, subject),
    )


async def _said(exchange: Exchange, state: Standing, request: TokenRequest, server: AuthorizationServer) -> Said:
    target = target_of_exchange(
        exchange.audiences, exchange.scope, exchange.client, server, of_user=state.grant is not None
    )
    issuance = Issuance(
        client=exchange.client,
        grant_type=request.grant_type,
        subject=_subject(exchange, state),
        scope=exchange.scope,
        target=target,
        grant=state.grant,
    )
    return await ask_for_access(issuance, server.hooks)


def _subject(exchange: Exchange, state: Standing) -> str:
    """Return whom the tokens are about, as the server knows them."""
    return state.grant.subject if state.grant else exchange.subject.subject


def _life(exchange: Exchange, said: Said, request: TokenRequest, server: AuthorizationServer) -> int:
    """Return the seconds for which the new token is good: no longer than those it comes of."""
    life = access_token_life(exchange.client.lifetimes, server.chance, request.grant_type, said.target)
    ends_at = min(token.expires_at for token in (exchange.subject, exchange.actor) if token)
    return min(life, ends_at - server.now())


def _check_requested_type(request: TokenRequest) -> None:
    wanted = request.parameters.get("requested_token_type", ACCESS_TOKEN)
    if wanted != ACCESS_TOKEN:
        raise InvalidRequest(f"requested_token_type must be {ACCESS_TOKEN}")


async def _good_token(name: str, request: TokenRequest, server: AuthorizationServer) -> tuple[AccessToken, Standing]:
    text = request.parameters.require(name)
    kind = request.parameters.require(f"{name}_type")
    # A refresh token is for its client alone, and an ID token for no resource at all.
    if kind not in {ACCESS_TOKEN, JWT}:
        raise InvalidRequest(f"{name}_type must be {ACCESS_TOKEN}")
    token = read_access_token(text, server)
    # "if either the subject_token or actor_token are invalid for any reason, or are unacceptable based on policy, the
    # authorization server MUST construct an error response [...] The value of the error parameter MUST be the
    # invalid_request error code" (§2.2.2).
    if token is None or (kind == JWT and text.startswith(ACCESS_TOKEN_PREFIX)):
        raise InvalidRequest(f"{name} is not an access token of this server, or not of the type that {name}_type says")
    state = await standing(token, server)
    if not state.active:
        raise InvalidRequest(f"{name} has expired, or what it was issued for has ended")
    return token, state


async def _actor(request: TokenRequest, server: AuthorizationServer) -> AccessToken | None:
    if "actor_token" not in request.parameters:
        # "REQUIRED when the actor_token parameter is present in the request but MUST NOT be included otherwise" (§2.1).
        if "actor_token_type" in request.parameters:
            raise InvalidRequest("actor_token_type is sent without actor_token")
        return None
    actor, _ = await _good_token("actor_token", request, server)
    # Who it names acts through this client; whoever got hold of a token of another's does not.
    if actor.client_id != request.client.client_id:
        raise InvalidRequest("actor_token was issued to another client")
    return actor


def _scope(request: TokenRequest, subject: AccessToken) -> Scope:
    """Return the scope of the new token: of what the old one reaches, what the client may have and asks for."""
    reached = tuple(value for value in subject.scope if value != OFFLINE_ACCESS)
    shared = tuple(value for value in reached if value in request.client.scope)
    if reached and not shared:
        raise InvalidScope("this client may have nothing of what subject_token reaches")
    return narrow(request.parameters.get("scope"), shared)


def _check_may_act(exchange: Exchange, server: AuthorizationServer) -> None:
    # "determine whether the client (or party identified in the actor_token) is authorized to engage in the requested
    # delegation or impersonation" (§4.4).
    named = exchange.subject.claims.get("may_act")
    if named is None or exchange.own:
        return
    identity = {**_identity(exchange), "iss": server.issuer}
    members = cast("dict[str, object]", named) if isinstance(named, dict) else {}
    if not members or any(identity.get(name) != value for name, value in members.items()):
        raise InvalidRequest("the may_act claim of subject_token names another actor")


def _identity(exchange: Exchange) -> dict[str, object]:
    """Return who acts: whoever the actor token names, or the client itself."""
    client_id = exchange.client.client_id
    return {"sub": exchange.actor.subject if exchange.actor else client_id, "client_id": client_id}


def _claims(exchange: Exchange) -> Mapping[str, object]:
    """Return what the new token says of who acts for its subject."""
    before = exchange.subject.claims.get("act")
    if exchange.own or exchange.impersonates:
        return {} if before is None else {"act": before}
    # "A chain of delegation can be expressed by nesting one act claim within another. The outermost act claim
    # represents the current actor" (§4.1).
    act = {**_identity(exchange), **({} if before is None else {"act": before})}
    if _length(act) > MOST_ACTORS:
        raise InvalidRequest(f"subject_token has come through {MOST_ACTORS} actors already; exchange an earlier one")
    return {"act": act}


def _length(act: object) -> int:
    length = 0
    while isinstance(act, dict):
        act, length = cast("dict[str, object]", act).get("act"), length + 1
    return length


async def _tell(exchange: Exchange, state: Standing, request: TokenRequest, server: AuthorizationServer) -> None:
    client, subject = exchange.client, exchange.subject
    event = Event(
        kind=EventKind.TOKEN_EXCHANGED,
        at=server.now(),
        actor=f"client:{client.client_id}",
        grant_id=subject.grant_id,
        client_id=client.client_id,
        subject=_subject(exchange, state),
        address=request.http.remote_address,
        agent=request.http.user_agent,
        details={
            "subject_client": subject.client_id,
            "acts": "" if exchange.impersonates else str(_identity(exchange)["sub"]),
            "audience": " ".join(exchange.audiences),
            "scope": format_scope(exchange.scope),
        },
    )
    if exchange.impersonates:
        await server.store.record(event)
    server.tell(event)
