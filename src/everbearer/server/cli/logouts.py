"""`everbearer logout`: applications that have not been told yet that a session has ended."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from everbearer.oauth.sessions.backchannel_logout import Logout
from everbearer.server.cli.desk import ConfigOption, Desk, JsonOption, at_desk
from everbearer.server.cli.output import moment, say, say_json, say_table

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

ClientOption = Annotated[str, typer.Option("--client", help="Only those of an application, by client id.")]


@app.command("list")
def list_logouts(
    client: ClientOption = "",
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    config: ConfigOption = None,
    *,
    given_up: Annotated[bool, typer.Option("--given-up", help="Only those that are not tried again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the applications that are still to be told, and those that could not be; who was told is in no list."""

    async def work(desk: Desk) -> list[Logout]:
        return await desk.store.logouts(client_id=client, given_up_only=given_up, limit=limit)

    logouts = at_desk(config, work)
    if as_json:
        say_json([asdict(logout) for logout in logouts])
        return
    rows = [
        (
            each.client_id,
            each.subject,
            moment(each.ended_at),
            each.attempts,
            "given up" if each.due_at is None else moment(each.due_at),
            each.problem,
        )
        for each in logouts
    ]
    headings = ("CLIENT ID", "SUBJECT", "ENDED", "TRIES", "NEXT TRY", "ITS BACKCHANNEL_LOGOUT_URI")
    say_table(headings, rows, otherwise="Every application has been told.")


@app.command("retry")
def retry_logouts(
    client: ClientOption = "",
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Begin anew with what was given up, once an application can be told again."""

    async def work(desk: Desk) -> int:
        return await desk.store.retry_logouts(client_id=client, now=desk.now)

    number = at_desk(config, work)
    if as_json:
        say_json({"retried": number})
    elif number:
        say(f"{number} will be tried again by a running server.")
    else:
        say("Nothing had been given up.")
