"""What a token is and what became of it, for an operator who holds one: the grant, the generation, the end."""

from __future__ import annotations

from dataclasses import dataclass

from everbearer.oauth.authorization_server import AuthorizationServer
from everbearer.oauth.client import Client
from everbearer.oauth.lifetimes import end_of
from everbearer.oauth.models import DeviceDecision, Ended, EndReason, Grant
from everbearer.oauth.tokens.access_tokens import AccessToken, read_access_token
from everbearer.oauth.tokens.explanations import DESCRIPTIONS
from everbearer.oauth.tokens.refresh_tokens import Presented, open_code, open_device_code, open_refresh_token
from everbearer.oauth.tokens.rotation import Move, judge, policy_for
from everbearer.oauth.tokens.standing import standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a token is. `alive` says whether it would be accepted now."""

    kind: str
    """`refresh_token`, `authorization_code`, `device_code`, `access_token` or `unknown`."""
    alive: bool
    text: str
    grant_id: str = ""
    generation: int | None = None
    newest_generation: int | None = None
    client_id: str = ""
    subject: str = ""
    ended: Ended | None = None
    grant: Grant | None = None


async def explain_token(token: str, server: AuthorizationServer) -> Explanation:
    """Return what a token is and what became of it. Nothing is changed by asking."""
    refresh = open_refresh_token(token, server.sealer)
    if refresh is not None:
        return await _generation("refresh_token", refresh, server)
    code = open_code(token, server.sealer)
    if code is not None:
        return await _generation("authorization_code", code, server)
    device_code = open_device_code(token, server.sealer)
    if device_code is not None:
        return await _device_code(device_code, server)
    access = read_access_token(token, server)
    if access is not None:
        return await _access_token(access, server)
    return Explanation(kind="unknown", alive=False, text="This server's secrets and keys never made this token.")


async def _generation(kind: str, presented: Presented, server: AuthorizationServer) -> Explanation:
    grant = await server.store.grant(presented.grant_id)
    if grant is None or not presented.belongs_to(grant):
        gone = "It is authentic, but its grant is not in the store: purged, or lost with its database."
        return Explanation(
            kind=kind, alive=False, text=gone, grant_id=presented.grant_id, generation=presented.generation
        )
    client = await server.store.client(grant.client_id)
    ended = _end(grant, client, presented, server)
    alive, text = _verdict(presented, grant, client, server)
    return Explanation(
        kind=kind,
        alive=alive and ended is None,
        text=text if ended is None else f"Its grant has ended: {DESCRIPTIONS[ended.reason]}.",
        grant_id=grant.grant_id,
        generation=presented.generation,
        newest_generation=grant.generation,
        client_id=grant.client_id,
        subject=grant.subject,
        ended=ended,
        grant=grant,
    )


async def _device_code(presented: Presented, server: AuthorizationServer) -> Explanation:
    device = await server.devices.device_authorization(grant_id=presented.grant_id) if server.devices else None
    if device is None or not presented.belongs_to(device) or device.decision is DeviceDecision.ALLOWED:
        return await _generation("device_code", presented, server)
    waits = device.decision is None and server.now() < device.expires_at
    told = "It has expired." if device.decision is None else "Its user denied the device."
    return Explanation(
        kind="device_code",
        alive=waits,
        text="It waits for its user to decide." if waits else told,
        grant_id=device.grant_id,
        generation=0,
        client_id=device.client_id,
    )


def _end(grant: Grant, client: Client | None, presented: Presented, server: AuthorizationServer) -> Ended | None:
    if client is None:
        return grant.ended or Ended(reason=EndReason.CLIENT_DELETED, actor="", at=server.now())
    return end_of(grant, client, server.now(), issued=presented.generation)


_TEXTS = {
    Move.ROTATE: "It is the newest of its grant, and good.",
    Move.KEEP: "It is the newest of its grant, and good; this client's tokens are not rotated.",
    Move.RETRY: "It is spent, but its successor has not come back: it would get the same successor again.",
    Move.RETRY_LATE: "It is spent, but its successor has not come back: it would get the same again, as late.",
    Move.RECOVER: "It is newer than the store knows: the store has lost writes. It would be accepted.",
    Move.REFUSE: "It is spent and was retried too often. Its successor is good.",
    Move.END: "It is spent. Presenting it would end its grant as stolen.",
}


def _verdict(
    presented: Presented, grant: Grant, client: Client | None, server: AuthorizationServer
) -> tuple[bool, str]:
    if client is None or presented.generation == 0:
        redeemed = grant.code is None
        return not redeemed, "It is redeemed." if redeemed else "It is not redeemed yet, and good."
    move = judge(grant, presented.generation, policy_for(client), now=server.now()).move
    return move not in (Move.REFUSE, Move.END), _TEXTS[move]


async def _access_token(token: AccessToken, server: AuthorizationServer) -> Explanation:
    state = await standing(token, server)
    if state.ended is not None:
        text = f"What it was issued for has ended: {DESCRIPTIONS[state.ended.reason]}."
    else:
        text = "It has expired." if state.expired else "It is good."
    return Explanation(
        kind="access_token",
        alive=state.active,
        text=text,
        grant_id=token.grant_id,
        generation=token.generation if token.grant_id else None,
        newest_generation=state.grant.generation if state.grant else None,
        client_id=token.client_id,
        subject=state.grant.subject if state.grant else token.subject,
        ended=state.ended,
        grant=state.grant,
    )
