"""`everbearer key`: keys that sign tokens."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from everbearer.oauth.crypto.keys import ALGORITHMS
from everbearer.server.cli.desk import ConfigOption, Desk, JsonOption, NotDone, YesOption, at_desk, confirm
from everbearer.server.cli.output import USAGE, fail, moment, say, say_json, say_table
from everbearer.server.opening import in_thread
from everbearer.server.upkeep.signing_keys import RELOAD_AFTER, NoSuchKey, rotate_keys, withdraw_key
from everbearer.storage.store import StoredKey

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def key_members(key: StoredKey) -> dict[str, Any]:
    """Return what may be shown of a key: all but the key."""
    return {name: getattr(key, name) for name in ("kid", "alg", "created_at", "active_at", "retired_at")}


@app.command("list")
def list_keys(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """List signing keys, oldest first."""

    async def work(desk: Desk) -> list[StoredKey]:
        return await desk.store.keys()

    _show(at_desk(config, work), as_json=as_json, otherwise="There are no keys; the first start makes them.")


@app.command("rotate")
def rotate(
    alg: Annotated[list[str] | None, typer.Option(help="Only this algorithm; may be repeated.")] = None,
    config: ConfigOption = None,
    *,
    at_once: Annotated[
        bool, typer.Option("--now", help="Sign with the new key at once, not first when verifiers know it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make new signing keys. They are published now, sign later, and the earlier ones stay published after that."""
    unknown = [name for name in alg or [] if name not in ALGORITHMS]
    if unknown:
        fail(f"--alg {unknown[0]}: is not one of {', '.join(ALGORITHMS)}", code=USAGE)

    async def work(desk: Desk) -> list[StoredKey]:
        algs = alg or desk.config.keys.algorithms
        sealer = desk.sealer()
        return await rotate_keys(
            desk.store,
            sealer,
            desk.config.keys,
            algs,
            at_once=at_once,
            now=desk.now,
            run=in_thread,
            actor=desk.actor,
        )

    _show(at_desk(config, work), as_json=as_json, otherwise="Another process has just rotated the keys.")


# A key's id is its thumbprint, which may begin with a dash.
@app.command("withdraw", context_settings={"ignore_unknown_options": True})
def withdraw(
    kid: Annotated[str, typer.Argument(metavar="KID")],
    config: ConfigOption = None,
    *,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Stop signing with a key and publishing it, at once: somebody else may have it. What it signed is refused."""
    confirm(f"Withdraw {kid}? All tokens that it signed are refused from now on.", yes=yes)

    async def work(desk: Desk) -> list[StoredKey]:
        try:
            return await withdraw_key(
                desk.store,
                desk.sealer(),
                desk.config.keys,
                kid,
                now=desk.now,
                run=in_thread,
                actor=desk.actor,
            )
        except NoSuchKey as error:
            raise NotDone(str(error)) from None

    made = at_desk(config, work)
    if as_json:
        say_json({"withdrawn": kid, "made": [key_members(key) for key in made]})
        return
    say(f"{kid} is withdrawn. A running server knows it within {RELOAD_AFTER} seconds.")
    for key in made:
        say(f"{key.kid} ({key.alg}) was made in its place and signs from {moment(key.active_at)}.")


def _show(keys: list[StoredKey], *, as_json: bool, otherwise: str) -> None:
    if as_json:
        say_json([key_members(key) for key in keys])
        return
    rows = [(each.kid, each.alg, moment(each.active_at), moment(each.retired_at)) for each in keys]
    say_table(("KID", "ALG", "SIGNS FROM", "PUBLISHED UNTIL"), rows, otherwise=otherwise)
