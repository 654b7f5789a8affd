"""`everbearer registration`: who may register clients, and what is known of those that registered themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from everbearer.oauth.client import Client, SelfRegistration
from everbearer.oauth.errors import InvalidScope
from everbearer.oauth.events import Event, EventKind
from everbearer.oauth.initial_access_tokens import (
    INITIAL_ACCESS_TOKEN_PREFIX,
    REGISTRATION_ACCESS_TOKEN_PREFIX,
    InitialAccessToken,
    new_registration_token,
    token_hash,
)
from everbearer.oauth.models import DAY
from everbearer.oauth.randomness import random_bytes
from everbearer.oauth.registration.endpoint import registration_client_uri
from everbearer.oauth.scope import Scope, format_scope, parse_scope
from everbearer.server.cli.client_members import client_members
from everbearer.server.cli.desk import ConfigOption, Desk, JsonOption, NotDone, at_desk
from everbearer.server.cli.output import USAGE, fail, moment, say, say_json, say_members, say_table, warn
from everbearer.server.self_registration import registrable_scope

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
tokens = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(tokens, name="token", help="Initial access tokens: who holds one may register clients.")

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID")]


def token_members(token: InitialAccessToken) -> dict[str, Any]:
    """Return what may be shown of an initial access token."""
    return {
        "token_id": token.token_id,
        "note": token.note,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "uses_left": token.uses_left,
        "scope": None if token.scope is None else format_scope(token.scope),
    }


@tokens.command("create")
def create_token(
    days: Annotated[int, typer.Option(min=1, max=3660, help="For how many days it is good.")] = 7,
    uses: Annotated[int, typer.Option(min=1, help="How many clients it registers.")] = 1,
    scope: Annotated[
        str | None, typer.Option(help="All that these clients may ask for, where that is less than what others may.")
    ] = None,
    note: Annotated[str, typer.Option(help="Who it is for; shown by `list`.")] = "",
    config: ConfigOption = None,
    *,
    unlimited: Annotated[bool, typer.Option("--unlimited", help="Let it register any number of clients.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Create an initial access token. It is printed this once and never again."""
    text = new_registration_token(INITIAL_ACCESS_TOKEN_PREFIX)

    async def create(desk: Desk) -> InitialAccessToken:
        token = InitialAccessToken(
            token_id=random_bytes(4).hex(),
            token_hash=token_hash(text),
            created_at=desk.now,
            expires_at=desk.now + days * DAY,
            uses_left=None if unlimited else uses,
            scope=None if scope is None else _scope(scope, desk),
            note=note,
        )
        event = _event(EventKind.INITIAL_ACCESS_TOKEN_CREATED, desk, token_id=token.token_id)
        await desk.store.create_initial_access_token(token, event)
        if desk.config.registration.mode == "off":
            warn('warning: registration.mode is "off", so nobody can use it; write mode = "token" under [registration]')
        return token

    token = at_desk(config, create)
    if as_json:
        say_json(token_members(token) | {"token": text})
        return
    say_members(
        {
            "token_id": token.token_id,
            "initial_access_token": text,
            "expires": moment(token.expires_at),
            "uses": "any number" if token.uses_left is None else token.uses_left,
        }
    )
    say("It is not stored: keep it now, it cannot be shown again.")


def _scope(text: str, desk: Desk) -> Scope:
    try:
        scope = parse_scope(text)
    except InvalidScope as error:
        fail(f"--scope: {error.description}; separate values by spaces", code=USAGE)
    beyond = [value for value in scope if value not in registrable_scope(desk.config)]
    if beyond:
        fail(f"--scope: {beyond[0]} is not in registration.scope: no client may register it", code=USAGE)
    return scope


@tokens.command("list")
def list_tokens(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List all initial access tokens, dead ones too."""

    async def work(desk: Desk) -> tuple[list[InitialAccessToken], int]:
        return await desk.store.initial_access_tokens(), desk.now

    found, now = at_desk(config, work)
    if as_json:
        say_json([token_members(token) for token in found])
        return
    rows = [
        (
            token.token_id,
            "any" if token.uses_left is None else token.uses_left,
            moment(token.expires_at),
            "expired" if token.expires_at <= now else "used up" if token.uses_left == 0 else "",
            "" if token.scope is None else format_scope(token.scope),
            token.note,
        )
        for token in found
    ]
    say_table(("TOKEN ID", "USES LEFT", "EXPIRES", "", "SCOPE", "NOTE"), rows, otherwise="There are no tokens.")


@tokens.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(metavar="TOKEN_ID")],
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Let an initial access token register nobody any more. Clients that came with it stay."""

    async def revoke(desk: Desk) -> None:
        event = _event(EventKind.INITIAL_ACCESS_TOKEN_REVOKED, desk, token_id=token_id)
        if not await desk.store.revoke_initial_access_token(token_id, event):
            raise NotDone(f"there is no token {token_id}; everbearer registration token list shows all")

    at_desk(config, revoke)
    if as_json:
        say_json({"token_id": token_id})
    else:
        say(f"{token_id} is revoked.")


@app.command("verify")
def verify_client(client_id: ClientId, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Vouch for a client that registered itself: users are not warned of it any more, until what they see changes."""

    async def verify(desk: Desk) -> Client:
        client, record = await _registered(client_id, desk)
        changed = replace(client, registration=replace(record, verified_at=desk.now))
        return await _changed(changed, client, desk, change="verified")

    client = at_desk(config, verify)
    if as_json:
        say_json(client_members(client))
    else:
        say(f"{client_id} is verified as {client.client_name or client_id}, at {', '.join(client.redirect_uris)}.")


@app.command("reissue")
def reissue_token(client_id: ClientId, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Give a client a new registration access token, printed this once. The one before it stops working."""
    text = new_registration_token(REGISTRATION_ACCESS_TOKEN_PREFIX)

    async def reissue(desk: Desk) -> tuple[Client, str]:
        client, record = await _registered(client_id, desk)
        changed = replace(client, registration=replace(record, access_token_hash=token_hash(text)))
        await _changed(changed, client, desk, change="registration_access_token")
        return client, registration_client_uri(client, desk.config.issuer)

    client, uri = at_desk(config, reissue)
    shown = {"client_id": client.client_id, "registration_client_uri": uri, "registration_access_token": text}
    if as_json:
        say_json(shown)
        return
    say_members(shown)
    say("It is not stored: keep it now, it cannot be shown again.")


async def _registered(client_id: str, desk: Desk) -> tuple[Client, SelfRegistration]:
    client = await desk.store.client(client_id)
    if client is None:
        raise NotDone(f"there is no client {client_id}; everbearer client list shows all")
    if client.registration is None:
        raise NotDone(f"{client_id} did not register itself: an operator made it")
    return client, client.registration


async def _changed(client: Client, was: Client, desk: Desk, *, change: str) -> Client:
    event = replace(_event(EventKind.CLIENT_CHANGED, desk, change=change), client_id=client.client_id)
    if not await desk.store.change_client(client, event, was=was):
        raise NotDone(f"{client.client_id} changed meanwhile; look at it and try again")
    return client


def _event(kind: EventKind, desk: Desk, **details: str) -> Event:
    return Event(kind=kind, at=desk.now, actor=desk.actor, details=details)
