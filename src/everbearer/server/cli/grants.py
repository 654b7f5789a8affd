"""`everbearer grant`: what users let applications do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from everbearer.oauth.events import Event
from everbearer.oauth.models import Ended, EndReason, Grant
from everbearer.oauth.scope import format_scope
from everbearer.server.cli.desk import ConfigOption, Desk, JsonOption, NotDone, at_desk
from everbearer.server.cli.output import moment, say, say_json, say_members, say_table
from everbearer.server.cli.telling import Parties, end_of_grant, history_members, life_members, parties, say_history
from everbearer.server.cli.users import find_user

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Id = Annotated[str, typer.Argument(metavar="GRANT_ID")]


def grant_members(grant: Grant) -> dict[str, Any]:
    """Return what may be shown of a grant: nothing that a token could be made of."""
    members = asdict(grant)
    for name in ("secret", "code", "idempotency_key", "client_epoch", "consent_epoch"):
        del members[name]
    return members | {"scope": format_scope(grant.scope), "history": history_members(grant)}


@app.command("list")
def list_grants(
    user: Annotated[str, typer.Option(help="Only those of a user, by login or subject.")] = "",
    client: Annotated[str, typer.Option(help="Only those of an application, by client id.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    config: ConfigOption = None,
    *,
    live: Annotated[bool, typer.Option("--live", help="Only those that nobody has ended.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List grants, newest first."""

    async def work(desk: Desk) -> list[Grant]:
        subject = (await find_user(user, desk)).subject if user else ""
        return await desk.store.grants(subject=subject, client_id=client, live_only=live, limit=limit)

    grants = at_desk(config, work)
    if as_json:
        say_json([grant_members(grant) for grant in grants])
        return
    rows = [
        (
            each.grant_id,
            each.client_id,
            each.subject,
            format_scope(each.scope),
            each.generation,
            moment(each.used_at),
            each.ended.reason if each.ended else "",
        )
        for each in grants
    ]
    headings = ("GRANT ID", "CLIENT ID", "SUBJECT", "SCOPE", "GENERATION", "USED", "ENDED")
    say_table(headings, rows, otherwise="There are no grants.")


@app.command("show")
def show_grant(grant_id: Id, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Show a grant, its history and what the audit trail has on it."""

    async def work(desk: Desk) -> tuple[Grant, Parties, Ended | None, list[Event]]:
        grant = await _existing(grant_id, desk)
        concerned = await parties(grant.client_id, grant.subject, desk)
        ended = end_of_grant(grant, concerned.client, desk.now)
        return grant, concerned, ended, await desk.store.events(grant_id=grant_id)

    grant, concerned, ended, events = at_desk(config, work)
    if as_json:
        told = {"alive": ended is None, "ended": asdict(ended) if ended else None, "login": concerned.login}
        say_json(grant_members(grant) | told | {"events": [asdict(event) for event in events]})
        return
    say_members(
        {
            "grant": grant.grant_id,
            **life_members(ended, alive=ended is None),
            "generation": grant.generation,
            "client": concerned.client_words,
            "user": concerned.user_words,
            "scope": format_scope(grant.scope),
            "resources": " ".join(grant.resources) or None,
            "signed in": moment(grant.authentication.auth_time),
            "created": moment(grant.created_at),
            "rotated": moment(grant.rotated_at),
            "used": moment(grant.used_at),
            "retries": grant.retries or None,
            "late in a row": grant.late_streak or None,
        }
    )
    say("")
    say_history(grant.history)
    say("")
    audit = [(moment(each.at), each.kind, each.actor, each.address, each.agent) for each in events]
    say_table(("AUDIT TRAIL", "WHAT", "BY", "ADDRESS", "AGENT"), audit, otherwise="Nothing in the audit trail.")


@app.command("revoke")
def revoke_grant(grant_id: Id, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """End a grant: none of its tokens refreshes any more."""

    async def work(desk: Desk) -> tuple[Grant, bool]:
        await _existing(grant_id, desk)
        ended = Ended(reason=EndReason.REVOKED_BY_ADMIN, actor=desk.actor, at=desk.now)
        first = await desk.store.end_grant(grant_id, ended)
        return await _existing(grant_id, desk), first

    grant, first = at_desk(config, work)
    if as_json:
        say_json(grant_members(grant))
    elif first:
        say(f"{grant_id} has ended.")
    else:
        say(f"{grant_id} had ended before{f': {grant.ended.reason}' if grant.ended else ''}.")


async def _existing(grant_id: str, desk: Desk) -> Grant:
    grant = await desk.store.grant(grant_id)
    if grant is None:
        raise NotDone(f"there is no grant {grant_id}; everbearer grant list shows all")
    return grant
