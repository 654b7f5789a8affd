"""The device authorization endpoint (RFC 8628 §3.1 and §3.2), and the two phases of what its user says elsewhere.

`find_device_authorization` returns what stands behind a user code. The application then signs the user in and asks, in
its own way and time, whether that device is the user's. `complete_device_authorization` stores the grant that the
device gets when it polls next, or `refuse_device_authorization` tells it no.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from everbearer.oauth.authorization.rules import scope_of
from everbearer.oauth.authorization.user_codes import new_user_code, read_user_code, shown_user_code
from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import DEVICE_CODE, Client
from everbearer.oauth.clients.authentication import authenticate_client
from everbearer.oauth.error_response import answer
from everbearer.oauth.errors import TemporarilyUnavailable, UnauthorizedClient
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.messages import Request, Response, json_response
from everbearer.oauth.models import Authentication, CodeBinding, DeviceAuthorization, DeviceDecision, Grant
from everbearer.oauth.parameters import posted_parameters
from everbearer.oauth.randomness import random_bytes, random_id
from everbearer.oauth.resource import Resources
from everbearer.oauth.response_types import CODE
from everbearer.oauth.scope import OFFLINE_ACCESS, Scope, format_scope
from everbearer.oauth.store import DeviceStore
from everbearer.oauth.tokens.refresh_tokens import SECRET_LENGTH, seal_device_code
from everbearer.oauth.tokens.resource_indicators import authorized_resources
from everbearer.oauth.users.subjects import require_subjects

ATTEMPTS = 8
"""How many user codes are tried. That one is taken is as rare as guessing one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingDevice:
    """A device that waits for its user's word, and the client that it runs."""

    authorization: DeviceAuthorization
    client: Client

    @property
    def user_code(self) -> str:
        """Return the code as the device shows it."""
        return shown_user_code(self.authorization.user_code)

    @property
    def consent_scope(self) -> tuple[str, ...]:
        """Return what the user is to consent to: scope and resources."""
        return (*self.authorization.scope, *self.authorization.resources)


async def device_authorization_endpoint(request: Request, server: AuthorizationServer) -> Response:
    """Answer a device code to poll with and a user code to show, or an error as the token endpoint has it (§3.2)."""
    return await answer(_respond(request, server))


async def _respond(request: Request, server: AuthorizationServer) -> Response:
    parameters = posted_parameters(request)
    # "The client authentication requirements of Section 3.2.1 of [RFC6749] apply to requests on this endpoint" (§3.1).
    client = await authenticate_client(request, parameters, server)
    if DEVICE_CODE not in client.grant_types:
        raise UnauthorizedClient("this client may not use the device authorization grant")
    require_subjects(client, server)
    scope = scope_of(parameters, client, CODE, server)
    resources = authorized_resources(parameters, scope, client, server)
    device = await _stored(client, scope, resources, request, server)
    uri = verification_uri(server)
    user_code = shown_user_code(device.user_code)
    return json_response(
        {
            "device_code": seal_device_code(device, server.sealer),
            "user_code": user_code,
            "verification_uri": uri,
            "verification_uri_complete": f"{uri}?user_code={user_code}",
            "expires_in": device.expires_at - device.created_at,
            "interval": device.interval,
        }
    )


async def _stored(
    client: Client, scope: Scope, resources: Resources, request: Request, server: AuthorizationServer
) -> DeviceAuthorization:
    now = server.now()
    for _ in range(ATTEMPTS):
        device = DeviceAuthorization(
            grant_id=random_id(),
            user_code=new_user_code(),
            client_id=client.client_id,
            scope=scope,
            resources=resources,
            secret=random_bytes(SECRET_LENGTH),
            created_at=now,
            expires_at=now + client.lifetimes.device_code,
            interval=server.polling_interval,
            address=request.remote_address,
            agent=request.user_agent,
        )
        if await devices_of(server).create_device_authorization(device):
            return device
    raise TemporarilyUnavailable("no user code is free at this moment; try the same again", retry_after=1)


