"""The device authorization grant (RFC 8628 §3.4 and §3.5): a device polls until its user has said yes or no elsewhere.

A device code is generation 0 of the grant that is stored when the user says yes, so that redeeming it is spending a
generation. A device whose answer is lost polls again, as it must ("On encountering a connection timeout, clients MUST
unilaterally reduce their polling frequency before retrying", §3.5): it then gets the same refresh token, by the rule of
`everbearer.oauth.tokens.rotation`.
"""

from __future__ import annotations

from dataclasses import replace

from everbearer.oauth.authorization.device_authorization import devices_of
from everbearer.oauth.authorization_server import AuthorizationServer, TokenRequest
from everbearer.oauth.errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    InvalidGrant,
    SlowDown,
    TemporarilyUnavailable,
    UnsupportedGrantType,
)
from everbearer.oauth.history import with_entry
from everbearer.oauth.lifetimes import SERVER, end_of
from everbearer.oauth.models import DeviceAuthorization, DeviceDecision, Ended, EndReason, Grant, Happening
from everbearer.oauth.store import Spend
from everbearer.oauth.token_response import TokenResponse
from everbearer.oauth.tokens.ending import end_grant
from everbearer.oauth.tokens.explanations import DESCRIPTIONS, explanation_uri
from everbearer.oauth.tokens.issuing import issue_tokens
from everbearer.oauth.tokens.refresh_tokens import open_device_code
from everbearer.oauth.tokens.resource_indicators import target_of_grant
from everbearer.oauth.tokens.rotation import Move, judge, policy_for

ATTEMPTS = 8
"""How often a race may be lost before the device is asked to come again."""
SLOWER_BY = 5
"""Seconds: "the interval MUST be increased by 5 seconds for this and all subsequent requests" (§3.5)."""
LONGEST_INTERVAL = 60
"""From there on a device that polls too fast is told so, and nothing is written any more."""
JITTER = 1
"""Seconds by which a poll may come early: times are whole seconds, and not every request takes as long as the last."""


async def device_code_grant(request: TokenRequest, server: AuthorizationServer) -> TokenResponse:
    """Answer the tokens of a device whose user said yes.

    Raises:
        UnsupportedGrantType: the server keeps no devices.
        InvalidRequest: `device_code` is missing.
        InvalidGrant: the code is not valid, not this client's, or what it stands for has ended.
        AuthorizationPending: the user has said nothing yet.
        SlowDown: the same, and the device polls too fast.
        AccessDenied: the user said no.
        ExpiredToken: the user said nothing in time, or the device did not come for its tokens.
        InvalidTarget: `resource` asks for another than was granted; nothing is spent.
        InvalidClientMetadata: the ID token cannot be encrypted to the client; nothing is spent.
        TemporarilyUnavailable: too many polls came at once, or the client's keys cannot be fetched; nothing is spent.
    """
    device = await _asked(request, server)
    if device.decision is DeviceDecision.DENIED:
        raise AccessDenied("the user denied the device")
    if server.now() >= device.expires_at:
        raise ExpiredToken("the device code has expired; ask for a new one when the user wants it")
    if device.decision is None:
        raise await _pending(device, server)
    for _ in range(ATTEMPTS):
        grant = await _live_grant(device, request, server)
        answered = await _after(grant, request, server)
        target = target_of_grant(request.parameters, grant.resources, grant.scope, request.client, server)
        tokens = await issue_tokens(request, answered, grant.scope, server, now=server.now(), target=target)
        if await server.store.spend(answered, expected=grant.generation) is Spend.SPENT:
            return tokens
    raise TemporarilyUnavailable("too many polls with one device code at once; try the same again", retry_after=1)


async def _asked(request: TokenRequest, server: AuthorizationServer) -> DeviceAuthorization:
    if server.devices is None:
        raise UnsupportedGrantType("there is no device authorization here")
    presented = open_device_code(request.parameters.require("device_code"), server.sealer)
    if presented is None:
        raise InvalidGrant("the device code is not valid", reason="not authentic")
    device = await server.devices.device_authorization(grant_id=presented.grant_id)
    if device is None:
        # Long expired: the purge keeps them for a while.
        raise ExpiredToken("the device code has expired; ask for a new one when the user wants it")
    if not presented.belongs_to(device):
        raise InvalidGrant("the device code is not valid", reason="another secret")
    if device.client_id != request.client.client_id:
        raise InvalidGrant("the device code was issued to another client", reason="another client's")
    return device


async def _pending(device: DeviceAuthorization, server: AuthorizationServer) -> AuthorizationPending | SlowDown:
    """Note the poll, and return what to tell the device.

    One that keeps to its interval costs one write a poll, one that does not a few in all.
    """
    now = server.now()
    early = bool(device.polled_at) and now - device.polled_at < max(1, device.interval - JITTER)
    if early:
        noted = replace(device, interval=max(device.interval, min(device.interval + SLOWER_BY, LONGEST_INTERVAL)))
    else:
        noted = replace(device, polled_at=now)
    # Of two polls of one moment one is too early.
    alone = noted == device or await devices_of(server).note_device_poll(noted, was=device)
    if early or not alone:
        return SlowDown(f"the device polls too fast: wait {SLOWER_BY} seconds longer between two polls from now on")
    return AuthorizationPending("the user has not decided yet; poll again")


async def _live_grant(device: DeviceAuthorization, request: TokenRequest, server: AuthorizationServer) -> Grant:
    grant = await server.store.grant(device.grant_id)
    if grant is None:
        raise InvalidGrant("the device code is not valid any more", reason="no such grant")
    ended = end_of(grant, request.client, server.now())
    if ended is not None:
        raise _dead(grant, ended, server)
    return grant


async def _after(grant: Grant, request: TokenRequest, server: AuthorizationServer) -> Grant:
    """Return the grant as it will be once it has answered."""
    now = server.now()
    if grant.code is not None:
        history = with_entry(grant, Happening.ISSUED, request.http, generation=1, now=now)
        return replace(grant, generation=1, rotated_at=now, used_at=now, code=None, history=history)
    verdict = judge(grant, 0, policy_for(request.client), now=now)
    if verdict.move is Move.REFUSE:
        raise InvalidGrant("this device code was sent too often", reason="retry limit", grant_id=grant.grant_id)
    if verdict.reason is not None:
        # Whoever has the tokens has no need of the code any more: it is in other hands.
        ended = Ended(reason=EndReason.CODE_REPLAYED, actor=SERVER, at=now)
        await end_grant(grant, ended, server)
        raise _dead(grant, ended, server)
    happening = Happening.RETRIED if verdict.move is Move.RETRY else Happening.RETRIED_LATE
    return replace(
        grant,
        retries=grant.retries + 1,
        late_generation=verdict.late_generation,
        late_streak=verdict.late_streak,
        history=with_entry(grant, happening, request.http, generation=grant.generation, now=now),
    )


def _dead(grant: Grant, ended: Ended, server: AuthorizationServer) -> InvalidGrant:
    return InvalidGrant(
        DESCRIPTIONS[ended.reason],
        reason=ended.reason,
        error_uri=explanation_uri(server.base, ended.reason),
        grant_id=grant.grant_id,
    )
