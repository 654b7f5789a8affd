"""The client registration endpoint (RFC 7591 §3, OpenID Connect Registration §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import AuthMethod, Client, SelfRegistration
from everbearer.oauth.client_registration import ClientRegistration, Registered
from everbearer.oauth.client_rules.client import client_problems
from everbearer.oauth.clients.assertions import seal_client_secret
from everbearer.oauth.clients.authentication import hash_client_secret
from everbearer.oauth.clients.metadata import SETTINGS, ClientMetadata, metadata_of, read_metadata
from everbearer.oauth.encoding import base64url
from everbearer.oauth.endpoints.bearer import bearer_token, challenge
from everbearer.oauth.error_response import answer
from everbearer.oauth.errors import (
    AccessDenied,
    InvalidClientMetadata,
    InvalidToken,
    TemporarilyUnavailable,
    TooManyRequests,
)
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.initial_access_tokens import (
    REGISTRATION_ACCESS_TOKEN_PREFIX,
    InitialAccessToken,
    new_registration_token,
    token_hash,
)
from everbearer.oauth.messages import Request, Response, json_response
from everbearer.oauth.paths import PATHS
from everbearer.oauth.randomness import random_bytes, random_id
from everbearer.oauth.registration.request import read_members
from everbearer.oauth.registration.rules import allowed_metadata, signing_algs
from everbearer.oauth.registration.sector_identifiers import sector_identifier
from everbearer.oauth.registration.software_statements import Stated, with_statement

REALM = "client registration"
FULL_RETRY_AFTER = 3600
"""Seconds until a new try makes sense where no more clients may be registered: unused ones are removed now and then."""

_DEFAULTS: Mapping[str, Any] = {name: getattr(Client(client_id=""), name) for name in SETTINGS}
_WITH_SECRET = frozenset({AuthMethod.BASIC, AuthMethod.POST, AuthMethod.SECRET_JWT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Registering:
    """A client that is ready to be stored, and what it alone is told."""

    client: Client
    client_secret: str = field(default="", repr=False)
    """Empty where it has none, or keeps the one that it had."""


async def registration_endpoint(request: Request, server: AuthorizationServer) -> Response:
    """Register a client."""
    return await answer(_respond(request, server))


def offered(server: AuthorizationServer) -> ClientRegistration:
    """Return how clients register themselves.

    Raises:
        AccessDenied: they do not.
    """
    if server.registration is None:
        raise AccessDenied("clients do not register themselves here")
    return server.registration


async def _respond(request: Request, server: AuthorizationServer) -> Response:
    registration = offered(server)
    try:
        token = await _initial_access_token(request, registration, server)
        # "These requests MAY be rate-limited or otherwise limited to prevent a denial-of-service attack" (RFC 7591 §3).
        wait = 0 if token else await registration.wait(request.remote_address)
        if wait:
            raise TooManyRequests("too many clients were registered from this address; wait", retry_after=wait)
        stated = await with_statement(read_members(request), registration, server)
        new, access_token = _new_client(token, stated, registration, server)
        registering = await described(new, stated, registration, server)
        response = client_information(registering, access_token, server, status=201)
        await _store(registering.client, token, request, registration, server)
    except InvalidToken as refused:
        # "When an OAuth 2.0 error condition occurs, such as the client presenting an invalid initial access token, the
        # authorization server returns an error response appropriate to the OAuth 2.0 token type" (§3.2.2).
        return challenge(refused, realm=REALM)
    return response


async def _initial_access_token(
    request: Request, registration: ClientRegistration, server: AuthorizationServer
) -> InitialAccessToken | None:
    if registration.anybody and "authorization" not in request.headers:
        return None
    token = await registration.store.initial_access_token(token_hash(bearer_token(request)))
    if token is None or token.expires_at <= server.now() or token.uses_left == 0:
        raise InvalidToken("the initial access token is not known here, has expired or has been used up")
    return token


def _new_client(
    token: InitialAccessToken | None, stated: Stated, registration: ClientRegistration, server: AuthorizationServer
) -> tuple[Client, str]:
    """Return a client of whom only that is known what it does not say itself, and its registration access token."""
    access_token = new_registration_token(REGISTRATION_ACCESS_TOKEN_PREFIX)
    limit = None if token is None else token.scope
    record = SelfRegistration(
        access_token_hash=token_hash(access_token),
        scope=tuple(value for value in registration.scope if limit is None or value in limit),
        authorized_by=token.token_id if token else "",
        statement_issuer=stated.issuer,
    )
    algs = signing_algs(server)
    client = Client(
        client_id=random_id(),
        require_pkce=_require_pkce(registration, server),
        remember_consent=registration.remember_consent,
        access_token_signing_alg="ES256" if "ES256" in algs else algs[0],
        lifetimes=registration.lifetimes,
        rotation=registration.rotation,
        registration=record,
        created_at=server.now(),
    )
    return client, access_token


def _require_pkce(registration: ClientRegistration, server: AuthorizationServer) -> bool | None:
    if registration.require_pkce is None and not server.profile.unbound_codes:
        return True
    return registration.require_pkce


async def described(
    client: Client, stated: Stated, registration: ClientRegistration, server: AuthorizationServer
) -> Registering:
    """Return a client as it describes itself, with all that is registered of it, and with a secret if it needs one.

    Raises:
        InvalidRedirectUri: a redirect URI cannot be registered.
        InvalidClientMetadata: something else cannot be.
        TemporarilyUnavailable: what it publishes cannot be fetched at this moment.
    """
    limit = client.registration.scope if client.registration else ()
    metadata = allowed_metadata(read_metadata(stated.members), registration, server, limit=limit)
    sector = await sector_identifier(metadata, registration)
    registering = with_secret(_described(client, metadata, sector), server)
    problems = client_problems(registering.client)
    if problems:
        # They name settings, and these are metadata under the same names.
        raise InvalidClientMetadata("; ".join(problems).replace('"', "'"))
    return registering


def _described(client: Client, metadata: ClientMetadata, sector: str) -> Client:
    # What the last description said and this one does not say is gone: its settings begin with the defaults. All that
    # no metadata stands for stays as an operator left it.
    record = client.registration
    return replace(
        client,
        **{**_DEFAULTS, **metadata.settings},
        sector_identifier=sector,
        registration=replace(record, metadata=metadata.told_again) if record else None,
    )


def with_secret(client: Client, server: AuthorizationServer) -> Registering:
    """Return a client with as many secrets as its method needs: those it has, a new one, or none."""
    method = client.token_endpoint_auth_method
    if method not in _WITH_SECRET:
        return Registering(client=replace(client, secrets=(), sealed_secrets=()))
    seals = method is AuthMethod.SECRET_JWT
    if client.secrets and bool(client.sealed_secrets) == seals:
        return Registering(client=client)
    if client.secrets and not seals:
        return Registering(client=replace(client, sealed_secrets=()))
    secret = base64url(random_bytes(32))
    sealed = (seal_client_secret(client.client_id, secret, server.sealer),) if seals else ()
    changed = replace(client, secrets=(hash_client_secret(secret, server),), sealed_secrets=sealed)
    return Registering(client=changed, client_secret=secret)


async def _store(
    client: Client,
    token: InitialAccessToken | None,
    request: Request,
    registration: ClientRegistration,
    server: AuthorizationServer,
) -> None:
    event = Event(
        kind=EventKind.CLIENT_CREATED,
        at=server.now(),
        actor=f"token:{token.token_id}" if token else f"client:{client.client_id}",
        client_id=client.client_id,
        address=request.remote_address,
        agent=request.user_agent,
        details={"by": "registration"},
    )
    outcome = await registration.store.register_client(
        client, event, token_id=token.token_id if token else "", most=registration.most_clients
    )
    if outcome is Registered.TOKEN_SPENT:
        raise InvalidToken("the initial access token has been used up", reason="used up")
    if outcome is Registered.FULL:
        raise TemporarilyUnavailable(
            "no more clients can be registered here at this time", reason="full", retry_after=FULL_RETRY_AFTER
        )


def client_information(
    registering: Registering, access_token: str, server: AuthorizationServer, *, status: int = 200
) -> Response:
    """Tell a client all that is registered of it (RFC 7591 §3.2.1, RFC 7592 §3).

    "the authorization server MUST return all registered metadata about this client, including any fields provisioned by
    the authorization server itself" (RFC 7591 §3.2.1).
    """
    client, secret = registering.client, registering.client_secret
    members: dict[str, object] = {
        "client_id": client.client_id,
        "client_id_issued_at": client.created_at,
        **({"client_secret": secret} if secret else {}),
        # "REQUIRED if "client_secret" is issued. Time at which the client secret will expire or 0 if it will not
        # expire" (§3.2.1).
        **({"client_secret_expires_at": 0} if client.secrets else {}),
        "registration_client_uri": registration_client_uri(client, server.base),
        "registration_access_token": access_token,
        **metadata_of(client),
    }
    return json_response(members, status=status)


def registration_client_uri(client: Client, base: str) -> str:
    """Return where a client reads, changes and deletes what is registered of it (RFC 7592 §3)."""
    return f"{base}{PATHS['registration_endpoint']}?client_id={quote(client.client_id, safe='')}"
