"""The command line: one file a noun."""

from __future__ import annotations

from typing import Annotated

import typer

from everbearer.server.cli import (
    clients,
    configuration,
    copying,
    grants,
    keys,
    logouts,
    registrations,
    running,
    simulate,
    upkeep,
    users,
)
from everbearer.server.cli.output import print_version

app = typer.Typer(
    help="An OAuth 2.x authorization server and OpenID Connect provider whose sessions keep bearing.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with the values of variables would show secrets.
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _everbearer(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    pass


app.command("dev")(running.dev)
app.command("serve")(running.serve)
app.command("migrate")(upkeep.migrate)
app.command("purge")(upkeep.purge)
app.command("copy")(copying.copy)
app.command("explain")(upkeep.explain)
app.add_typer(clients.app, name="client", help="Applications that ask for tokens.")
app.add_typer(registrations.app, name="registration", help="Applications that register themselves.")
app.add_typer(users.app, name="user", help="People who sign in.")
app.add_typer(grants.app, name="grant", help="What users let applications do.")
app.add_typer(keys.app, name="key", help="Keys that sign tokens.")
app.add_typer(logouts.app, name="logout", help="Applications that are to be told that a session has ended.")
app.add_typer(configuration.app, name="config", help="Check, show and explain the configuration.")
app.add_typer(simulate.app, name="simulate", help="Play rotation policies, or load. Reads no configuration.")


def main() -> None:
    """Run the command that the arguments name."""
    app()
