"""The refresh token grant (RFC 6749 §6, RFC 9700 §4.14): the heart. The rule is `everbearer.oauth.tokens.rotation`.

Read the grant, check, judge, mint, spend, answer. The spend is one compare-and-swap on the generation; nothing that can
fail follows it. Who loses a race judges anew: the token just spent by the winner is then the one before the newest,
and gets the same answer.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from everbearer.oauth.authorization_server import AuthorizationServer, TokenRequest
from everbearer.oauth.client import Client
from everbearer.oauth.encoding import base64url
from everbearer.oauth.errors import InvalidGrant, TemporarilyUnavailable
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.history import with_entry
from everbearer.oauth.lifetimes import SERVER, end_of
from everbearer.oauth.models import Ended, Grant, Happening
from everbearer.oauth.scope import narrow, still_allowed
from everbearer.oauth.store import Spend
from everbearer.oauth.token_response import TokenResponse
from everbearer.oauth.tokens.ending import end_grant
from everbearer.oauth.tokens.explanations import DESCRIPTIONS, explanation_uri
from everbearer.oauth.tokens.issuing import issue_tokens
from everbearer.oauth.tokens.refresh_tokens import Presented, open_refresh_token
from everbearer.oauth.tokens.resource_indicators import target_of_grant
from everbearer.oauth.tokens.rotation import Move, Verdict, judge, policy_for

ATTEMPTS = 8
"""How often a race may be lost before the client is asked to come again. Each loss means somebody else won."""

TOUCH_EVERY = 60
"""Seconds between the writes that note the use of a token that is not rotated; never over a hundredth of its idle
lifetime."""

SETTLED_AFTER = 600
"""Seconds after which an expiry is written down: longer than a request may take, and than clocks of nodes differ."""

_HAPPENINGS = {
    Move.ROTATE: Happening.ROTATED,
    Move.KEEP: Happening.REFRESHED,
    Move.RETRY: Happening.RETRIED,
    Move.RETRY_LATE: Happening.RETRIED_LATE,
    Move.RECOVER: Happening.RECOVERED,
}
_RETRIES = (Move.RETRY, Move.RETRY_LATE)


async def refresh_token_grant(request: TokenRequest, server: AuthorizationServer) -> TokenResponse:
    """Answer a fresh access token and the refresh token that comes next.

    Raises:
        InvalidRequest: `refresh_token` is missing.
        InvalidGrant: the token is not valid, not this client's, spent, or its grant has ended.
        InvalidScope: `scope` asks for more than was granted; nothing is spent.
        InvalidTarget: `resource` asks for another than was granted; nothing is spent.
        InvalidClientMetadata: the ID token cannot be encrypted to the client; nothing is spent.
        TemporarilyUnavailable: the grant was too contended, or the client's keys cannot be fetched; nothing is spent.
    """
    presented = open_refresh_token(request.parameters.require("refresh_token"), server.sealer)
    if presented is None:
        raise InvalidGrant("the refresh token is not valid", reason="not authentic")
    key = _hash_of(request.idempotency_key)
    for _ in range(ATTEMPTS):
        now = server.now()
        grant = await _live_grant(presented, request.client, server, now)
        verdict = judge(grant, presented.generation, policy_for(request.client), now=now, idempotency_key=key)
        await _refuse_if_told(verdict, grant, server, now)
        scope = narrow(request.parameters.get("scope"), still_allowed(grant.scope, request.client.scope))
        target = target_of_grant(request.parameters, grant.resources, scope, request.client, server)
        refreshed = _refreshed(grant, verdict, request, key, now)
        tokens = await issue_tokens(request, refreshed, scope, server, now=now, target=target)
        written = _worth_writing(verdict, grant, request.client, now)
        if not written or await server.store.spend(refreshed, expected=grant.generation) is Spend.SPENT:
            if EventKind.TOKEN_REFRESHED in server.hears:
                server.notify(_happened(refreshed, request, now))
            return tokens
    raise TemporarilyUnavailable("too many refreshes of one grant at once; try the same again", retry_after=1)


async def _live_grant(presented: Presented, client: Client, server: AuthorizationServer, now: int) -> Grant:
    grant = await server.store.grant(presented.grant_id)
    if grant is None or not presented.belongs_to(grant):
        raise InvalidGrant("the refresh token is not valid", reason="no such grant")
    # "validate the refresh token [...] was issued to the authenticated client" (§6). The grant of the other lives, or
    # anybody who got hold of a token could sign its owner out.
    if grant.client_id != client.client_id:
        raise InvalidGrant(
            "the refresh token was issued to another client", reason="another client's", grant_id=grant.grant_id
        )
    ended = end_of(grant, client, now, issued=presented.generation)
    if ended is None:
        return grant
    if grant.ended is None and now - ended.at >= SETTLED_AFTER:
        # Written down, so that longer lifetimes set later do not bring it back; but not while another refresh, which
        # came in time, may still be between its read and its spend.
        await end_grant(grant, ended, server)
    raise _dead(grant, ended, server)


async def _refuse_if_told(verdict: Verdict, grant: Grant, server: AuthorizationServer, now: int) -> None:
    if verdict.move is Move.REFUSE:
        raise InvalidGrant(
            "this refresh token was retried too often; use its successor", reason="retry limit", grant_id=grant.grant_id
        )
    if verdict.reason is not None:
        ended = Ended(reason=verdict.reason, actor=SERVER, at=now)
        await end_grant(grant, ended, server)
        raise _dead(grant, ended, server)


def _dead(grant: Grant, ended: Ended, server: AuthorizationServer) -> InvalidGrant:
    return InvalidGrant(
        DESCRIPTIONS[ended.reason],
        reason=ended.reason,
        error_uri=explanation_uri(server.base, ended.reason),
        grant_id=grant.grant_id,
    )


def _refreshed(grant: Grant, verdict: Verdict, request: TokenRequest, key: str, now: int) -> Grant:
    """Return the grant as it will be. A retry extends nothing: it is not a use, and not a new issue."""
    happening = _HAPPENINGS[verdict.move]
    history = with_entry(grant, happening, request.http, generation=verdict.generation, now=now)
    if verdict.move in _RETRIES:
        return replace(
            grant,
            retries=grant.retries + 1,
            late_generation=verdict.late_generation,
            late_streak=verdict.late_streak,
            history=history,
        )
    return replace(
        grant,
        generation=verdict.generation,
        rotated_at=grant.rotated_at if verdict.generation == grant.generation else now,
        used_at=now,
        retries=0,
        idempotency_key=key,
        code=None,
        history=history,
    )


def _happened(grant: Grant, request: TokenRequest, now: int) -> Event:
    return Event(
        kind=EventKind.TOKEN_REFRESHED,
        at=now,
        actor=f"client:{grant.client_id}",
        grant_id=grant.grant_id,
        client_id=grant.client_id,
        subject=grant.subject,
        address=request.http.remote_address,
        agent=request.http.user_agent,
        details={"happening": grant.history[-1].happening, "generation": str(grant.generation)},
    )


def _worth_writing(verdict: Verdict, grant: Grant, client: Client, now: int) -> bool:
    if verdict.move is not Move.KEEP:
        return True
    idle = client.lifetimes.refresh_token_idle
    return now - grant.used_at >= min(TOUCH_EVERY, (idle or TOUCH_EVERY * 100) // 100)


def _hash_of(idempotency_key: str) -> str:
    return base64url(sha256(idempotency_key.encode()).digest()) if idempotency_key else ""
