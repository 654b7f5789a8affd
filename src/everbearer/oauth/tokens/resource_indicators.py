"""Resource indicators (RFC 8707): which resources a request names, and what the access token for them is."""

from __future__ import annotations

from collections.abc import Collection

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import AccessTokenFormat, Client
from everbearer.oauth.errors import InvalidTarget
from everbearer.oauth.parameters import Parameters
from everbearer.oauth.resource import Resource, Resources, Target, is_resource_identifier, normal
from everbearer.oauth.scope import OPENID, Scope

RESOURCE = "resource"
AUDIENCE = "audience"
MOST_RESOURCES = 10
"""How many a request may name: they are kept with the grant, and stand in the token."""


def authorized_resources(
    parameters: Parameters, scope: Scope, client: Client, server: AuthorizationServer
) -> Resources:
    """Return the resources that an authorization request is for: those of the whole grant (§2.1).

    Raises:
        InvalidTarget: it names one that its client may not ask for, or that its scope means nothing to.
    """
    if RESOURCE not in parameters:
        return ()
    named = _requested_by(client, parameters, server)
    for uri in named:
        resource = _known(uri, client, server)
        if not any(resource.takes(value) for value in scope):
            raise InvalidTarget(f"none of the scope is for {uri}; it takes {' '.join(resource.scopes_supported)}")
    return named


def target_of_grant(
    parameters: Parameters, granted: Resources, scope: Scope, client: Client, server: AuthorizationServer
) -> Target | None:
    """Return whom a token of a grant is for: of its resources those that are named, or all (§2.2).

    None where the grant is for no resource: its tokens are what they are without resource indicators.

    Raises:
        InvalidTarget: one is named that was not granted, or none of what was granted is allowed any more.
    """
    if not granted and RESOURCE not in parameters:
        return None
    named = _requested(parameters, server)
    allowed = tuple(uri for uri in granted if _may_ask(client, uri, server))
    _require(named, (*allowed, server.issuer), "was not granted: name it in the authorization request too")
    if not named and not allowed:
        raise InvalidTarget("nothing of what access was granted to is allowed to this client any more")
    return _target(named or allowed, scope, client, server)


def target_of_client(
    parameters: Parameters, scope: Scope, client: Client, server: AuthorizationServer
) -> Target | None:
    """Return whom a client's own token is for; None where it names no resource.

    Raises:
        InvalidTarget: it names one that it may not ask for, or whose tokens it cannot have.
    """
    if RESOURCE not in parameters:
        return None
    return _provable(_target(_requested_by(client, parameters, server), scope, client, server), client)


def exchange_audiences(parameters: Parameters, server: AuthorizationServer) -> tuple[str, ...]:
    """Return what a token exchange asks for: resources, and names that `audience` may have besides (RFC 8693 §2.1).

    Raises:
        InvalidTarget: a resource is no absolute URI, or there are too many of them.
    """
    if RESOURCE not in parameters and AUDIENCE not in parameters:
        return ()
    names = (_spelled(name, server) for name in parameters.every(AUDIENCE))
    audiences = tuple(dict.fromkeys((*_requested(parameters, server), *names)))
    if len(audiences) > MOST_RESOURCES:
        raise InvalidTarget(f"more than {MOST_RESOURCES} audiences and resources are named at once")
    return audiences


def resources_among(audiences: tuple[str, ...], client: Client, server: AuthorizationServer) -> Resources:
    """Return those that are resources which a client may ask tokens for, whichever grant it has."""
    return tuple(uri for uri in audiences if _may_ask(client, uri, server))


def target_of_exchange(
    audiences: tuple[str, ...], scope: Scope, client: Client, server: AuthorizationServer, *, of_user: bool
) -> Target | None:
    """Return whom a token is for in exchange for one that is `of_user` or of a client; None where it names nobody.

    Raises:
        InvalidTarget: none of its scope is for them, or their tokens are of different kinds.
    """
    if not audiences:
        return None
    target = _target(audiences, scope, client, server)
    return target if of_user else _provable(target, client)


def _provable(target: Target, client: Client) -> Target:
    if target.access_token_format is AccessTokenFormat.OPAQUE and not client.secrets:
        # What proves such a token is made of the secret that the store keeps.
        raise InvalidTarget("this resource takes opaque tokens, which a client needs a secret to have for itself")
    return target


def _requested_by(client: Client, parameters: Parameters, server: AuthorizationServer) -> Resources:
    named = _requested(parameters, server)
    allowed = [uri for uri in named if _may_ask(client, uri, server)]
    _require(named, allowed, "is not one that this client may ask for")
    return named


def _requested(parameters: Parameters, server: AuthorizationServer) -> Resources:
    values = dict.fromkeys(parameters.every(RESOURCE))
    if len(values) > MOST_RESOURCES:
        raise InvalidTarget(f"more than {MOST_RESOURCES} resources are named at once")
    if not all(is_resource_identifier(value) for value in values):
        raise InvalidTarget("resource must be an absolute URI without a fragment")
    return tuple(dict.fromkeys(_spelled(value, server) for value in values))


def _spelled(uri: str, server: AuthorizationServer) -> str:
    """Return an identifier as the operator spells it: clients in the field leave out a slash at the end, or add one."""
    if uri in server.resources or uri == server.issuer:
        return uri
    return next((known for known in (*server.resources, server.issuer) if normal(known) == normal(uri)), uri)


def _may_ask(client: Client, uri: str, server: AuthorizationServer) -> bool:
    # The server itself is a resource too, at userinfo, and each client one of its.
    if uri == server.issuer:
        return True
    known = server.resources.get(uri)
    return known is not None and (known.any_client or uri in client.resources)


def _require(named: Resources, allowed: Collection[str], otherwise: str) -> None:
    for uri in named:
        if uri not in allowed:
            raise InvalidTarget(f"the resource {uri[:200]} {otherwise}")


def _known(uri: str, client: Client, server: AuthorizationServer) -> Resource:
    if uri == server.issuer:
        return Resource(resource=uri, scopes_supported=(OPENID, *server.claims_of_scope, *client.claims))
    # One that is not declared is a name that a token exchange may ask for.
    return server.resources.get(uri) or Resource(resource=uri)


def _target(uris: Resources, scope: Scope, client: Client, server: AuthorizationServer) -> Target:
    resources = [_known(uri, client, server) for uri in uris]
    # "To the extent possible, when issuing access tokens, the authorization server should downscope the scope value
    # associated with an access token to the value the respective resource is able to process and needs to know" (§2.2).
    kept = tuple(value for value in scope if any(resource.takes(value) for resource in resources))
    if scope and not kept:
        raise InvalidTarget(f"none of the scope is for {' or '.join(uris)}")
    kinds = {_kind(resource, client) for resource in resources}
    if len(kinds) > 1:
        raise InvalidTarget("these resources take access tokens of different kinds: ask for one at a time")
    format_, signing_alg = kinds.pop()
    return Target(
        audiences=uris,
        scope=kept,
        lifetimes=tuple(resource.access_token_lifetime for resource in resources),
        access_token_format=format_,
        access_token_signing_alg=signing_alg,
    )


def _kind(resource: Resource, client: Client) -> tuple[AccessTokenFormat, str]:
    format_ = resource.access_token_format or client.access_token_format
    signing_alg = resource.access_token_signing_alg or client.access_token_signing_alg
    return (format_, "" if format_ is AccessTokenFormat.OPAQUE else signing_alg)