def verification_uri(server: AuthorizationServer) -> str:
    """Return where users type the codes that devices show."""
    # "The URI should be short and easy to remember as end users will be asked to manually type it into their user
    # agent" (§3.2).
    return server.verification_uri or f"{server.base}/device"


async def find_device_authorization(text: str, server: AuthorizationServer) -> AskingDevice | None:
    """Return what stands behind a user code as somebody typed it; None where nothing does that waits for an answer.

    The codes are short. Whoever calls this for people limits how often they may try (§5.1), and tells them no more than
    that a code is not good.
    """
    user_code = read_user_code(text)
    device = await devices_of(server).device_authorization(user_code=user_code) if user_code else None
    if device is None or device.decision is not None or server.now() >= device.expires_at:
        return None
    client = await server.store.client(device.client_id)
    if client is None or client.disabled_at is not None or DEVICE_CODE not in client.grant_types:
        return None
    return AskingDevice(authorization=device, client=client)


async def complete_device_authorization(
    asking: AskingDevice,
    authentication: Authentication,
    server: AuthorizationServer,
    *,
    consent_epoch: int | None = None,
    address: str = "",
    agent: str = "",
) -> bool:
    """Let the device in as this user; False where it was decided before, by whoever typed the same code.

    `consent_epoch` is that of the consent the user gave; `address` and `agent` are those of the user's browser.

    Raises:
        ValueError: a field of `authentication` is of another type than its own.
    """
    authentication.check()
    now = server.now()
    # A device that polls slowly hears of a word that was said in its last second.
    expires_at = max(asking.authorization.expires_at, now + asking.client.lifetimes.authorization_code)
    device = replace(asking.authorization, decision=DeviceDecision.ALLOWED, expires_at=expires_at)
    grant = Grant(
        grant_id=device.grant_id,
        client_id=device.client_id,
        subject=authentication.subject,
        scope=device.scope,
        resources=device.resources,
        secret=device.secret,
        offline=OFFLINE_ACCESS in device.scope,
        # It is not this browser that is let in: that it signs out says nothing of the device.
        authentication=replace(authentication, session_id=""),
        created_at=now,
        rotated_at=now,
        used_at=now,
        code=CodeBinding(redirect_uri="", expires_at=expires_at),
        client_epoch=asking.client.epoch,
        consent_epoch=consent_epoch,
    )
    event = _event(EventKind.GRANT_CREATED, device, authentication.subject, now, address=address, agent=agent)
    return await _decided(device, event, grant, server)


async def refuse_device_authorization(
    asking: AskingDevice, subject: str, server: AuthorizationServer, *, address: str = "", agent: str = ""
) -> bool:
    """Tell the device that its user said no; False where it was decided before."""
    device = replace(asking.authorization, decision=DeviceDecision.DENIED)
    event = _event(EventKind.DEVICE_DENIED, device, subject, server.now(), address=address, agent=agent)
    return await _decided(device, event, None, server)


async def _decided(device: DeviceAuthorization, event: Event, grant: Grant | None, server: AuthorizationServer) -> bool:
    first = await devices_of(server).decide_device_authorization(device, event, grant=grant)
    if first:
        server.tell(event)
    return first


def _event(kind: EventKind, device: DeviceAuthorization, subject: str, now: int, *, address: str, agent: str) -> Event:
    return Event(
        kind=kind,
        at=now,
        actor=f"user:{subject}",
        grant_id=device.grant_id,
        client_id=device.client_id,
        subject=subject,
        address=address,
        agent=agent,
        details={"scope": format_scope(device.scope), "device": device.address},
    )


def devices_of(server: AuthorizationServer) -> DeviceStore:
    """Return where devices wait.

    Raises:
        UnauthorizedClient: there is no device authorization.
    """
    if server.devices is None:
        raise UnauthorizedClient("there is no device authorization here")
    return server.devices
