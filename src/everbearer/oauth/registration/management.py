"""The client configuration endpoint: a client reads, changes and deletes what it registered (RFC 7592)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import replace

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client, SelfRegistration
from everbearer.oauth.client_registration import ClientRegistration
from everbearer.oauth.clients.assertions import seal_client_secret
from everbearer.oauth.clients.authentication import CLIENT_SECRET, hash_client_secret
from everbearer.oauth.endpoints.bearer import bearer_token, challenge
from everbearer.oauth.error_response import RETRY_AFTER, answer
from everbearer.oauth.errors import (
    InsufficientScope,
    InvalidClientMetadata,
    InvalidToken,
    TemporarilyUnavailable,
)
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.initial_access_tokens import token_hash
from everbearer.oauth.messages import NO_STORE, Request, Response
from everbearer.oauth.models import Ended, EndReason
from everbearer.oauth.parameters import parse
from everbearer.oauth.registration.endpoint import REALM, Registering, client_information, described, offered
from everbearer.oauth.registration.request import read_members
from everbearer.oauth.registration.software_statements import with_statement

NEVER_SENT = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")
_SHOWN = ("client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri", "redirect_uris")
"""What an operator who vouches for a client has looked at, and users who consent to it have seen."""


async def client_configuration_endpoint(request: Request, server: AuthorizationServer) -> Response:
    """Show, change or delete the client that a registration access token is of."""
    return await answer(_respond(request, server))


async def _respond(request: Request, server: AuthorizationServer) -> Response:
    registration = offered(server)
    try:
        # "the client MUST use its registration access token in all calls to this endpoint as an OAuth 2.0 Bearer Token"
        # (RFC 7592 §2).
        access_token = bearer_token(request)
        client, record = await _client(request, access_token, server)
    except (InvalidToken, InsufficientScope) as refused:
        # "If the registration access token used to make this request is not valid, the server MUST respond with an
        # error as described in OAuth Bearer Token Usage" (§2.1).
        return challenge(refused, realm=REALM)
    if request.method == "DELETE":
        return await _delete(client, request, registration, server)
    if request.method == "PUT":
        return await _change(client, record, access_token, request, server)
    return client_information(Registering(client=client), access_token, server)


async def _client(request: Request, access_token: str, server: AuthorizationServer) -> tuple[Client, SelfRegistration]:
    client = await server.store.client(parse(request.query).get("client_id", ""))
    record = client.registration if client else None
    # "If the client does not exist on this server, the server MUST respond with HTTP 401 Unauthorized" (§2.1), which
    # tells nobody whether it does.
    if client is None or record is None:
        raise InvalidToken("the registration access token is not valid")
    if not hmac.compare_digest(token_hash(access_token), record.access_token_hash):
        raise InvalidToken("the registration access token is not valid")
    # "If the client does not have permission to read its record, the server MUST return an HTTP 403 Forbidden" (§2.1).
    if client.disabled_at is not None:
        raise InsufficientScope("this client has been disabled")
    return client, record


async def _change(
    client: Client, record: SelfRegistration, access_token: str, request: Request, server: AuthorizationServer
) -> Response:
    registration = offered(server)
    members = read_members(request)
    own = _with_own_secret(client, members, server)
    stated = await with_statement(members, registration, server)
    registering = await described(own, stated, registration, server)
    changed = registering.client
    same = all(getattr(changed, name) == getattr(client, name) for name in _SHOWN)
    new_record = replace(
        changed.registration or record,
        statement_issuer=stated.issuer,
        verified_at=record.verified_at if same else None,
    )
    changed = replace(changed, registration=new_record)
    response = client_information(replace(registering, client=changed), access_token, server)
    if changed == client:
        return response
    event = _event(EventKind.CLIENT_CHANGED, client, request, server)
    # Who consented to what stood there before, or to codes for another host, is asked again.
    if not await registration.store.change_client(changed, event, was=client, forget_consents=not same):
        raise TemporarilyUnavailable("this client was changed meanwhile; read it again", retry_after=RETRY_AFTER)
    return response


def _with_own_secret(client: Client, members: Mapping[str, object], server: AuthorizationServer) -> Client:
    """Return the client with its secret as this server keeps it now; without it, where it cannot be known any more."""
    # "The updated client metadata fields request MUST NOT include the "registration_access_token",
    # "registration_client_uri", "client_secret_expires_at", or "client_id_issued_at" fields" (§2.2).
    sent = [name for name in NEVER_SENT if name in members]
    if sent:
        raise InvalidClientMetadata(f"{' and '.join(sent)} cannot be changed: leave them out")
    # "The client MUST include its "client_id" field in the request, and it MUST be the same as its currently issued
    # client identifier" (§2.2).
    if members.get("client_id") != client.client_id:
        raise InvalidClientMetadata("client_id must be there, and be that of this client")
    secret = members.get("client_secret")
    if secret is None:
        known = all(map(server.sealer.knows_hash, client.secrets))
        return client if known else replace(client, secrets=(), sealed_secrets=())
    # "If the client includes the "client_secret" field in the request, the value of this field MUST match the
    # currently issued client secret for that client. The client MUST NOT be allowed to overwrite its existing client
    # secret with its own chosen value" (§2.2).
    data = secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else b""
    if not any(server.sealer.keyed_hash_matches(CLIENT_SECRET, data, kept) for kept in client.secrets):
        raise InvalidClientMetadata("client_secret is not that of this client: leave it out")
    # Kept by the newest secret of the server, it outlives the older ones.
    sealed = (seal_client_secret(client.client_id, str(secret), server.sealer),) if client.sealed_secrets else ()
    return replace(client, secrets=(hash_client_secret(str(secret), server),), sealed_secrets=sealed)


async def _delete(
    client: Client, request: Request, registration: ClientRegistration, server: AuthorizationServer
) -> Response:
    # "the authorization server SHOULD immediately invalidate all existing authorization grants and currently active
    # access tokens, all refresh tokens, and other tokens associated with this client" (§2.3).
    ends = Ended(reason=EndReason.CLIENT_DELETED, actor=f"client:{client.client_id}", at=server.now())
    await registration.store.delete_client(
        client.client_id, _event(EventKind.CLIENT_DELETED, client, request, server), ends
    )
    # "If a client has been successfully deprovisioned, the authorization server MUST respond with an HTTP 204 No
    # Content message" (§2.3).
    return Response(status=204, headers=NO_STORE)


def _event(kind: EventKind, client: Client, request: Request, server: AuthorizationServer) -> Event:
    return Event(
        kind=kind,
        at=server.now(),
        actor=f"client:{client.client_id}",
        client_id=client.client_id,
        address=request.remote_address,
        agent=request.user_agent,
        details={"by": "registration"},
    )
